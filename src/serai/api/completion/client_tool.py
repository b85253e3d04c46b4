"""Functions that a client brings along, in the words of chat completions (OpenAI API reference, "Chat")."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from serai.api.depth import check_depth
from serai.api.error import invalid
from serai.core.message import ClientTool, ClientTools

TOOLS_MOST: Final = 128

FunctionName = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]


class Function(Struct, forbid_unknown_fields=True):
    """What the model is told of a function."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def tool(self) -> ClientTool:
        """The same in the gateway's words."""
        return ClientTool(self.name, self.description or "", self.parameters or {}, self.strict)


class FunctionTool(Struct, tag_field="type", tag="function", forbid_unknown_fields=True):
    """A tool that is a function; there are no others here."""

    function: Function


class Named(Struct):
    """A function by its name."""

    name: str


class NamedTool(Struct, tag_field="type", tag="function"):
    """The one function that must be called, or one that may be."""

    function: Named


class Allowed(Struct):
    """Those functions that count this time."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Meta(min_length=1)]


class AllowedTools(Struct, tag_field="type", tag="allowed_tools"):
    """The choice is narrowed."""

    allowed_tools: Allowed


Mode = Literal["none", "auto", "required"]


def client_tools(
    tools: Sequence[ClientTool], mode: Mode, names: Iterable[str] | None, *, single: bool
) -> tuple[ClientTools | None, dict[str, Any]]:
    """What is offered, and the options that say so to the model.

    `names` narrows the choice, to one function that must be called where `single`. A client that wants one of its
    functions called is not served by a call of the agent's own tools, so those are left out then.

    Raises ApiError 400.
    """
    if len(tools) > TOOLS_MOST:
        raise invalid("tools", f"There are {len(tools)} tools; {TOOLS_MOST} are the most.")
    for tool in tools:
        check_depth(tool.parameters, "tools")
    known = {tool.name: tool for tool in tools}
    if len(known) < len(tools):
        raise invalid("tools", "Two tools have the same name.")
    if names is not None:
        wanted = list(names)
        unknown = next((name for name in wanted if name not in known), None)
        if unknown is not None:
            raise invalid("tool_choice", f"There is no tool named `{unknown}` in `tools`.")
        known = {name: known[name] for name in wanted}
    if mode == "required" and not known:
        raise invalid("tool_choice", "`tool_choice` needs `tools`.")
    if mode == "none" or not known:
        return None, {}
    offered = ClientTools(tuple(known.values()), forced=mode == "required")
    if mode == "auto":
        return offered, {}
    only = {"type": "function", "function": {"name": next(iter(known))}}
    return offered, {"tool_choice": only if single else "required"}


def chosen(
    tools: Sequence[FunctionTool] | None, choice: Mode | NamedTool | AllowedTools | None
) -> tuple[ClientTools | None, dict[str, Any]]:
    """The same from a chat completion's parameters. Raises ApiError 400."""
    known = [tool.function.tool() for tool in tools or ()]
    match choice:
        case NamedTool(function=Named(name=name)):
            return client_tools(known, "required", [name], single=True)
        case AllowedTools(allowed_tools=Allowed(mode=mode, tools=allowed)):
            return client_tools(known, mode, [one.function.name for one in allowed], single=False)
        case "none" | "auto" | "required":
            return client_tools(known, choice, None, single=False)
        case _:
            return client_tools(known, "auto", None, single=False)
