"""From the wire to the gateway's words: what a chat-completion request asks of the agent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from serai.api.completion.client_tool import chosen
from serai.api.completion.wire import (
    OPTIONS,
    AssistantMessage,
    ChatMessage,
    ChatRequest,
    DeveloperMessage,
    ImagePart,
    RefusalPart,
    SchemaFormat,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from serai.api.depth import check_depth
from serai.api.error import ApiError, invalid
from serai.core.message import Image, InputBody, Message, ToolCall

_HARMLESS: Final[Mapping[str, tuple[object, ...]]] = {
    "audio": (),
    "function_call": ("none",),
    "functions": ([],),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "n": (1,),
    "prediction": (),
    "top_logprobs": (0,),
    "web_search_options": (),
}
"""Parameters that no agent honours, with the values that ask for nothing."""

_wishes: Final = attrgetter(*_HARMLESS)
_NO_WISHES: Final = (None,) * len(_HARMLESS)
_settings: Final = attrgetter(*OPTIONS)
_NO_SETTINGS: Final = (None,) * len(OPTIONS)


def input_body(asked: ChatRequest, *, stored: bool) -> InputBody:
    """The question, its history, the client's instruction and the options.

    `stored`: the history is the session's own, so only the last message of the request counts (SPEC 11.3).
    Raises ApiError 400 that names the parameter which is wrong or cannot be honoured.
    """
    refuse_unsupported(asked)
    last = asked.messages[-1]
    earlier = asked.messages[:-1]
    if not isinstance(last, UserMessage | ToolMessage):
        place = f"messages[{len(earlier)}].role"
        raise invalid(place, "The last message must be the user's, or the result of a tool call.")
    client, choice = chosen(asked.tools, asked.tool_choice) if asked.tools or asked.tool_choice else (None, {})
    options = {**_options(asked), **choice} if choice else _options(asked)
    if not stored and (earlier or isinstance(last, ToolMessage)):
        _check_calls(asked.messages)
    if not earlier:
        return InputBody(_question(last, 0), options=options, stream=bool(asked.stream), client=client)
    begun = _results_from(earlier)
    history = () if stored else _history(earlier[:begun])
    return InputBody(
        _question(last, len(earlier)),
        history,
        _instruction(earlier),
        options,
        bool(asked.stream),
        before=tuple(_result(one) for one in earlier[begun:] if isinstance(one, ToolMessage)),
        client=client,
    )


def _question(last: UserMessage | ToolMessage, n: int) -> Message:
    return _user(last, n) if isinstance(last, UserMessage) else _result(last)


def _results_from(earlier: Sequence[ChatMessage]) -> int:
    """Where the results begin that are as new as the last message."""
    places = range(len(earlier) - 1, -1, -1)
    return next((n + 1 for n in places if isinstance(earlier[n], UserMessage | AssistantMessage)), 0)


def refuse_unsupported(asked: ChatRequest) -> None:
    """Raises ApiError 400 `unsupported_parameter` where a client asks for something that it would not get."""
    wishes = _wishes(asked)
    for name, value in zip(_HARMLESS, wishes, strict=True) if wishes != _NO_WISHES else ():
        if value is not None and value not in _HARMLESS[name]:
            text = f"`{name}` is not supported: an agent brings its own abilities and gives one text answer."
            raise ApiError(400, "unsupported_parameter", text, param=name)
    if asked.max_tokens is not None and asked.max_completion_tokens is not None:
        raise invalid("max_tokens", "`max_tokens` and `max_completion_tokens` exclude each other.")
    if asked.stream_options is not None and not asked.stream:
        raise invalid("stream_options", "`stream_options` needs `stream: true`.")


def _options(asked: ChatRequest) -> dict[str, Any]:
    settings = _settings(asked)
    if settings == _NO_SETTINGS:
        return {}
    options = {name: value for name, value in zip(OPTIONS, settings, strict=True) if value is not None}
    if isinstance(asked.response_format, SchemaFormat):
        check_depth(asked.response_format.json_schema.schema, "response_format")
    if "response_format" in options:
        options["response_format"] = msgspec.to_builtins(options["response_format"])
    return options


def _instruction(messages: Iterable[ChatMessage]) -> str:
    system = [_text(entry.content) for entry in messages if isinstance(entry, SystemMessage | DeveloperMessage)]
    return "\n\n".join(system)


def _history(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    return tuple(said for n, entry in enumerate(messages) if (said := _said(entry, n)) is not None)


def _said(entry: ChatMessage, n: int) -> Message | None:
    match entry:
        case UserMessage():
            return _user(entry, n)
        case AssistantMessage():
            return _assistant(entry, n)
        case ToolMessage():
            return _result(entry)
        case _:
            return None


def _user(entry: UserMessage, n: int) -> Message:
    if isinstance(entry.content, str):
        return Message("user", entry.content, name=entry.name)
    images = []
    for place, part in enumerate(entry.content):
        if isinstance(part, ImagePart):
            url = part.image_url.url
            if not url.startswith(("https://", "data:image/")):
                param = f"messages[{n}].content[{place}].image_url.url"
                raise invalid(param, "A picture's address must begin with `https://` or `data:image/`.")
            images.append(Image(url, part.image_url.detail or "auto"))
    return Message("user", _text(entry.content), tuple(images), name=entry.name)


def _result(entry: ToolMessage) -> Message:
    return Message("tool", _text(entry.content), tool_call_id=entry.tool_call_id)


def _assistant(entry: AssistantMessage, n: int) -> Message:
    if entry.function_call is not None:
        text = "`function_call` is not supported: use `tool_calls`."
        raise ApiError(400, "unsupported_parameter", text, param=f"messages[{n}].function_call")
    if entry.content is None and entry.refusal is None and not entry.tool_calls:
        raise invalid(f"messages[{n}].content", "An assistant's message needs `content` or `tool_calls`.")
    calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in entry.tool_calls or ())
    text = entry.refusal or "" if entry.content is None else _text(entry.content)
    return Message("assistant", text, tool_calls=calls, name=entry.name)


def _text(content: str | Sequence[TextPart | ImagePart | RefusalPart]) -> str:
    if isinstance(content, str):
        return content
    texts = [part for part in content if not isinstance(part, ImagePart)]
    return "\n".join([part.text if isinstance(part, TextPart) else part.refusal for part in texts])


def _check_calls(messages: Iterable[ChatMessage]) -> None:
    """Every tool call is answered right after it, and nothing else is: models refuse any other history."""
    open_calls: set[str] = set()
    for n, entry in enumerate(messages):
        if isinstance(entry, ToolMessage):
            if entry.tool_call_id not in open_calls:
                raise invalid(f"messages[{n}].tool_call_id", "No tool call before this message has that id.")
            open_calls.remove(entry.tool_call_id)
        elif open_calls:
            raise invalid(f"messages[{n}].role", "The tool calls before this message have no results yet.")
        elif isinstance(entry, AssistantMessage):
            open_calls = {call.id for call in entry.tool_calls or ()}
    if open_calls:
        raise invalid("messages", "The last tool calls have no results.")
