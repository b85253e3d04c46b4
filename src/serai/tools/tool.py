"""A tool whose work blocks: checks the arguments, then works in one of the agent's threads (SPEC 3.1, 7.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from serai.core.error import SeraiError, ToolFailed
from serai.core.profile import AgentProfile
from serai.ports.model import ToolSpec
from serai.ports.scope import current_profile
from serai.ports.tool import ToolContext
from serai.tools.thread import AgentThreads


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tool takes. Subclasses name the fields; the JSON Schema that the model sees is made from them."""


_A = TypeVar("_A", bound=Arguments)


class WrongAgent(SeraiError):
    """A tool was called for one agent in the scope of another. Nothing was done."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockingTool(Generic[_A]):
    """`work` gets the bound profile and the checked arguments; it may block, and returns the text for the model.

    `guidance` is said once in the prompt of agents that have the tool (`serai.agent.prompt.Guided`).
    """

    spec: ToolSpec
    idempotent: bool
    guidance: str
    arguments: type[_A]
    work: Callable[[AgentProfile, _A], str]
    threads: AgentThreads
    asks: Callable[[_A], str] | None = None

    def question(self, arguments: Mapping[str, Any]) -> str | None:
        """What people are asked first; None where the tool needs no approval, or the call is wrong anyway."""
        if self.asks is None:
            return None
        try:
            return self.asks(checked(self.spec.name, self.arguments, arguments))
        except ToolFailed:
            return None

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        """Does it. Raises ToolFailed for wrong arguments, naming the field; Unbound and WrongAgent for a wrong scope.

        A null stands for an argument that was left out, as many models write it.
        """
        taken = checked(self.spec.name, self.arguments, arguments)
        return await self.threads.run(context.profile.id, partial(self._work, context.profile, taken))

    def _work(self, wanted: AgentProfile, arguments: _A) -> str:
        """In the thread, where the binding must have come along."""
        return self.work(bound(self.spec.name, wanted), arguments)


def blocking_tool(
    name: str,
    description: str,
    arguments: type[_A],
    work: Callable[[AgentProfile, _A], str],
    threads: AgentThreads,
    *,
    idempotent: bool = False,
    guidance: str = "",
    asks: Callable[[_A], str] | None = None,
) -> BlockingTool[_A]:
    """A tool of that name for the model; `arguments` also gives its JSON Schema. Where it `asks`, people decide."""
    spec = ToolSpec(name, description, parameters(arguments))
    return BlockingTool(spec, idempotent, guidance, arguments, work, threads, asks)


def checked(name: str, kind: type[_A], arguments: Mapping[str, Any]) -> _A:
    """The arguments of a tool's call; a null is one that was left out. Raises ToolFailed, naming the field."""
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ToolFailed(f"wrong arguments for `{name}`: {_field(error)}") from None


def bound(name: str, wanted: AgentProfile) -> AgentProfile:
    """The agent in whose scope a tool runs. Raises Unbound, and WrongAgent where it is not the `wanted` one."""
    found = current_profile()
    if found.id != wanted.id or found.home != wanted.home:
        raise WrongAgent(f"`{name}` was called for agent `{wanted.id}` in the scope of `{found.id}`")
    return found


def parameters(arguments: type[Arguments]) -> Mapping[str, Any]:
    """A plain JSON Schema object: msgspec's, without the reference it stands behind."""
    _, definitions = msgspec.json.schema_components([arguments])
    schema = definitions[arguments.__name__]
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def _field(error: msgspec.ValidationError) -> str:
    return str(error).replace("`$.", "`")
