"""A command as it was typed in its chat, and what it comes to (SPEC 6.4)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from serai.core.command import Command
from serai.core.decision import Decision, Reason
from serai.core.delivery import Target
from serai.core.ids import AgentId
from serai.core.lane import LaneAddress
from serai.core.message import Inbound
from serai.gateway.approval.approvals import Found
from serai.ports.store.order import Effect

_WHY: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        "stamped": "you named it",
        "hook": "a plugin chose it",
        "binding": "chosen with /agent",
        "route": "by a route",
        "default": "the default",
    }
)

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
    def why(self) -> str:
        """The reason for which this agent answers, for people in a chat."""
        return _WHY[self.decision.reason]

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
