"""What comes in: is it known, and whose is it; then it is stored, surely on disk (SPEC 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from serai.core.call_id import own_ids
from serai.core.decision import Decision
from serai.core.delivery import Target
from serai.core.error import SeraiError
from serai.core.event import TurnEnded
from serai.core.ids import Account, AgentId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message, Revision
from serai.core.source import Source
from serai.core.turn import Claim
from serai.ports.record import NewRecord
from serai.ports.slots import NewSlot
from serai.ports.store.claim import ClaimOffer

IDEMPOTENCY_SECONDS: Final = 24 * 3600.0
"""How long an Idempotency-Key is remembered (SPEC 11.7)."""


class SessionTaken(SeraiError):
    """The session id belongs to another key, or to another agent (SPEC 16.7)."""


class IdempotencyConflict(SeraiError):
    """The same Idempotency-Key came with another body (SPEC 11.7)."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's promise that a request with this key is the same request. Digests are hex text."""

    principal: str
    key: str
    route_digest: str
    body_digest: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request that began no turn was answered, kept for its repeats."""

    request: Idempotency
    answer: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with everything that was decided about it, ready to be stored.

    `dedupe_key` None: it came once for sure (an HTTP call without Idempotency-Key). `alone`: the lane is made for
    this input and no other. `session` is the id of the session that is joined or opened, owned by `owner` and the
    lane's agent. `survives` says whether a restart goes on with it (chats, idempotent calls) or cancels it (an API
    call whose caller is gone with it). `joins`: it may share a turn with others that were said in the same place.
    `source` is kept with it where it is given. `record` is kept with it for those who ask for it later. It goes on
    behind the ended one that it `follows`: in the same session where nothing was said since, else in one of its own
    with what was said up to there. `conversation` is the one whose session it joins. With a `slot`, that one is
    claimed for it, and it has a new session. `dropped` says why no turn will take it: then it is stored as cancelled,
    without its body, so that a second copy is known.
    """

    input_id: InputId
    address: LaneAddress
    connection: Account
    dedupe_key: str | None
    sender: str
    body: InputBody
    decision: Decision
    now: float
    due_at: float
    reply_to: Target | None = None
    session: SessionId | None = None
    owner: str = ""
    idempotency: Idempotency | None = None
    survives: bool = True
    alone: bool = False
    joins: bool = False
    source: Source | None = None
    dropped: str | None = None
    record: NewRecord | None = None
    follows: InputId | None = None
    conversation: str | None = None
    slot: NewSlot | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The stored message's id and lane. `duplicate`: it had been stored before, at `received_at`, and nothing was
    written now.

    `claim` is the turn that began with it, where an offer was made and the lane was idle. `behind`: a turn was
    running or waiting in its lane. `waiting` counts the messages that wait there, this one too.
    """

    input_id: InputId
    lane: LaneId
    agent: AgentId
    received_at: float = 0.0
    duplicate: bool = False
    claim: Claim | None = None
    behind: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """To whom a stored session belongs (SPEC 11.7)."""

    owner: str
    agent: AgentId


@dataclass(frozen=True, slots=True)
class Exchange:
    """An input, and what its turn has added to the session's history."""

    body: InputBody
    messages: tuple[Message, ...]

    def answered(self) -> tuple[Message, ...]:
        """What came after the input's own messages."""
        places = range(len(self.body.before), len(self.messages))
        last = own_ids(self.body.message)
        asked = next((n for n in places if self.messages[n] == last), len(self.messages))
        return self.messages[asked + 1 :]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows about a message before it is routed: its first copy, the chat's binding, and whether its
    sender was admitted by a pairing code."""

    input_id: InputId | None
    binding: AgentId | None
    admitted: bool = False


@dataclass(frozen=True, slots=True)
class Refusals:
    """Inputs that were refused, and the places that are told so."""

    inputs: Sequence[InputId] = ()
    told: Sequence[Target] = ()


class Arrivals(Protocol):
    """Messages on their way in."""

    async def look(self, connection: Account, dedupe_key: str, chat: str, user: str = "") -> Known:
        """What is known before routing."""
        ...

    async def idempotent(self, wanted: Idempotency, now: float) -> Accepted | None:
        """The input that a repeated request stands for, while its record is kept. Raises IdempotencyConflict."""
        ...

    async def holder(self, session: SessionId) -> Holder | None:
        """Whose session this is; None where there is none of that id."""
        ...

    async def exchange(self, input_id: InputId, owner: str, agent: AgentId) -> Exchange | None:
        """What was said in the turn of an API call; None where there is no such call of that key and agent."""
        ...

    async def accept(self, arrival: Arrival, offer: ClaimOffer | None = None) -> Accepted:
        """Stores a message; with an `offer`, begins its turn at once where the lane is idle.

        Raises Busy (lane full), SessionTaken, IdempotencyConflict; SlotTaken, JobRunning."""
        ...

    async def cancel(self, input_id: InputId, reason: str) -> bool:
        """Cancels an input whose turn has not started. Returns whether it did."""
        ...

    async def refuse(self, agent: AgentId, reason: str, text: str, now: float) -> Refusals:
        """Refuses every input of the agent whose turn has not started; their chats get `text`, once each. A repeated
        request with the Idempotency-Key of one of them is a new one: nothing was done for it."""
        ...

    async def outcome(self, input_id: InputId) -> TurnEnded | None:
        """How the input's turn ended; None while it has not. Raises KeyError for an unknown input."""
        ...

    async def revise(self, revision: Revision) -> bool:
        """Changes or cancels a message whose turn has not begun (SPEC 6.8). Returns whether it did."""
        ...
