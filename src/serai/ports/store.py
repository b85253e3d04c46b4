"""Where truth is kept: one interface, every write one transaction (DESIGN 3).

    accept    lane + input (+ session, + idempotency)                       surely on disk
    claim     turn + its inputs, new token
    record    fenced: steps started or ended                                surely on disk where a tool starts
    finish    fenced: turn, inputs, messages, deliveries                    surely on disk
    deliver   deliveries that no turn made                                  surely on disk
    send      next_delivery: sending, surely on disk; settle: how it went

All times are seconds since the epoch. Every method may raise StorageFailed; then nothing of it was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from serai.core.approval import Approval, ApprovalState
from serai.core.call_id import own_ids
from serai.core.cursor import Cursor
from serai.core.decision import Decision
from serai.core.delivery import Delivery, DeliveryState, NewDelivery, Sealed, Target
from serai.core.error import SeraiError
from serai.core.event import TurnEnded
from serai.core.ids import Account, AgentId, ApprovalId, DeliveryId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message, Revision, Usage
from serai.core.source import Source
from serai.core.turn import Claim, Fence, Input, SessionSettings, Step
from serai.ports.home_chat import SetHomeChat
from serai.ports.record import NewRecord
from serai.ports.slots import NewSlot


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
class ClaimOffer:
    """What a worker offers for the next turn of a lane.

    `new_session` and `prompt` are used where a session has to be opened; one whose last activity is before
    `reset_before` is closed first. `known` messages of session `known_session` are in the worker's cache. At most
    `max_pieces` that came quickly are one turn.
    """

    token: str
    now: float
    new_session: SessionId
    prompt: str
    reset_before: float = float("-inf")
    known_session: SessionId | None = None
    known: int = 0
    config: str = ""
    max_pieces: int = 8


@dataclass(frozen=True, slots=True)
class Said:
    """A text that an agent says in a chat of its own accord: it joins that chat's history (SPEC 9.4).

    `address` is the lane of the chat; where people have lanes of their own there, all of them hear it. A session that
    has not been used since `reset_before` has expired: the text opens `new_session`.
    """

    address: LaneAddress
    text: str
    new_session: SessionId
    reset_before: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a turn: what becomes true at once. `sealed` are the final texts of what was told while it ran.

    `said` joins the histories of other chats. `closes`: the session ends with it. `problems` are targets of a job's
    run that nothing can be sent to.
    """

    ended: TurnEnded
    messages: Sequence[Message] = ()
    deliveries: Sequence[NewDelivery] = ()
    steps: Sequence[Step] = ()
    sealed: Sequence[Sealed] = ()
    said: Sequence[Said] = ()
    closes: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """`more`: the lane has inputs that wait. `messages` is how many the session has now."""

    more: bool
    messages: int


@dataclass(frozen=True, slots=True)
class NextDelivery:
    """What to do for a chat: send `delivery`; or come back at `due_at`; or nothing, when both are None.

    `held` counts earlier deliveries of the chat whose outcome is unknown and was not announced yet; taking the
    delivery marks them announced.
    """

    delivery: Delivery | None = None
    due_at: float | None = None
    held: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a send went. `due_at` is the next try of a delivery that goes back to `new`; with `anew`, under that id, as
    another message."""

    state: DeliveryState
    remote_id: str | None = None
    error: str | None = None
    due_at: float = 0.0
    anew: DeliveryId | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a start-up finds to be done: lanes with work, and chats with deliveries."""

    lanes: Sequence[tuple[AgentId, LaneId]]
    chats: Sequence[tuple[Account, str]]


@dataclass(frozen=True, slots=True)
class Reset:
    """Closes the lane's session, opens a fresh one, and has the turn stopped. What waits becomes one turn there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bind:
    """Binds a chat to an agent; None removes the binding (SPEC 6.6)."""

    chat: str
    agent: AgentId | None


@dataclass(frozen=True, slots=True)
class Entitle:
    """Names the lane's session."""

    title: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """Sets what people choose for the lane's session."""

    settings: SessionSettings


