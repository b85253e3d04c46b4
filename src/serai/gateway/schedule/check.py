"""What is wrong with a job's fields that only the whole gateway can tell: chats, toolsets, skills, scripts."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from serai.core.delivery import Target
from serai.core.ids import DEFAULT_ACCOUNT, AgentId
from serai.core.job import Job, JobProblem, is_skill_name
from serai.core.reach import Chats
from serai.core.target import ORIGIN
from serai.gateway.delivery.targets import Targets
from serai.gateway.state import State
from serai.ports.jobs import JobFiles

_NEW: Final = Job(id="", schedule="")  # type: ignore[arg-type]


class JobCheck:
    """Judges fields before they are written. What a job has already is nobody's fault now, and is passed over."""

    def __init__(self, state: State, targets: Targets, files: JobFiles, toolsets: Collection[str]) -> None:
        """`toolsets` are the names of all that there are."""
        self._state = state
        self._targets = targets
        self._files = files
        self._toolsets = toolsets

    async def check(self, agent: AgentId, fields: Mapping[str, Any], job: Job | None = None) -> Sequence[JobProblem]:
        """What is wrong with the fields of a new job of the agent, or with those that change `job`: fatal where it
        can never work, a warning where it may one day (SPEC 9.5). Raises StorageFailed."""
        known = job or _NEW
        found = list(self._unknown_toolsets(_fresh(fields.get("enabled_toolsets"), known.enabled_toolsets)))
        found += [one async for one in self._absent(agent, fields, known)]
        if "deliver" in fields or "origin" in fields:
            chats = Chats(self._state.accounts, await self._targets.homes())
            found += _unreachable(chats, fields, known)
        return found

    def _unknown_toolsets(self, names: Sequence[str]) -> Iterator[JobProblem]:
        for name in names:
            if name not in self._toolsets:
                near = get_close_matches(name, self._toolsets, n=1)
                hint = f" (did you mean `{near[0]}`?)" if near else ""
                yield JobProblem(f"there is no toolset `{name}`{hint}", field="enabled_toolsets")

    async def _absent(self, agent: AgentId, fields: Mapping[str, Any], known: Job) -> AsyncIterator[JobProblem]:
        """What of skills and scripts is not there."""
        profile = self._state.configured.agents[agent]
        for name in _fresh(fields.get("skills"), known.skills):
            if not is_skill_name(name):
                yield JobProblem(f"`{name}` can be no skill: it is no plain name of a folder", field="skills")
            elif await self._files.read_skill(profile.skills, name) is None:
                yield JobProblem(f"the agent `{agent}` has no skill `{name}`", fatal=False, field="skills")
        script = fields.get("script")
        if script and script != known.script and (fault := await self._files.script_fault(profile.cron, script)):
            yield JobProblem(f"the script `{script}` {fault}", fatal=False, field="script")


def _unreachable(chats: Chats, fields: Mapping[str, Any], known: Job) -> Iterator[JobProblem]:
    """Targets of the job, as it will be, that mean no place."""
    deliver = _listed(fields["deliver"]) if "deliver" in fields else known.deliver
    origin = _chat(fields["origin"]) if "origin" in fields else known.origin
    usual = () if origin is None else (ORIGIN,)
    values, field = (usual, "origin") if deliver is None else (deliver, "deliver")
    for value in _fresh(values, known.deliver if origin == known.origin else ()):
        fault = chats.fault(value, origin)
        if fault is None:
            continue
        if chats.may_become_right(value, origin):
            yield JobProblem(f"as it is, nothing is delivered to `{value}`: {fault}", fatal=False, field=field)
        else:
            yield JobProblem(f"nothing can be delivered to `{value}`: {fault}", field=field)


def _fresh(wanted: Sequence[str] | None, known: Sequence[str] | None) -> Sequence[str]:
    """What is not there already."""
    return [one for one in wanted or () if one not in (known or ())]


def _listed(deliver: str | Sequence[str] | None) -> Sequence[str] | None:
    return [deliver] if isinstance(deliver, str) else deliver


def _chat(origin: Mapping[str, Any] | None) -> Target | None:
    """The chat that an `origin` names, as its file will have it."""
    if origin is None:
        return None
    given = {name: str(value) for name, value in origin.items() if value is not None}
    return Target(
        given["platform"],
        given["chat_id"],
        given.get("account", DEFAULT_ACCOUNT),
        given.get("thread_id"),
        AgentId(given["agent_id"]) if "agent_id" in given else None,
        chat_type=given.get("chat_type", "dm"),
        user_id=given.get("user_id"),
    )
