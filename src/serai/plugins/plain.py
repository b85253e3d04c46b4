"""What plugins are told, as plain values; what they answer, as values that make sense (SPEC 16.2)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec

from serai.core.delivery import Target
from serai.core.message import Message, Usage

_encode: Final = msgspec.json.Encoder().encode
_decode_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


def message(one: Message) -> dict[str, Any]:
    """A message in the OpenAI chat shape.

    >>> message(Message("user", "hello"))
    {'role': 'user', 'content': 'hello'}
    """
    plain: dict[str, Any] = {"role": one.role, "content": one.text}
    if one.images:
        pictures = [{"type": "image_url", "image_url": {"url": i.url, "detail": i.detail}} for i in one.images]
        plain["content"] = [{"type": "text", "text": one.text}, *pictures]
    if one.tool_calls:
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in one.tool_calls
        ]
    if one.tool_call_id is not None:
        plain["tool_call_id"] = one.tool_call_id
    if one.name is not None:
        plain["name"] = one.name
    return plain


def usage(of_call: Usage) -> dict[str, int]:
    return asdict(of_call)


def target(place: Target) -> dict[str, Any]:
    return asdict(place)


def json_object(answer: object) -> Mapping[str, Any] | None:
    """A copy of what a plugin means as a JSON object; None where it is none.

    >>> json_object({"path": "a.txt"})
    {'path': 'a.txt'}
    >>> json_object({"path": object()}), json_object(["a.txt"]), json_object({1: 2})
    (None, None, None)
    """
    if not isinstance(answer, Mapping) or not all(isinstance(key, str) for key in answer):
        return None
    try:
        return _decode_object(_encode(dict(answer)))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None
