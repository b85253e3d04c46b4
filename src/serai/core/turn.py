"""The states of inputs, turns and steps.

    input   waiting -> claimed -> done | cancelled | failed;   waiting -> refused | cancelled
    turn    running <-> waiting (back-off, restart);   either -> done | failed | cancelled
    step    started -> done | failed | interrupted

`failed` of an input mirrors its turn's, so that one look at the input tells its asker how it ended.
"""

from dataclasses import dataclass
from typing import Literal

from serai.core.decision import Decision
from serai.core.delivery import Target
from serai.core.ids import AgentId, InputId, LaneId, SessionId, TurnId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message

InputState = Literal["waiting", "claimed", "done", "failed", "cancelled", "refused"]
TurnState = Literal["running", "waiting", "done", "failed", "cancelled"]
StepState = Literal["started", "done", "failed", "interrupted"]
StepKind = Literal["model", "tool"]
TurnEnd = Literal["done", "failed", "cancelled"]

DEATHS_MOST = 3
"""A turn that dies this often is failed (SPEC 5.3)."""

WAITING_MOST = 100
"""Messages that may wait in one lane (SPEC 5.8)."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write for a turn. A later claim of the same turn has another token, which voids this one."""

    turn: TurnId
    token: str


@dataclass(frozen=True, slots=True)
class Input:
    """An accepted message. `reply_to` is where its answer goes; None where the asker waits for it (the API)."""

    id: InputId
    body: InputBody
    decision: Decision
    sender: str
    reply_to: Target | None
    received_at: float


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded step of a turn: a model call or a tool call, numbered from 1.

    `request` and `result` are JSON documents: for a model step the result is the assistant's message; for a tool
    step the request is the call and the result the text that the model gets.
    """

    n: int
    kind: StepKind
    state: StepState
    call_id: str = ""
    request: bytes = b""
    result: bytes = b""
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn to run, with everything it needs. `attempt` is 1 for the first run, more after crashes.

    `history` holds the session's messages from number `history_from` (counting from 0) on; what comes before is
    in the caller's cache.
    """

    fence: Fence
    lane: LaneId
    address: LaneAddress
    session: SessionId
    session_is_new: bool
    prompt: str
    inputs: tuple[Input, ...]
    history: tuple[Message, ...]
    history_from: int
    steps: tuple[Step, ...]
    attempt: int

    @property
    def agent(self) -> AgentId:
        return self.address.agent
