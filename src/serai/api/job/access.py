"""Which jobs are there for a key, and what it may make of them (SPEC 11.7).

A job that was made through the API belongs to the key and the agent. What files, people in chats and agents have made
is nobody's; admin keys see all of the agents that they may use.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from serai.api.error import ApiError
from serai.api.page import not_found
from serai.api.path import permit
from serai.core.error import UnknownAgent
from serai.core.ids import AgentId, JobId
from serai.core.job import JobProblem
from serai.core.principal import LOCAL, Principal
from serai.core.snapshot import Snapshot
from serai.core.target import is_local
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.ports.jobs import BadJob, ForeignJobs, JobExists, JobsDamaged, UnknownJob
from serai.ports.slots import JobRunning

ERRORS: Final = ("job_not_found", "ambiguous_job", "jobs_damaged", "storage_failed")
WRITING: Final = ("invalid_job", "jobs_damaged", "jobs_off", "agent_refused")

HIDDEN: Final = "The agent's jobs do not run; an admin sees why."

_ADMINS_FIELDS: Final = ("script", "no_agent", "workdir", "origin")


def owner_of(principal: Principal) -> str:
    """To whom a new job belongs: what the caller on this machine makes is nobody's."""
    return "" if principal == LOCAL else principal.name


def may_see(principal: Principal, view: JobView) -> bool:
    """Whether a job is there for a key."""
    return principal.may_see(view.agent, view.owner)


async def known(jobs: Jobs, principal: Principal, name: str, agent: str | None) -> JobView:
    """The job of that id, of that agent's where it is given. Raises ApiError 404 where it is not there for the key;
    409 where several are, and where it may be in a file that is damaged."""
    wanted = None if agent is None else [AgentId(agent)]
    found = [view for view in await jobs.find(JobId(name), wanted) if may_see(principal, view)]
    if not found:
        damages = jobs.damages().items()
        usable = [text for one, text in damages if principal.may_use(one) and (wanted is None or one in wanted)]
        raise next((_damaged(principal, text) for text in usable if text), not_found("job_not_found", name))
    if len(found) > 1:
        agents = ", ".join(f"`{view.agent}`" for view in found)
        text = f"The agents {agents} each have a job `{name}`; say which with `?agent=`."
        raise ApiError(409, "ambiguous_job", text, param="agent")
    return found[0]


def usable(snapshot: Snapshot, principal: Principal, name: str | None) -> AgentId:
    """The agent of a new job. Raises ApiError 403 for one that the key may not use, 404 for one that is not there."""
    agent = AgentId(name) if name is not None else snapshot.default_agent
    permit(principal, agent)
    if agent not in snapshot.agents:
        raise not_found("agent_not_found", agent)
    return agent


async def refuse_fields(
    jobs: Jobs, principal: Principal, agent: AgentId, fields: Mapping[str, Any], origin: bool = False
) -> None:
    """Raises ApiError 403 for fields that only admins set: they run programs, or speak in chats (without `deliver`
    that is the `origin`, where the job has one). 400 where the job would read the output of one that is not the
    key's."""
    if principal.admin:
        return
    for name in _ADMINS_FIELDS:
        if fields.get(name):
            raise _admins(name, f"Only a key with `admin: true` may set `{name}`.")
    if "deliver" in fields and _sends(fields["deliver"], origin):
        raise _admins("deliver", "Only a key with `admin: true` may send to chats; `local` keeps the output.")
    wrong = list[JobProblem]()
    for other in fields.get("context_from") or ():
        views = await jobs.find(JobId(other), [agent])
        if not any(may_see(principal, view) for view in views):
            wrong.append(JobProblem(f"There is no job `{other}`.", field="context_from"))
    if wrong:
        raise _bad(BadJob(wrong))


def _sends(deliver: str | Sequence[str] | None, origin: bool) -> bool:
    """Whether something leaves for a chat; without targets that is the `origin`, where there is one."""
    if deliver is None:
        return origin
    return any(not is_local(value) for value in ([deliver] if isinstance(deliver, str) else deliver))


@contextmanager
def refusals(principal: Principal) -> Iterator[None]:
    """Turns what jobs raise into the API's errors. Paths, and other agents, are for admins' eyes."""
    try:
        yield
    except BadJob as error:
        raise _bad(error) from None
    except JobsDamaged as error:
        raise _damaged(principal, str(error)) from None
    except ForeignJobs as error:
        raise ApiError(409, "jobs_off", str(error) if principal.admin else HIDDEN) from None
    except (UnknownJob, JobRunning, JobExists, UnknownAgent) as error:
        raise _plain(error) from None


def _damaged(principal: Principal, text: str) -> ApiError:
    return ApiError(409, "jobs_damaged", text if principal.admin else HIDDEN)


def _plain(error: UnknownJob | JobRunning | JobExists | UnknownAgent) -> ApiError:
    text = str(error)
    match error:
        case UnknownJob():
            return ApiError(404, "job_not_found", text)
        case JobRunning():
            return ApiError(409, "job_running", text)
        case JobExists():
            text = "This Idempotency-Key has made another job, or that was changed since."
            return ApiError(409, "idempotency_conflict", text, param="Idempotency-Key")
        case UnknownAgent():
            return ApiError(403, error.code, text)


def _bad(error: BadJob) -> ApiError:
    problems = [_problem(one) for one in error.problems]
    field = next((one.field for one in error.problems if one.field is not None), None)
    return ApiError(400, "invalid_job", str(error), param=field, more={"problems": problems})


def _problem(one: JobProblem) -> dict[str, Any]:
    return {"message": one.text, "param": one.field}


def _admins(name: str, text: str) -> ApiError:
    return ApiError(403, "admin_required", text, param=name)