@dataclass(frozen=True, slots=True)
class Undo:
    """Takes the last turn out of the history of the lane's session."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Makes all deliveries of a chat new again whose outcome is unknown."""

    chat: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer to an approval. `outcome` is what the message that asked is to say now, without its buttons; None
    where it cannot be changed."""

    approval: ApprovalId
    choice: ApprovalState
    by: str
    now: float
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Revoke:
    """Takes back that a tool of the agent may always run."""

    agent: AgentId
    tool: str


@dataclass(frozen=True, slots=True)
class NewApproval:
    """A question to people, with the deliveries that ask it; the last one has the buttons. A caller of the API needs
    none."""

    id: ApprovalId
    session: SessionId
    step: int
    call_id: str
    tool: str
    arguments: str
    question: str
    expires_at: float
    deliveries: Sequence[NewDelivery] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about a call that needs an approval: the one that was asked for, and whether none is needed,
    because the tool was allowed before."""

    approval: Approval | None = None
    allowed: bool = False


Effect = Reset | Bind | Entitle | Adjust | Undo | Resend | Verdict | Revoke | SetHomeChat | None


@dataclass(frozen=True, slots=True)
class Order:
    """A command that a person typed, with what it does and what is answered: all true at once (SPEC 6.3)."""

    connection: Account
    dedupe_key: str
    sender: str
    text: str
    now: float
    address: LaneAddress
    effect: Effect
    new_session: SessionId
    deliveries: Sequence[NewDelivery] = ()


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of an order. `closed` is the session that it closed, `lane` the one that it was about.

    Where it closed one, `Order.new_session` took its place.
    """

    duplicate: bool = False
    lane: LaneId | None = None
    closed: SessionId | None = None


@dataclass(frozen=True, slots=True)
class LaneView:
    """A conversation as its people may see it. `busy_since` is when its turn began, None while there is none."""

    lane: LaneId
    session: SessionId | None
    title: str | None
    settings: SessionSettings
    messages: int
    busy_since: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """An unknown person in a direct chat, and the code that may admit them (SPEC 6.7)."""

    connection: Account
    user: str
    name: str
    code: str
    now: float
    expires_at: float
    delivery: NewDelivery


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was admitted, or asks to be: then with a code, valid until `expires_at`."""

    connection: Account
    user: str
    name: str
    since: float
    code: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """Inputs that were refused, and the places that are told so."""

    inputs: Sequence[InputId] = ()
    told: Sequence[Target] = ()


