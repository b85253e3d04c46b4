"""Asking people whether a tool may run (SPEC 6.5).

    open -> once | session | always | deny | expired

An approval belongs to one step of one turn, which waits for it. `session` and `always` also let later calls of the
tool run without asking: in the same session, or for the agent anywhere.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from serai.core.ids import Account, AgentId, ApprovalId, InputId, LaneId, SessionId

ApprovalChoice = Literal["once", "session", "always", "deny"]
ApprovalState = Literal["open", "once", "session", "always", "deny", "expired"]

CHOICES: Final[tuple[ApprovalChoice, ...]] = get_args(ApprovalChoice)

WORDS: Final[dict[ApprovalState, str]] = {
    "open": "waiting",
    "once": "allowed once",
    "session": "allowed for this conversation",
    "always": "always allowed",
    "deny": "denied",
    "expired": "not answered in time",
}
"""Each state for people."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to people, and what came of it. Times are seconds since the epoch.

    `run` is the first message of the turn, `senders` are those whose messages it answers, `waits` says whether the
    turn still needs the answer. `question` completes `May I …?`, `arguments` is JSON. `chat` is where people were
    asked; empty where the caller of the API is asked. `by` is who decided.
    """

    id: ApprovalId
    run: InputId
    agent: AgentId
    lane: LaneId
    session: SessionId
    step: int
    call_id: str
    tool: str
    arguments: str
    question: str
    connection: Account
    chat: str
    senders: frozenset[str]
    created_at: float
    expires_at: float
    waits: bool
    state: ApprovalState = "open"
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a call may run; `reason` is for the model where it may not."""

    given: bool
    reason: str = ""


def button_value(approval: ApprovalId, choice: ApprovalChoice) -> str:
    """What a button under the question stands for."""
    return f"approval:{approval}:{choice}"


def button_command(value: str) -> str | None:
    """What may be typed instead of pressing a button of that value.

    >>> button_command("approval:K7M2PQ9X:session")
    '/approve K7M2PQ9X session'
    """
    meant = parse_button(value)
    if meant is None:
        return None
    return f"/deny {meant[0]}" if meant[1] == "deny" else f"/approve {meant[0]} {meant[1]}"


def parse_button(value: str) -> tuple[ApprovalId, ApprovalChoice] | None:
    """The approval and the choice of a pressed button; None for any other button.

    >>> parse_button("approval:K7M2PQ9X:deny")
    ('K7M2PQ9X', 'deny')
    """
    kind, _, rest = value.partition(":")
    name, _, word = rest.partition(":")
    choice = next((one for one in CHOICES if one == word), None)
    return (ApprovalId(name), choice) if kind == "approval" and name and choice is not None else None
