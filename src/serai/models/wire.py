"""What goes over the wire: shapes of the chat-completions protocol and the JSON functions for them.

Source: OpenAI API reference, "Chat" (request messages, chat.completion, chat.completion.chunk), read with the
tolerance that other servers need: nothing is required, null is as good as absent.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from serai.core.message import Image, Message, ToolCall

Count = int | float | None
"""A number of tokens; some servers write it with a decimal point."""


class Plain(msgspec.Struct, gc=False):
    """A message that is nothing but text."""

    role: str
    content: str


class Function(msgspec.Struct, gc=False):
    """The called function. `arguments` is JSON text as a string, or, from some servers, the object itself."""

    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()


class CallDelta(msgspec.Struct, gc=False):
    """A piece of a tool call, or a whole one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Part(msgspec.Struct, gc=False):
    """A part of a content list; only those with text count."""

    type: str = "text"
    text: str | None = None


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the answer, or the whole message of an answer that is not streamed."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[CallDelta] | None = None

    @property
    def text(self) -> str:
        """The added text; a refusal is text too. Reasoning is not."""
        content = self.content
        if isinstance(content, str):
            return content or self.refusal or ""
        parts = [part.text for part in content or () if part.type == "text" and part.text]
        return "".join(parts) or self.refusal or ""


class Choice(msgspec.Struct, gc=False):
    """One alternative of the answer: `delta` in a stream, `message` in a whole answer."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: Count = None


class CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: Count = None


class WireUsage(msgspec.Struct, gc=False):
    """Tokens as servers count them."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class Chunk(msgspec.Struct, gc=False):
    """One event of a stream, or a whole answer."""

    choices: list[Choice] | None = None
    usage: WireUsage | None = None
    model: str | None = None
    error: Any = None


def _plain_mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"a {type(value).__name__} has no place in a request to a model")


decode_chunk = msgspec.json.Decoder(Chunk).decode
encoder: Final = msgspec.json.Encoder(enc_hook=_plain_mapping)


def encode(value: Any) -> bytes:
    """JSON text. A lone surrogate, which UTF-8 cannot carry, becomes a question mark."""
    try:
        return encoder.encode(value)
    except UnicodeEncodeError:
        builtins = msgspec.to_builtins(value, enc_hook=_plain_mapping)
        return json.dumps(builtins, ensure_ascii=False).encode("utf-8", "replace")


def wire_message(message: Message) -> Plain | dict[str, Any]:
    """A message as the protocol writes it."""
    if not (message.images or message.tool_calls or message.tool_call_id or message.name):
        return Plain(message.role, message.text)
    document: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.name:
        document["name"] = message.name
    if message.tool_calls:
        document["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        document["tool_call_id"] = message.tool_call_id
    return document


def _content(message: Message) -> str | list[dict[str, Any]] | None:
    """Text, or parts where there are images; null for tool calls without a word."""
    if message.images:
        text = [{"type": "text", "text": message.text}] if message.text else []
        return [*text, *map(_image, message.images)]
    if message.tool_calls and not message.text:
        return None
    return message.text


def _image(image: Image) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": image.url, "detail": image.detail}}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