@dataclass(frozen=True, slots=True)
class Fork:
    """A copy of a session's history as a new session `new` of the same agent, in the lane `address`."""

    of: SessionId
    new: SessionId
    address: LaneAddress
    owner: str
    now: float
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a session: the inputs that were under way in it, which end as cancelled."""

    lane: LaneId
    address: LaneAddress
    inputs: Sequence[InputId]


class Store(Protocol):
    """The gateway's truth. One implementation per database; all pass `serai.testing.StoreContract`."""

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

    async def claim(self, lane: LaneId, offer: ClaimOffer) -> Claim | None:
        """The lane's next turn, or None when nothing is due, or another worker has it.

        Pieces that one sender sent quickly are one turn, and so are all messages that came behind another turn
        (SPEC 6.1, 6.2), each where `Arrival.joins`.
        """
        ...

    async def due(self, lane: LaneId, offer: ClaimOffer) -> float | None:
        """When a lane that has no turn under way is worth a claim; None where nothing waits in it."""
        ...

    async def join(self, fence: Fence, n: int) -> Sequence[Input]:
        """Takes what waits in the turn's own place into the running turn, as its step `n` (SPEC 6.2).

        Raises Fenced.
        """
        ...

    async def record(self, fence: Fence, steps: Sequence[Step], *, sync: bool) -> None:
        """Writes steps by their number, new or changed. `sync`: surely on disk before it returns. Raises Fenced."""
        ...

    async def tell(self, fence: Fence, new: NewDelivery, call: int, now: float, *, grows: bool) -> None:
        """Stores something that is told while the turn runs its model call of that number: an answer that `grows`,
        in state `open`, or a part of one to be sent, in state `new`. Surely on disk before it returns. Raises Fenced.
        """
        ...

    async def placed(self, fence: Fence, delivery: DeliveryId, remote_id: str) -> None:
        """Notes the platform's id of an open delivery. Raises Fenced."""
        ...

    async def seal(self, fence: Fence, sealed: Sealed, now: float) -> None:
        """Gives an open delivery its final text, to be sent: state `new`. Raises Fenced."""
        ...

    async def standing(self, claim: Claim, step: int, tool: str) -> Standing:
        """What is known about a call of a turn that needs an approval."""
        ...

    async def suspend(self, fence: Fence, new: NewApproval, now: float) -> None:
        """Stores a question with the deliveries that ask it, and gives the turn back until it is answered or its time
        is over. Surely on disk before it returns. Raises Fenced."""
        ...

    async def approval(self, name: ApprovalId) -> Approval | None:
        """An approval, whatever its state."""
        ...

    async def approvals(
        self, *, chat: tuple[Account, str] | None = None, run: InputId | None = None
    ) -> Sequence[Approval]:
        """The open approvals of turns that wait, oldest first: those asked for in a chat, or by one run."""
        ...

    async def decide(self, verdict: Verdict) -> bool:
        """Answers an approval: its turn goes on at once. False where it is not open any more."""
        ...

    async def allowances(self, agent: AgentId) -> Sequence[str]:
        """The tools that may always run, by name."""
        ...

    async def stop_waiting(
        self, reason: str, now: float, *, lane: LaneId | None = None, run: InputId | None = None
    ) -> tuple[AgentId, LaneId] | None:
        """Stops the turn that waits in a lane, or with an input: its next claim says so. None where none waits."""
        ...

    async def release(self, fence: Fence, due_at: float) -> None:
        """Gives a turn back to be run later; it does not count as a death, but its started tool calls that are not
        idempotent are interrupted. Raises Fenced."""
        ...

    async def finish(self, fence: Fence, finish: Finish, now: float) -> Finished:
        """Ends a turn. Raises Fenced, and then nothing was written."""
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

    async def deliver(self, deliveries: Sequence[NewDelivery], now: float) -> None:
        """Stores what is to be sent and answers nothing: all of it, surely on disk, or none."""
        ...

    async def next_delivery(self, connection: Account, chat: str, now: float) -> NextDelivery:
        """Takes the oldest unsent delivery of a chat, in state `sending`, attempt counted. Order is kept per chat."""
        ...

    async def settle(self, delivery: Delivery, settlement: Settlement) -> bool:
        """Records how an attempt went. False where the delivery has moved on since (another attempt, an operator)."""
        ...

    async def retry(self, delivery_id: DeliveryId, now: float) -> Delivery | None:
        """Makes an `unknown` or `dead` delivery `new` again; None for any other state."""
        ...

    async def order(self, order: Order) -> Ordered:
        """Records a command, does what it does and stores what is answered."""
        ...

    async def view(self, address: LaneAddress) -> LaneView | None:
        """How a conversation is; None where there is none yet."""
        ...

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        """Names a session, or takes its name away. False where there is none."""
        ...

    async def fork(self, fork: Fork) -> bool:
        """Copies a session. False where there is none. Raises SessionTaken where there is one of the new id."""
        ...

    async def erase(self, session: SessionId, reason: str, now: float) -> Erased | None:
        """Deletes a session and what was said in it; what is under way in it is cancelled by `reason`. What turns
        took stays counted, and copies of its messages stay known. None where there is no such session."""
        ...

    async def spent(self, session: SessionId) -> Usage:
        """The tokens of all turns of a session."""
        ...

    async def revise(self, revision: Revision) -> bool:
        """Changes or cancels a message whose turn has not begun (SPEC 6.8). Returns whether it did."""
        ...

    async def knock(self, stranger: Stranger) -> bool:
        """Stores a code and the delivery that tells it; False where a code of this person is still valid."""
        ...

    async def people(self, now: float) -> Sequence[Person]:
        """Everybody who was admitted, and everybody whose code is still valid."""
        ...

    async def admit(self, code: str, now: float) -> Person | None:
        """Admits the person with that code; None where there is none, or it has expired."""
        ...

    async def expel(self, connection: Account, user: str) -> bool:
        """Takes an admission back. Returns whether there was one."""
        ...

    async def owes(self, connection: Account) -> bool:
        """Whether something that came through a connection is unanswered, or something is to be sent through it."""
        ...

    async def stop_agent(self, agent: AgentId, now: float) -> None:
        """Notes that the agent is stopped, until `start_agent`."""
        ...

    async def start_agent(self, agent: AgentId) -> None: ...

    async def stopped(self) -> frozenset[AgentId]:
        """The agents that are stopped (SPEC 7.6)."""
        ...

    async def recover(self, repeatable: frozenset[str], now: float) -> Unfinished:
        """After a start: voids the tokens of turns that were running (attempt + 1), marks their started tool calls
        that are not idempotent as interrupted, cancels inputs that do not survive, and puts deliveries that were
        being sent back to `new` for the platforms in `repeatable`, else to `unknown`."""
        ...

    async def unfinished(self, now: float) -> Unfinished:
        """What a sweep should wake: due inputs, waiting turns and due deliveries."""
        ...

    async def prune(self, dedupe_before: float, step_before: float, now: float) -> int:
        """Forgets dedupe keys, steps and expired idempotency records; returns how many rows went."""
        ...

    async def close(self) -> None: ...


