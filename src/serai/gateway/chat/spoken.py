"""A command as it was typed in its chat, and what it comes to (SPEC 6.4)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from serai.core.command import Command
from serai.core.decision import Decision
from serai.core.delivery import Target
from serai.core.ids import AgentId
from serai.core.lane import LaneAddress
from serai.core.message import Inbound
from serai.gateway.approval.approvals import Found
from serai.ports.store.order import Effect

ADMINS_ONLY: Final = "Only an admin may do that. (`admins` in config.yaml lists them.)"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command in its chat: who would answer here, and where."""

    command: Command
    inbound: Inbound
    decision: Decision
    address: LaneAddress
    target: Target
    binding: AgentId | None

    @property
    def key(self) -> str:
        """Which message it is, the same for every copy: what it does beside the store is done once for this key."""
        return f"{self.inbound.source.connection}\n{self.inbound.dedupe_key}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers, and what it does. `answered` is the approval that it decides."""

    text: str
    effect: Effect = None
    answered: Found | None = None


Action = Callable[[Spoken], Awaitable[Reply]]
