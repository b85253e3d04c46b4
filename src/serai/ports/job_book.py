"""An agent's jobs for those who make them: people in chats, and the agent's own tools (SPEC 6.4, 7.4)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from serai.core.delivery import Target
from serai.core.ids import AgentId, JobId
from serai.core.instant import written_moment
from serai.core.job import Job
from serai.ports.slots import SlotRow

JobState = Literal["scheduled", "waiting", "running", "paused", "done", "off"]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as people see it. `waiting`: due, until a place is free; `off`: its agent, or that one's schedules, are,
    for the reason `off`; `done`: it runs no more. `owner` is the API key that made it. `upcoming` are its next slots,
    three at most; `runs` counts since its schedule was last changed. Moments are seconds since the epoch."""

    agent: AgentId
    job: Job
    zone: str
    state: JobState
    next_at: float | None = None
    last: SlotRow | None = None
    off: str | None = None
    owner: str = ""
    upcoming: tuple[float, ...] = ()
    runs: int = 0

    def is_of(self, chat: Target | None, owner: str = "") -> bool:
        """Whether it was made in that chat; without one, whether it was made in no chat, and is that API key's."""
        origin = self.job.origin
        if chat is None:
            return origin is None and self.owner == owner
        return origin is not None and origin.place == chat.place

    @property
    def standing(self) -> str:
        """Where it stands, in words."""
        match self.state:
            case "scheduled" if self.next_at is not None:
                return f"next {written_moment(self.next_at, self.zone)}"
            case "running":
                return "running now"
            case "waiting":
                return "due, until a place is free"
            case "off":
                return f"off, because {self.off}" if self.off else "off"
            case state:
                return state

    @property
    def trouble(self) -> str | None:
        """How its last run went wrong, in words; None where it did not. One whose answer was not delivered did."""
        last = self.last
        if last is None or (last.state not in ("failed", "missed", "cancelled") and last.fault is None):
            return None
        moment = last.at if last.until is None else last.until
        what = {"missed": "missed", "ok": "last run"}.get(last.state, f"last run {last.state}")
        reason = " ".join((last.fault or "").split())
        return f"{what} {written_moment(moment, self.zone)}{f': {reason}' if reason else ''}"


class JobBook(Protocol):
    """The jobs of agents, each in its own directory. Who may do what is the caller's to check.

    What writes raises UnknownAgent, ForeignJobs, BadJob, JobsDamaged, StorageFailed.
    """

    def now(self) -> str:
        """What a clock in the gateway's zone shows now, with the zone: agents do not know it otherwise."""
        ...

    async def all(self, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        """The jobs of these agents, or of all, in the order of agents and files."""
        ...

    async def one(self, agent: AgentId, job: JobId) -> JobView:
        """A job. Raises UnknownJob."""
        ...

    async def add(
        self, agent: AgentId, fields: Mapping[str, Any], owner: str = "", *, wanted: JobId | None = None
    ) -> JobView:
        """A new job, of the `wanted` id where one is given. The same job again is found, not made twice; raises
        JobExists where another one has the id."""
        ...

    async def change(self, agent: AgentId, job: JobId, fields: Mapping[str, Any]) -> JobView:
        """Sets fields of a job; None takes one away. Raises UnknownJob, too."""
        ...

    async def remove(self, agent: AgentId, job: JobId) -> None:
        """Takes a job away; a run that is under way goes on. Raises UnknownJob, too."""
        ...
