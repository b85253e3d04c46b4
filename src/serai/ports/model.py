"""A language model that can be called (DESIGN: `ports.Model`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from serai.core.ids import AgentId
from serai.core.message import Message, Usage
from serai.core.profile import Endpoint

OnDelta = Callable[[str], None]


@runtime_checkable
class Restartable(Protocol):
    """Somebody who is told an answer as it is written, and can take back what they were told."""

    def __call__(self, text: str) -> None: ...

    def restart(self) -> None:
        """What was told is void: the answer begins anew."""
        ...


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. `parameters` is a JSON Schema object; `strict`: the model is held to it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. `agent` says whose key may be used; `options` are sampling settings of the OpenAI shape.

    `tools` are the agent's own, the same tuple for the same set; `client_tools` are offered beside them.
    """

    agent: AgentId
    endpoint: Endpoint
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    client_tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What came back, complete. `finish_reason` is stop, length, tool_calls or content_filter."""

    message: Message
    usage: Usage
    model: str
    finish_reason: str


class Model(Protocol):
    """Something that answers requests for any agent; it keeps nothing of one call for the next."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        """Calls the model and returns the whole answer, telling `on_delta` each piece of text as it comes.

        Raises a ModelError of the right kind. One call, no retries: those are the caller's.
        """
        ...