SessionState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as people see it in lists. `key` is the session key (SPEC 3.3)."""

    id: SessionId
    key: str
    agent: AgentId
    platform: str
    state: SessionState
    messages: int
    opened_at: float
    last_at: float
    title: str | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list holds; None is any."""

    agents: frozenset[AgentId] | None = None
    owner: str | None = None
    platform: str | None = None
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list holds; None is any."""

    agent: AgentId | None = None
    platform: str | None = None
    state: DeliveryState | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of a session's history."""

    n: int
    message: Message
    created_at: float


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search has found, and the session that it stands in."""

    session: SessionId
    key: str
    agent: AgentId
    row: MessageRow


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one agent's turns with one model took on one day (`2026-11-22`, in this machine's zone).

    `model` is empty for turns that ended without an answer: those count, their tokens are not known.
    """

    day: str
    agent: AgentId
    model: str
    turns: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, for status and metrics."""

    lanes: int
    sessions: int
    inputs_waiting: int
    turns_active: int
    deliveries: dict[str, int]


ANY_SESSION: Final = SessionFilter()
ANY_DELIVERY: Final = DeliveryFilter()


class Archive(Protocol):
    """Reading for people: CLI, API, dashboard. Never on the path of a turn."""

    async def sessions(
        self, wanted: SessionFilter = ANY_SESSION, *, limit: int = 50, before: Cursor | None = None
    ) -> Sequence[SessionRow]:
        """Newest activity first; only what comes behind `before`."""
        ...

    async def session(self, name: str) -> SessionRow | None:
        """By id, or by session key: then the open session of that key, else the latest."""
        ...

    async def messages(
        self, session: SessionId, *, after: int = -1, limit: int | None = None
    ) -> Sequence[MessageRow]:
        """In order; only those whose number is above `after`, and at most `limit`."""
        ...

    async def search(self, words: Sequence[str], *, agent: AgentId | None = None, limit: int = 50) -> Sequence[Found]:
        """Messages in which all `words` occur, in any case and order; newest first."""
        ...

    async def usage(self, *, since: float, agents: frozenset[AgentId] | None = None) -> Sequence[UsageRow]:
        """Turns that ended at `since` or later, in seconds since the epoch; latest day first. `agents` None: all."""
        ...

    async def deliveries(
        self, wanted: DeliveryFilter = ANY_DELIVERY, *, limit: int = 50, before: DeliveryId | None = None
    ) -> Sequence[Delivery]:
        """Newest first; only what is older than `before`, and nothing where that one is not known."""
        ...

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """One of them; None where there is none of that id."""
        ...

    async def counts(self) -> Counts: ...

    async def stopped(self) -> frozenset[AgentId]:
        """As `Store.stopped`."""
        ...
