"""When jobs ran, and when they should have: the state of schedules (SPEC 9.1, 9.3).

A slot is a moment at which a job was due. It is claimed in the transaction that stores its input
(`Arrival.slot`), so it runs once however many processes look at the same directory; how it went is told by that
input's turn, which is the only truth about it. Directories are real paths. All times are seconds since the epoch.
Every method may raise StorageFailed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from serai.core.delivery import Delivery
from serai.core.error import SeraiError
from serai.core.event import TurnEnded
from serai.core.ids import AgentId, InputId, JobId, SessionId
from serai.core.target import written
from serai.core.turn import Step

SlotState = Literal["waiting", "running", "ok", "failed", "cancelled", "missed"]


class SlotTaken(SeraiError):
    """This slot was claimed, or recorded as missed, before."""


class JobRunning(SeraiError):
    """An earlier run of the job has not ended; a job never overlaps itself (SPEC 9.3)."""


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot to be claimed. `manual`: somebody asked for the run; it is no slot of the schedule."""

    directory: str
    job: JobId
    at: float
    manual: bool = False


@dataclass(frozen=True, slots=True)
class JobMark:
    """What is remembered of a job. `key` is its schedule with the zone in force, empty while it is disabled; `since`
    is when this key was first seen. Everything up to `decided` is settled. `written` is the schedule with the zone
    that the job itself names, disabled or not; `runs` counts the slots that were claimed since that changed. `owner`
    is the API key that made the job."""

    key: str
    since: float
    decided: float
    runs: int = 0
    owner: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A job that is new, or has another `key` or another way to write its schedule than is remembered (JobMark).

    Where the key is another one, the job's time begins at `since`. `anew`: its runs are counted anew.
    """

    job: JobId
    key: str
    written: str
    since: float
    anew: bool = True


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot and what became of it.

    `missed`: every slot from `at` to `until` was, for the `reason`. Else `reason` is why its run failed. `manual`:
    somebody asked for it. `output` is the name under which its text is kept. `problems` are targets that nothing
    could be sent to. What people are told of how it went is `fault`.
    """

    at: float
    state: SlotState
    manual: bool = False
    until: float | None = None
    reason: str | None = None
    run: InputId | None = None
    agent: AgentId | None = None
    session: SessionId | None = None
    claimed_at: float | None = None
    ended_at: float | None = None
    output: str | None = None
    problems: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()

    @property
    def undelivered(self) -> tuple[str, ...]:
        """Targets that did not get the answer, or perhaps not, each with the reason."""
        failed = [one for one in self.deliveries if one.state in ("dead", "unknown")]
        return (*self.problems, *dict.fromkeys(f"{written(one.target)}: {_why(one)}" for one in failed))

    @property
    def fault(self) -> str | None:
        """What went wrong: why it failed or was missed, and who did not get its answer. None where nothing did."""
        lost = f"not delivered: {'; '.join(self.undelivered)}" if self.undelivered else None
        return "; ".join(filter(None, (self.reason, lost))) or None


def _why(delivery: Delivery) -> str:
    reason = delivery.error or "nobody knows why"
    return reason if delivery.state == "dead" else f"perhaps not, {reason}"


@dataclass(frozen=True, slots=True)
class Active:
    """A run that has not ended. `workdir` is what its job said when it began; `manual`: somebody asked for it."""

    directory: str
    job: JobId
    run: InputId
    agent: AgentId
    workdir: str | None = None
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A run that has ended, and whose output is not in its file yet. `ended` is None where nobody knows how; `script`
    is the step of its script, where it has one."""

    run: InputId
    agent: AgentId
    directory: str
    job: JobId
    at: float
    ended: TurnEnded | None
    script: Step | None = None


class Slots(Protocol):
    """The memory of schedules."""

    async def store_name(self) -> str:
        """Which store this is, the same for ever: what stands in `.owner` (SPEC 9.1)."""
        ...

    async def marks(self, directory: str) -> Mapping[JobId, JobMark]:
        """What is remembered of the directory's jobs."""
        ...

    async def see(self, directory: str, sightings: Sequence[Sighting]) -> None:
        """Jobs of the directory that are new or different; nothing is owed for what was before their time."""
        ...

    async def give(self, directory: str, job: JobId, owner: str, now: float) -> None:
        """A job of that API key's."""
        ...

    async def miss(self, directory: str, job: JobId, first: float, last: float, reason: str, now: float) -> None:
        """Records that all slots from `first` to `last` did not run. One that was claimed stays claimed. What was
        missed under a clock that was set back since (`now` was later than it is) may still be claimed."""
        ...

    async def pass_over(self, directory: str, until: float) -> None:
        """Everything of the directory up to that moment is settled: it was another store's."""
        ...

    async def active(self) -> Sequence[Active]:
        """Runs that have not ended."""
        ...

    async def history(
        self, directory: str, job: JobId, *, limit: int = 50, before: float | None = None
    ) -> Sequence[SlotRow]:
        """A job's slots, the latest first; only those before that moment."""
        ...

    async def run(self, directory: str, job: JobId, run: InputId) -> SlotRow | None:
        """The slot of a run of that job."""
        ...

    async def latest(self, directory: str, jobs: Sequence[JobId]) -> Mapping[JobId, SlotRow]:
        """These jobs' last slots; of their deliveries those alone that are `dead` or `unknown`."""
        ...

    async def left(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[Left]:
        """What ended runs have left, and is not in its file yet; `without` what belongs into these directories."""
        ...

    async def kept(self, run: InputId, output: str) -> None:
        """Notes the file."""
        ...

    async def forget(self, directory: str, job: JobId) -> None:
        """The job was removed: what is remembered of it is not to be found again by another one of its id."""
        ...
