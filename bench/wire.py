"""The one conversation every benchmark has: its words, and its bytes in OpenAI's chat-completions shape.

Source: OpenAI API reference, "Chat" (chat.completion and chat.completion.chunk objects).
"""

from __future__ import annotations

from typing import Any

import msgspec

PIECES = ("Paris is the capital", " of France. It lies", " on the river Seine,", " in the north.")
ANSWER = "".join(PIECES)
QUESTION = "What is the capital of France, and on which river does it lie?"
CREATED = 1_700_000_000
USAGE = {"prompt_tokens": 24, "completion_tokens": 17, "total_tokens": 41}


class Delta(msgspec.Struct):
    """The new part of an answer."""

    content: str | None = None


class ChunkChoice(msgspec.Struct):
    """One alternative of a streamed chunk; there is only ever one."""

    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """One server-sent event of a streamed completion; `choices` is empty in the usage chunk."""

    choices: list[ChunkChoice] = []
    usage: dict[str, Any] | None = None


class Said(msgspec.Struct):
    """The message of a whole completion."""

    content: str | None = None


class Choice(msgspec.Struct):
    """One alternative of a whole completion."""

    message: Said


class Completion(msgspec.Struct):
    """A whole completion, as far as a client needs it."""

    choices: list[Choice]


def completion(model: str, text: str) -> dict[str, Any]:
    """The body of a whole answer `text` by `model`."""
    said = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": "stop", "logprobs": None}],
        "usage": USAGE,
    }


def chunk(delta: dict[str, str] | None, *, finish: str | None = None, usage: bool = False) -> bytes:
    """One server-sent event: a delta, the end (`finish`), or the usage chunk (`delta` None)."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "bench",
        "choices": choices,
        "usage": USAGE if usage else None,
    }
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def stream() -> list[bytes]:
    """The whole streamed answer: role, four pieces, and what ends it."""
    return [role(), *(chunk({"content": piece}) for piece in PIECES), *ending()]


def role() -> bytes:
    """The event before the first piece."""
    return chunk({"role": "assistant", "content": ""})


def ending() -> list[bytes]:
    """The events after the last piece: finish, usage, [DONE]."""
    return [chunk({}, finish="stop"), chunk(None, usage=True), b"data: [DONE]\n\n"]


def text_of_stream(body: bytes) -> str | None:
    """The text that a streamed answer adds up to; None when it does not end with [DONE]."""
    if not body.rstrip().endswith(b"data: [DONE]"):
        return None
    text: list[str] = []
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            choices = msgspec.json.decode(line[6:], type=Chunk).choices
            text += [choice.delta.content or "" for choice in choices]
    return "".join(text)


def text_of_completion(body: bytes) -> str | None:
    """The text of a whole answer; None when there is none."""
    choices = msgspec.json.decode(body, type=Completion).choices
    return choices[0].message.content if choices else None
