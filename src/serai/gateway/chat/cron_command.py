"""`/cron` in chats: what the agent that answers here does by itself (SPEC 6.4, 9, 16.7).

A command is stored when it has done its work, so it may be done again after a crash. That changes nothing: a job's id
and the key of a run come from the message, and the rest sets what is set already.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from serai.core.appointment import parse_appointment
from serai.core.ids import JobId
from serai.core.job import CHAT_MOST, derived_id, is_job_id, origin_fields
from serai.core.schedule import BadSchedule, is_hasty
from serai.gateway.approval.approvals import sentence
from serai.gateway.chat.spoken import ADMINS_ONLY, Reply, Spoken
from serai.gateway.manners import is_admin
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.gateway.state import State
from serai.ports.jobs import BadJob, ForeignJobs, JobExists, JobsDamaged, UnknownJob
from serai.ports.slots import JobRunning

_LISTED_MOST: Final = 30

USAGE: Final = """What I do by myself, at its time:
- `/cron` or `/cron list`: what is planned here (`/cron list all`: everywhere, for admins)
- `/cron add SCHEDULE PROMPT`: do that then, and answer here
- `/cron pause ID`, `/cron resume ID`
- `/cron run ID`: now, too
- `/cron remove ID`

A schedule is `30m` (once), `every 2h`, five fields of cron such as `0 9 * * 1-5`, or a time such as \
`2026-12-24T18:00`: `/cron add 0 9 * * 1-5 Tell me what is new`"""

_DAMAGED: Final = "My jobs cannot run just now; an admin has to look after that."
_NOTHING_HERE: Final = "Nothing is planned here. `/cron add every 2h Check the mail` would be a beginning."

_Action = Callable[[Spoken, str], Awaitable[str]]


class CronCommand:
    """Does what `/cron` asks for. Jobs that were made in a chat are its people's, all jobs are the admins'."""

    def __init__(self, state: State, jobs: Jobs) -> None:
        self._state = state
        self._jobs = jobs
        self._actions: Mapping[str, _Action] = {
            "list": self._list,
            "add": self._add,
            "pause": self._pause,
            "resume": self._resume,
            "run": self._run,
            "remove": self._remove,
            "help": self._help,
        }

    async def run(self, spoken: Spoken) -> Reply:
        """What is answered. Raises UnknownAgent, StorageFailed."""
        verb, rest = [*spoken.command.argument.split(None, 1), "", ""][:2]
        action = self._actions.get(verb.lower() or "list")
        if action is None:
            return Reply(f"`/cron {verb}` is nothing that I know.{self._hint(verb)} `/cron help` tells more.")
        try:
            return Reply(await action(spoken, rest.strip()))
        except JobsDamaged as error:
            return Reply(sentence(str(error)) if self._by_admin(spoken) else _DAMAGED)
        except (BadSchedule, BadJob, ForeignJobs, JobExists, JobRunning, UnknownJob) as error:
            return Reply(sentence(str(error)))

    def _hint(self, verb: str) -> str:
        """What was probably meant; nobody is led to take something away."""
        near = get_close_matches(verb.lower(), self._actions, n=1)
        return f" Did you mean `/cron {near[0]}`?" if near and near != ["remove"] else ""

    async def summary(self, spoken: Spoken) -> Sequence[str]:
        """Lines for `/status`: how many jobs there are, what comes next, what went wrong last."""
        jobs = await self._shown(spoken, everywhere=self._by_admin(spoken) and spoken.target.chat_type == "dm")
        return [*_counted(jobs), *self._problems(spoken)]

    async def _list(self, spoken: Spoken, words: str) -> str:
        everywhere = words.lower() == "all"
        if everywhere and not self._by_admin(spoken):
            return ADMINS_ONLY
        if words and not everywhere:
            return "Write `/cron list`, or `/cron list all`."
        jobs = await self._shown(spoken, everywhere=everywhere)
        lines = [_line(one) for one in jobs[:_LISTED_MOST]]
        if len(jobs) > _LISTED_MOST:
            lines.append(f"- and {len(jobs) - _LISTED_MOST} more")
        nothing = "Nothing is planned. `/cron help` tells how." if everywhere else _NOTHING_HERE
        return "\n".join([*(lines or [nothing]), *self._problems(spoken)])

    async def _add(self, spoken: Spoken, words: str) -> str:
        if not words:
            return "Write when and what: `/cron add every 2h Check the mail`. `/cron help` tells more."
        if not spoken.target.chat_id:
            return "This chat has no id, so nothing could be sent here later."
        wanted = parse_appointment(words)
        if is_hasty(wanted.schedule) and not self._by_admin(spoken):
            return "Only admins may have something done more often than once a minute; `every 1m` may be."
        id, here = derived_id(spoken.key, words), await self._shown(spoken, everywhere=False)
        made = next((one for one in here if one.job.id == id), None)
        if made is None and len(here) >= CHAT_MOST and not self._by_admin(spoken):
            return f"{len(here)} jobs were made here already, and {CHAT_MOST} are allowed. `/cron remove ID` first."
        fields = {"schedule": wanted.schedule, "prompt": wanted.prompt, "origin": origin_fields(spoken.target)}
        view = made or await self._jobs.add(spoken.address.agent, fields, wanted=id)
        return f"Planned as `{id}`: `{view.job.schedule}`, {view.standing}. The answer comes here."

    async def _pause(self, spoken: Spoken, words: str) -> str:
        view = await self._found(spoken, words)
        await self._jobs.change(view.agent, view.job.id, {"enabled": False})
        return f"{_named(view)} is paused. `/cron resume {view.job.id}` goes on with it."

    async def _resume(self, spoken: Spoken, words: str) -> str:
        view = await self._found(spoken, words)
        view = await self._jobs.change(view.agent, view.job.id, {"enabled": True})
        if view.state == "done":
            return f"{_named(view)} is done, and goes on no more. `/cron run {view.job.id}` runs it now."
        return f"{_named(view)} goes on: `{view.job.schedule}`, {view.standing}."

    async def _run(self, spoken: Spoken, words: str) -> str:
        view = await self._found(spoken, words)
        await self._jobs.run(view.agent, view.job.id, spoken.key)
        where = "Its answer comes here." if view.is_of(spoken.target) else "Its answer goes where it always does."
        return f"{_named(view)} runs now. {where}"

    async def _remove(self, spoken: Spoken, words: str) -> str:
        view = await self._found(spoken, words)
        await self._jobs.remove(view.agent, view.job.id)
        return f"{_named(view)} is removed."

    async def _help(self, _: Spoken, __: str) -> str:
        return USAGE

    async def _found(self, spoken: Spoken, words: str) -> JobView:
        """The job that is named, if it may be told of here. Raises UnknownJob."""
        name = words.strip("`").lower()
        if not name:
            raise UnknownJob("name the job by its id; `/cron list` shows them")
        if not is_job_id(name):
            raise UnknownJob(
                f"`{words[:60]}` is no job's id, which has 12 digits and letters; `/cron list` shows them"
            )
        unknown = UnknownJob(f"there is no job `{name}` here; `/cron list` shows those that there are")
        try:
            view = await self._jobs.one(spoken.address.agent, JobId(name))
        except UnknownJob:
            raise unknown from None
        if not view.is_of(spoken.target) and not self._by_admin(spoken):
            raise unknown
        return view

    async def _shown(self, spoken: Spoken, *, everywhere: bool) -> Sequence[JobView]:
        """The agent's jobs: those of this chat, or all."""
        jobs = await self._jobs.all([spoken.address.agent])
        return [one for one in jobs if everywhere or one.is_of(spoken.target)]

    def _problems(self, spoken: Spoken) -> Iterator[str]:
        """What keeps jobs from running: admins are told what it is."""
        fatal = [one for one in self._jobs.problems(spoken.address.agent) if one.fatal]
        if self._by_admin(spoken):
            yield from (f"Problem: {one}" for one in fatal[:3])
        elif any(one.job is None for one in fatal):
            yield _DAMAGED

    def _by_admin(self, spoken: Spoken) -> bool:
        return is_admin(self._state.snapshot, spoken.inbound)


def _named(view: JobView) -> str:
    return f"`{view.job.id}` “{view.job.label}”"


def _line(view: JobView) -> str:
    text = f"- {_named(view)}: `{view.job.schedule}`, {view.standing}"
    return f"{text}; {view.trouble}" if view.trouble else text


def _counted(jobs: Sequence[JobView]) -> Iterator[str]:
    if not jobs:
        return
    coming = [one for one in jobs if one.next_at is not None]
    first = min(coming, key=lambda one: one.next_at or 0.0, default=None)
    count = f"Jobs: {len(jobs)}"
    yield f"{count}, “{first.job.label}” {first.standing}" if first is not None else count
    bad = [one for one in jobs if one.trouble]
    if bad:
        worst = max(bad, key=lambda one: one.last.at if one.last is not None else 0.0)
        yield f"Last trouble: “{worst.job.label}” {worst.trouble}"
