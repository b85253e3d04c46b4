"""What a turn asks of the agent's loop, and whom the loop tells of its steps."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serai.core.approval import Permission
from serai.core.delivery import Target
from serai.core.ids import SessionId, TurnId
from serai.core.message import Message, ToolCall
from serai.core.profile import AgentProfile
from serai.core.turn import Step
from serai.ports.hooks import Moment
from serai.ports.model import OnDelta, ToolSpec
from serai.ports.tool import Tool, ToolContext

Record = Callable[[Sequence[Step], bool], Awaitable[None]]
"""Writes steps; the flag says whether they must surely be on disk before it returns."""

Join = Callable[[int], Awaitable[Sequence[Message]]]
"""Takes what was said meanwhile into the turn, recorded as the step of that number."""

OnTool = Callable[[int, ToolCall, bool | None], None]
"""Told that the call of a step starts (None), and whether it did what was asked when it ends."""

Approve = Callable[[int, ToolCall, str], Awaitable[Permission]]
"""Asks people whether the call of a step may run. Raises Suspended where the turn has to wait for them."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a turn asks of the loop. `context` is everything before the new messages; `new` begins with the user's.

    `steps` are those recorded by an earlier attempt. `join` is asked before each model call but the first for
    messages that came meanwhile (SPEC 6.2). A call of one of `client_tools` ends the turn: the client runs it, and
    its next turn brings the result. `origin` is the chat that is answered, `owner` the API key that asks.
    """

    profile: AgentProfile
    session: SessionId
    turn: TurnId
    context: Sequence[Message]
    new: Sequence[Message]
    tools: Mapping[str, Tool]
    options: Mapping[str, Any]
    record: Record
    steps: Sequence[Step] = ()
    join: Join | None = None
    on_delta: OnDelta | None = None
    on_tool: OnTool | None = None
    client_tools: tuple[ToolSpec, ...] = ()
    approve: Approve | None = None
    origin: Target | None = None
    owner: str = ""

    @property
    def moment(self) -> Moment:
        """Where its hooks are called."""
        return Moment(self.profile.id, self.session, self.turn)

    def context_of(self, call: ToolCall) -> ToolContext:
        return ToolContext(self.profile, self.session, self.turn, call.id, self.origin, self.owner)

    def is_clients(self, call: ToolCall) -> bool:
        """Whether the client is to run a call."""
        return call.name not in self.tools and any(call.name == spec.name for spec in self.client_tools)
