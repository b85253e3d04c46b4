"""From the wire to the gateway's words: what a request for a response asks of the agent. Pure."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from serai.api.completion.client_tool import client_tools
from serai.api.depth import check_depth
from serai.api.error import ApiError, invalid
from serai.api.response.wire import (
    AllowedTools,
    Content,
    InputImage,
    Item,
    NamedTool,
    Refusal,
    ResponseRequest,
    SchemaFormat,
)
from serai.core.message import ClientTools, Image, InputBody, Message, Role, ToolCall

T = TypeVar("T")

_UNSUPPORTED: Final = (
    "access_programs",
    "background_options",
    "context_management",
    "image",
    "max_tool_calls",
    "moderation",
    "prompt",
    "top_logprobs",
)
_ROLES: Final[dict[str, Role]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_SAME: Final = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "parallel_tool_calls")
"""Settings that models know by the same name."""


def question(wanted: ResponseRequest, *, continued: bool) -> InputBody:
    """What is asked. `continued`: there is an earlier history, which may have calls that wait for their results.

    Raises ApiError 400 that names the parameter which is wrong or cannot be honoured.
    """
    refuse_unsupported(wanted)
    messages = _messages(wanted.input)
    if messages[-1].role == "assistant":
        raise invalid("input", "The last item must be a message to the agent, or the output of a function call.")
    check_calls(messages, continued=continued)
    client, choice = _tools(wanted)
    return InputBody(
        messages[-1],
        system=wanted.instructions or "",
        options={**_options(wanted), **choice},
        stream=bool(wanted.stream or wanted.background),
        before=tuple(messages[:-1]),
        client=client,
    )


def refuse_unsupported(wanted: ResponseRequest) -> None:
    """Raises ApiError 400 where a client asks for something that it would not get."""
    for name in _UNSUPPORTED:
        if getattr(wanted, name):
            raise ApiError(400, "unsupported_parameter", f"`{name}` is not supported.", param=name)
    if wanted.stream_options is not None and not wanted.stream:
        raise invalid("stream_options", "`stream_options` needs `stream: true`.")
    if wanted.background and wanted.store is False:
        raise invalid("background", "A background response is found by its id, so it needs `store`.")


def _options(wanted: ResponseRequest) -> dict[str, Any]:
    options: dict[str, Any] = {name: getattr(wanted, name) for name in _SAME if getattr(wanted, name) is not None}
    if wanted.max_output_tokens is not None:
        options["max_completion_tokens"] = wanted.max_output_tokens
    if wanted.reasoning is not None and wanted.reasoning.effort is not None:
        options["reasoning_effort"] = wanted.reasoning.effort
    if wanted.text is not None and wanted.text.verbosity is not None:
        options["verbosity"] = wanted.text.verbosity
    shape = wanted.text.format if wanted.text is not None else None
    if isinstance(shape, SchemaFormat):
        check_depth(shape.schema, "text")
        named = {name: value for name, value in msgspec.to_builtins(shape).items() if name != "type"}
        options["response_format"] = {"type": "json_schema", "json_schema": named}
    elif shape is not None:
        options["response_format"] = msgspec.to_builtins(shape)
    return options


def _tools(wanted: ResponseRequest) -> tuple[ClientTools | None, dict[str, Any]]:
    known = [tool.tool() for tool in wanted.tools or ()]
    match wanted.tool_choice:
        case NamedTool(name=name):
            return client_tools(known, "required", [name], single=True)
        case AllowedTools(mode=mode, tools=allowed):
            return client_tools(known, mode, [one.name for one in allowed], single=False)
        case choice:
            return client_tools(known, choice or "auto", None, single=False)


def messages_of(items: Sequence[Item], place: str = "input") -> list[Message]:
    """Items as the history has them. Raises ApiError 400."""
    found: list[Message] = []
    for n, item in enumerate(items):
        match item.type:
            case "message":
                found.append(_message(item, f"{place}[{n}]"))
            case "function_call":
                _add_call(found, item, f"{place}[{n}]")
            case "function_call_output":
                text, _ = _content(_given(item.output, f"{place}[{n}].output"), f"{place}[{n}].output", images=False)
                found.append(Message("tool", text, tool_call_id=_need(item.call_id, f"{place}[{n}].call_id")))
            case "item_reference":
                text = "`item_reference` is not supported: use `previous_response_id` or `conversation`."
                raise ApiError(400, "unsupported_parameter", text, param=f"{place}[{n}].type")
            case "reasoning":
                continue  # the model's own notes are not kept, so there is nothing that they could be of use for
    return found


def _messages(asked: str | Sequence[Item]) -> list[Message]:
    if isinstance(asked, str):
        return [Message("user", asked)]
    found = messages_of(asked)
    if not found:
        raise invalid("input", "There is no message among the items.")
    return found


def _message(item: Item, place: str) -> Message:
    role = _ROLES[_need(item.role, f"{place}.role")]
    content = _given(item.content, f"{place}.content")
    return Message(role, *_content(content, f"{place}.content", images=role == "user"))


def _add_call(found: list[Message], item: Item, place: str) -> None:
    """Calls of one reply are one message, together with what was said before them."""
    call = ToolCall(
        _need(item.call_id, f"{place}.call_id"),
        _need(item.name, f"{place}.name"),
        _need(item.arguments, f"{place}.arguments"),
    )
    if found and found[-1].role == "assistant":
        last = found.pop()
        found.append(Message("assistant", last.text, tool_calls=(*last.tool_calls, call)))
    else:
        found.append(Message("assistant", tool_calls=(call,)))


def _content(content: Content, place: str, *, images: bool) -> tuple[str, tuple[Image, ...]]:
    if isinstance(content, str):
        return content, ()
    pictures = []
    texts = []
    for n, part in enumerate(content):
        if isinstance(part, InputImage):
            if not images:
                raise invalid(f"{place}[{n}].type", "There is no room for a picture here.")
            pictures.append(_image(part, f"{place}[{n}]"))
        else:
            texts.append(part.refusal if isinstance(part, Refusal) else part.text)
    return "\n".join(texts), tuple(pictures)


def _image(part: InputImage, place: str) -> Image:
    if part.file_id is not None:
        text = "Files are not kept here: give the picture's address."
        raise ApiError(400, "unsupported_parameter", text, param=f"{place}.file_id")
    url = _need(part.image_url, f"{place}.image_url")
    if not url.startswith(("https://", "data:image/")):
        raise invalid(f"{place}.image_url", "A picture's address must begin with `https://` or `data:image/`.")
    return Image(url, part.detail or "auto")


def _given(content: Content | None, place: str) -> Content:
    if content is None:
        raise _missing(place)
    return content


def _need(value: T | None, place: str) -> T:
    if value is None:
        raise _missing(place)
    return value


def _missing(place: str) -> ApiError:
    return ApiError(400, "missing_required_parameter", f"`{place}` is missing.", param=place)


def check_calls(messages: Sequence[Message], *, continued: bool, param: str = "input") -> None:
    """Every call is answered right after it, and nothing else is; outputs at the beginning may belong to what was
    said earlier. Raises ApiError 400."""
    waiting: set[str] = set()
    early = continued
    for one in messages:
        if one.role == "tool":
            if one.tool_call_id in waiting:
                waiting.discard(one.tool_call_id)
            elif not early:
                raise invalid(param, f"No function call before it has the `call_id` {one.tool_call_id!r:.80}.")
            continue
        if waiting:
            raise invalid(param, f"The function call {min(waiting)!r:.80} has no output.")
        early = early and one.role != "assistant"
        waiting = {call.id for call in one.tool_calls}
    if waiting:
        raise invalid(param, f"The function call {min(waiting)!r:.80} has no output.")
