"""Questions to people whether a tool may run (SPEC 6.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.approval import Approval, ApprovalState
from serai.core.delivery import NewDelivery
from serai.core.ids import Account, AgentId, ApprovalId, InputId, LaneId, SessionId
from serai.core.turn import Claim, Fence


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


class Approvals(Protocol):
    """Questions, and their answers."""

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
