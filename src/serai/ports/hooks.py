"""Asking plugins (SPEC 8). Each method is the hook of its name; `serai.plugin` says what it means to a plugin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from serai.core.approval import ApprovalState
from serai.core.delivery import Delivery, DeliveryState
from serai.core.ids import AgentId, ApprovalId, SessionId, TurnId
from serai.core.message import Message, Usage
from serai.core.source import Source
from serai.core.turn import TurnEnd

HookName = Literal[
    "select_agent",
    "pre_gateway_dispatch",
    "on_session_start",
    "on_session_end",
    "on_session_finalize",
    "on_session_reset",
    "pre_llm_call",
    "post_llm_call",
    "pre_tool_call",
    "post_tool_call",
    "transform_tool_result",
    "transform_llm_output",
    "pre_approval_request",
    "post_approval_response",
    "on_delivery",
]
"""The hooks that are called."""

ToolStatus = Literal["done", "failed", "blocked"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A plugin's choice of an agent."""

    agent: str
    plugin: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A plugin dropped the message."""

    plugin: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """A plugin keeps a tool from running; the model is told `reason`."""

    plugin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in whose work a hook of the agent's loop is called."""

    agent: AgentId
    session: SessionId
    turn: TurnId


class Hooks(Protocol):
    """The enabled plugins, asked in their configured order. A hook that raises or overruns is logged and skipped.

    Everything but `select_agent` is asked while the agent's profile is bound (`ports.binding`). `used` is for callers
    on the path of every turn: a hook that is not in it need not be asked.
    """

    @property
    def used(self) -> frozenset[HookName]:
        """The hooks that any plugin implements."""
        ...

    async def select_agent(self, source: Source, route_match: str | None) -> Choice | None:
        """The first non-blank text, trimmed, or None (SPEC 4.4)."""
        ...

    async def pre_gateway_dispatch(self, agent: AgentId, source: Source, text: str) -> str | Dropped:
        """The text that the plugins leave."""
        ...

    async def on_session_start(self, agent: AgentId, session: SessionId, source: Source) -> None: ...

    async def on_session_end(self, agent: AgentId, session: SessionId, turn: TurnId, outcome: TurnEnd) -> None: ...

    async def on_session_finalize(self, agent: AgentId, session: SessionId, reason: str) -> None: ...

    async def on_session_reset(self, agent: AgentId, session: SessionId, old: SessionId) -> None: ...

    async def pre_llm_call(self, at: Moment, model: str, messages: Sequence[Message]) -> Sequence[str]:
        """The texts to be added to the turn."""
        ...

    async def post_llm_call(self, at: Moment, model: str, text: str, usage: Usage) -> None: ...

    async def pre_tool_call(self, at: Moment, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | Blocked:
        """The arguments that the plugins leave: surely a JSON object."""
        ...

    async def post_tool_call(
        self,
        at: Moment,
        tool: str,
        arguments: Mapping[str, Any],
        result: str,
        status: ToolStatus,
        seconds: float,
    ) -> None: ...

    async def transform_tool_result(
        self, agent: AgentId, tool: str, arguments: Mapping[str, Any], result: str
    ) -> str:
        """The result that the plugins leave."""
        ...

    async def transform_llm_output(self, agent: AgentId, session: SessionId, text: str) -> str:
        """The answer that the plugins leave."""
        ...

    async def pre_approval_request(
        self, agent: AgentId, session: SessionId, approval: ApprovalId, tool: str, arguments: Mapping[str, Any]
    ) -> None: ...

    async def post_approval_response(
        self, agent: AgentId, session: SessionId, approval: ApprovalId, choice: ApprovalState, by: str | None
    ) -> None: ...

    async def on_delivery(self, delivery: Delivery, state: DeliveryState) -> None: ...
