"""Jobs, their runs and what is wrong with them, as people read them (SPEC 9, 11.6).

The command line prints the same with `--json` (SPEC 16.7). Times are seconds since the epoch.
"""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from serai.core.delivery import Delivery, DeliveryState, Target
from serai.core.ids import AgentId
from serai.core.job import JobProblem
from serai.gateway.schedule.view import JobState, JobView
from serai.ports.slots import SlotRow, SlotState


class OriginDocument(Struct):
    """The chat that a job was made in, as the file has it."""

    platform: str
    chat_id: str
    account: str
    thread_id: str | None
    chat_type: str
    user_id: str | None
    agent_id: str | None


class JobDocument(Struct, tag_field="object", tag="job"):
    """A job: the fields of its file, and how it stands.

    `zone` is the time zone in force; `off` says why its agent, or the agent's schedules, are; `owner` is the API key
    that it belongs to, empty where it is nobody's. `next_run_at` is the first of `next_runs`, the next three at most.
    The `last_…` are of its last slot: `last_run_at` is when that began, or would have; `last_error` is why it failed
    or was missed, and who did not get its answer, also where `last_status` is `ok`. `runs` counts since the schedule
    was last changed. `warnings`, where the job was just made or changed, say what of it does not work as everything
    is now.
    """

    id: str
    agent: str
    name: str
    schedule: str
    timezone: str | None
    enabled: bool
    repeat: int | None
    prompt: str
    skills: Sequence[str]
    model: str | None
    script: str | None
    no_agent: bool
    context_from: Sequence[str]
    enabled_toolsets: Sequence[str] | None
    workdir: str | None
    deliver: Sequence[str] | None
    origin: OriginDocument | None
    silent_ok: bool
    zone: str
    state: JobState
    off: str | None
    owner: str
    runs: int
    next_run_at: float | None
    next_runs: Sequence[float]
    last_status: SlotState | None
    last_run_at: float | None
    last_error: str | None
    warnings: Sequence[str] | UnsetType = UNSET


class RunDeliveryDocument(Struct):
    """What became of one target of a run."""

    id: str
    target: Target
    state: DeliveryState
    attempt: int
    remote_id: str | None
    error: str | None


class JobRunDocument(Struct, tag_field="object", tag="job.run"):
    """A slot of a job and what became of it.

    `missed`: every slot from `at` to `until` was, for the `reason`, and it has no `id`; else `reason` is why it
    failed. `manual`: somebody asked for it. `output` names the file that keeps what it has left, `text` is that,
    where one run was asked for. `problems` are targets that nothing could be sent to.
    """

    id: str | None
    job: str
    agent: str
    at: float
    until: float | None
    state: SlotState
    manual: bool
    reason: str | None
    session: str | None
    started_at: float | None
    ended_at: float | None
    output: str | None
    problems: Sequence[str]
    deliveries: Sequence[RunDeliveryDocument]
    text: str | UnsetType | None = UNSET


class JobProblemDocument(Struct, tag_field="object", tag="job.problem"):
    """What is wrong with an agent's jobs: with `job`, an id or a place in the file; else with all of them. What is
    `fatal` keeps it, or them, from running."""

    agent: str
    job: str | None
    message: str
    fatal: bool


def job(view: JobView, *, whole: bool = True, warnings: Sequence[JobProblem] = ()) -> JobDocument:
    """A job; `whole` for those who may know of other agents and of paths. `warnings` are of what was just written."""
    one, last = view.job, view.last
    return JobDocument(
        id=one.id,
        agent=view.agent,
        name=one.name,
        schedule=one.schedule,
        timezone=one.timezone,
        enabled=one.enabled,
        repeat=one.repeat,
        prompt=one.prompt,
        skills=one.skills,
        model=one.model,
        script=one.script,
        no_agent=one.no_agent,
        context_from=one.context_from,
        enabled_toolsets=one.enabled_toolsets,
        workdir=one.workdir,
        deliver=one.deliver,
        origin=_origin(one.origin) if one.origin else None,
        silent_ok=one.silent_ok,
        zone=view.zone,
        state=view.state,
        off=view.off if whole or view.off is None else "an admin sees why",
        owner=view.owner,
        runs=view.runs,
        next_run_at=view.next_at,
        next_runs=view.upcoming,
        last_status=last.state if last else None,
        last_run_at=_began(last) if last else None,
        last_error=last.fault if last else None,
        warnings=[one.text for one in warnings] or UNSET,
    )


def run(view: JobView, row: SlotRow, text: str | UnsetType | None = UNSET) -> JobRunDocument:
    """A slot of that job's; `text` is what it has left, where that is shown."""
    return JobRunDocument(
        row.run,
        view.job.id,
        row.agent or view.agent,
        row.at,
        row.until,
        row.state,
        row.manual,
        row.reason,
        row.session,
        row.claimed_at,
        row.ended_at,
        row.output,
        row.problems,
        [_delivery(one) for one in row.deliveries],
        text,
    )


def problem(agent: AgentId, found: JobProblem) -> JobProblemDocument:
    return JobProblemDocument(agent, found.job, found.text, found.fatal)


def _origin(chat: Target) -> OriginDocument:
    return OriginDocument(
        chat.platform, chat.chat_id, chat.account, chat.thread_id, chat.chat_type, chat.user_id, chat.agent_id
    )


def _began(last: SlotRow) -> float:
    return last.claimed_at if last.claimed_at is not None else last.until or last.at


def _delivery(one: Delivery) -> RunDeliveryDocument:
    return RunDeliveryDocument(one.id, one.target, one.state, one.attempt, one.remote_id, one.error)
