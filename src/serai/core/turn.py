"""The states of inputs, turns and steps.

    input   waiting -> claimed -> done | cancelled | failed;   waiting -> refused | cancelled
    turn    running <-> waiting (approval, restart);   either -> done | failed | cancelled
    step    pending -> started -> done | failed | interrupted;   pending -> failed

`failed` of an input mirrors its turn's, so that one look at the input tells its asker how it ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from serai.core.decision import Decision
from serai.core.delivery import Delivery, Target
from serai.core.ids import AgentId, InputId, LaneId, SessionId, TurnId
from serai.core.inbox import described
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message
from serai.core.source import Source

InputState = Literal["waiting", "claimed", "done", "failed", "cancelled", "refused"]
TurnState = Literal["running", "waiting", "done", "failed", "cancelled"]
StepState = Literal["pending", "started", "done", "failed", "interrupted"]
StepKind = Literal["model", "tool", "input", "script"]
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
    """An accepted message. `reply_to` is where its answer goes; None where the asker waits for it (the API).

    `joined` is the step by which it joined a turn that was running (SPEC 6.2); None where the turn began with it.
    `source` is None where nobody wanted it kept.
    """

    id: InputId
    body: InputBody
    decision: Decision
    sender: str
    reply_to: Target | None
    received_at: float
    joined: int | None = None
    source: Source | None = None

    @property
    def message(self) -> Message:
        """What it says to the model, with a line for each file that came with it."""
        message = self.body.message
        if not self.body.attachments:
            return message
        lines = [described(self.id, n, one) for n, one in enumerate(self.body.attachments)]
        return replace(message, text="\n".join([*filter(None, (message.text,)), *lines]))


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded step of a turn, numbered from 1: a model call, a tool call, messages that joined, or a job's
    script, which comes first.

    A tool call is `pending` while it, or one before it, waits for an approval: it has not begun.

    `request` and `result` are JSON documents: for a model step the result is the assistant's message; for a tool
    step the request is the call and the result the text that the model gets; for an input step the result is the
    list of messages.
    """

    n: int
    kind: StepKind
    state: StepState
    call_id: str = ""
    request: bytes = b""
    result: bytes = b""
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What people set for one session (SPEC 6.4): the model's name, and how long it thinks."""

    model: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a running turn is stopped: the message of its task's cancellation. `told`: its people hear of it."""

    reason: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn to run, with everything it needs. `attempt` is 1 for the first run, more after crashes.

    `history` holds the session's messages from number `history_from` (counting from 0) on; what comes before is
    in the caller's cache. `replaced` is the session that was closed for a new one, because it had expired. `told` are
    the deliveries that an earlier attempt has told while it ran, in their order. `stop` says why people have stopped
    it while it waited.
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
    settings: SessionSettings = SessionSettings()
    replaced: SessionId | None = None
    told: tuple[Delivery, ...] = ()
    stop: str | None = None

    @property
    def agent(self) -> AgentId:
        return self.address.agent


def together(inputs: Sequence[Input], *, apart: bool = False) -> tuple[Message, ...]:
    """What several inputs of one place say to the model: pieces of one sender are joined by newline (SPEC 6.1),
    unless they are to stay `apart`; different people's never are."""
    said: list[tuple[str, Message]] = []
    for one in inputs:
        message = one.message
        said.extend((one.sender, earlier) for earlier in one.body.before)
        if said and not apart and said[-1][0] == one.sender and not one.body.before:
            before = said.pop()[1]
            text = "\n".join(filter(None, (before.text, message.text)))
            message = replace(message, text=text, images=before.images + message.images)
        elif one.body.speaker:
            message = replace(message, text=f"{one.body.speaker}: {message.text}")
        said.append((one.sender, message))
    return tuple(message for _, message in said)
