"""Something an agent can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from serai.core.delivery import Enclosure, Target
from serai.core.ids import SessionId, TurnId
from serai.core.profile import AgentProfile
from serai.ports.model import ToolSpec


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool runs. `call_id` is the same again when an idempotent call is repeated after a crash. `origin`
    is the chat that the turn answers; None where it answers none. `owner` is the API key that asks, else blank."""

    profile: AgentProfile
    session: SessionId
    turn: TurnId
    call_id: str
    origin: Target | None = None
    owner: str = ""


class Tool(Protocol):
    """One tool of a toolset. `idempotent` tools may be repeated after an interruption (SPEC 5.3)."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def idempotent(self) -> bool: ...

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        """Does it and returns the text for the model. Raises ToolFailed with a sentence that the model can act on."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A tool that needs people's approval (SPEC 6.5)."""

    def question(self, arguments: Mapping[str, Any]) -> str | None:
        """What they are asked, completing `May I …?`; None where these arguments need no approval."""
        ...


@runtime_checkable
class Enclosing(Protocol):
    """A tool whose calls send a file along with the turn's answer (SPEC 6.8)."""

    def enclosure(self, context: ToolContext, arguments: Mapping[str, Any]) -> Enclosure | None:
        """The file of a call that was done, the same each time; None where it is gone."""
        ...


class Toolbox(Protocol):
    """All toolsets of the process."""

    def names(self) -> Sequence[str]:
        """The toolsets that exist."""
        ...

    def tools(self, profile: AgentProfile) -> Mapping[str, Tool]:
        """The tools that this agent may use, by name."""
        ...
