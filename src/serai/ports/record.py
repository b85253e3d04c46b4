"""What the API keeps of runs and responses, so that they can be asked for by their id (SPEC 11.4, 11.5, 11.7).

A record stands beside an input and is stored in the same transaction (`Arrival.record`); everything that happens to
the input is told with it. All times are seconds since the epoch. Every method may raise StorageFailed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from serai.core.approval import Approval
from serai.core.event import TurnEnded
from serai.core.ids import AgentId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.turn import Step

RecordKind = Literal["run", "response"]
RecordState = Literal["queued", "running", "stopping", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What is kept. Only who made the `document` can read it.

    `background`: it goes on with nobody waiting for it, also after a restart; where `most` of those are active, it is
    refused. `fleeting`: nothing of it is to be found once it has ended.
    """

    kind: RecordKind
    document: bytes
    background: bool = False
    most: int | None = None
    fleeting: bool = False


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as it is now. `ended` is set where its state is an end; `turn` is false where no turn ever began."""

    id: InputId
    kind: RecordKind
    owner: str
    agent: AgentId
    session: SessionId
    document: bytes
    background: bool
    created_at: float
    state: RecordState
    turn: bool = False
    ended: TurnEnded | None = None
    started_at: float | None = None
    ended_at: float | None = None


class Records(Protocol):
    """The API's memory. Whose a record is, and who may see it, is the caller's to check."""

    async def find(self, input_id: InputId, kind: RecordKind) -> RecordRow | None:
        """The record of that kind; None for one that is fleeting."""
        ...

    async def active(self) -> Sequence[InputId]:
        """Background records that have not ended."""
        ...

    async def steps(self, input_id: InputId) -> Sequence[Step]:
        """What is recorded of its turn, as long as retention keeps it."""
        ...

    async def approvals(self, input_id: InputId) -> Sequence[Approval]:
        """Everything that people were asked in its turn, whatever came of it."""
        ...

    async def stop(self, input_id: InputId, reason: str, now: float) -> None:
        """Cancels what has not begun; notes on a turn that runs that it is to be stopped, also after a restart."""
        ...

    async def place(self, input_id: InputId) -> tuple[LaneAddress, SessionId] | None:
        """Where what follows an ended record is said: its own session, as long as nothing else was said there since;
        None where that is a new one (`Arrival.follows`)."""
        ...

    async def drop(self, input_id: InputId) -> None:
        """Forgets a record, and with it all that was said, unless something else builds on that. What has not ended
        is forgotten after its end."""
        ...

    async def forget(self, input_id: InputId) -> None:
        """Forgets all of a fleeting record that has ended, unless an Idempotency-Key still stands for its answer."""
        ...
