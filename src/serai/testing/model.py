"""A model that says what a script tells it to.

    model = ScriptedModel(["hello", ToolCall("c1", "search", '{"q": "x"}'), Fail(429, retry_after=3)])

Each call takes the next entry: a text; one or several tool calls; a `Fail`; a whole `ModelReply`; or a function
(plain or async) that gets the request and returns any of these. A script that is itself a function answers every
call. `requests` holds all that was asked.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from serai.core.error import (
    ModelError,
    ModelFailed,
    ModelGarbled,
    ModelLimited,
    ModelRejected,
    ModelTimeout,
    ModelUnreachable,
)
from serai.core.message import Message, ToolCall, Usage
from serai.ports.model import ModelReply, ModelRequest, OnDelta

FailKind = Literal["rejected", "failed", "limited", "unreachable", "timeout", "garbled"]

_KINDS: Final[dict[FailKind, type[ModelError]]] = {
    "rejected": ModelRejected,
    "failed": ModelFailed,
    "limited": ModelLimited,
    "unreachable": ModelUnreachable,
    "timeout": ModelTimeout,
    "garbled": ModelGarbled,
}
_WORD: Final = re.compile(r"\s*\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Fail:
    """A call that fails: by kind, or by the HTTP status of the endpoint. `after` is the text streamed before it."""

    cause: FailKind | int
    text: str = ""
    retry_after: float | None = None
    after: str = ""

    def error(self) -> ModelError:
        """The error that a real model client would raise for it."""
        kind = _kind(self.cause) if isinstance(self.cause, int) else self.cause
        return _KINDS[kind](self.text or f"scripted failure ({self.cause})", self.retry_after)


def _kind(status: int) -> FailKind:
    if status == 429:
        return "limited"
    return "failed" if status >= 500 else "rejected"


Reply = str | ToolCall | tuple[ToolCall, ...] | list[ToolCall] | ModelReply | Fail
Answering = Callable[[ModelRequest], Reply | Awaitable[Reply]]
Entry = Reply | Answering


class ScriptEnded(AssertionError):
    """The model was asked once more than the script has answers."""


class ScriptedModel:
    """A `ports.model.Model` for tests. `delay` is the time before each answer, `word_s` that for each of its words
    where it is streamed, in the loop's seconds."""

    def __init__(self, script: Iterable[Entry] | Answering, *, delay: float = 0.0, word_s: float = 0.0) -> None:
        self._always = script if callable(script) else None
        self._script: list[Entry] = [] if callable(script) else list(script)
        self._delay = delay
        self._word_s = word_s
        self.requests: list[ModelRequest] = []

    @property
    def left(self) -> int:
        """How many entries of the script were not used yet."""
        return max(0, len(self._script) - len(self.requests))

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        """Records the request and answers by the script, text streamed to `on_delta` word by word.

        Raises the ModelError of a `Fail`; ScriptEnded when nothing is left.
        """
        self.requests.append(request)
        entry = self._always or self._next(request)
        if self._delay:
            await asyncio.sleep(self._delay)
        reply = await _resolve(entry, request)
        if isinstance(reply, Fail):
            await _stream(reply.after, on_delta, self._word_s)
            raise reply.error()
        answer = _answer(reply, request)
        await _stream(answer.message.text, on_delta, self._word_s)
        return answer

    def _next(self, request: ModelRequest) -> Entry:
        number = len(self.requests)
        if number <= len(self._script):
            return self._script[number - 1]
        asked = next((message.text for message in reversed(request.messages)), "")
        raise ScriptEnded(
            f"the script has {len(self._script)} entries, but agent `{request.agent}` called the model for the "
            f"{number}. time; the last message was {asked[:200]!r}"
        )


async def _resolve(entry: Entry, request: ModelRequest) -> Reply:
    if not callable(entry):
        return entry
    reply = entry(request)
    return await reply if inspect.isawaitable(reply) else reply


def _answer(
    reply: str | ToolCall | tuple[ToolCall, ...] | list[ToolCall] | ModelReply, request: ModelRequest
) -> ModelReply:
    if isinstance(reply, ModelReply):
        return reply
    text, calls = (reply, ()) if isinstance(reply, str) else ("", _calls(reply))
    asked = sum(len(message.text.split()) for message in request.messages)
    return ModelReply(
        message=Message("assistant", text, tool_calls=calls),
        usage=Usage(input_tokens=asked, output_tokens=len(text.split()) + len(calls)),
        model=request.endpoint.name,
        finish_reason="tool_calls" if calls else "stop",
    )


def _calls(reply: ToolCall | tuple[ToolCall, ...] | list[ToolCall]) -> tuple[ToolCall, ...]:
    return (reply,) if isinstance(reply, ToolCall) else tuple(reply)


async def _stream(text: str, on_delta: OnDelta | None, word_s: float) -> None:
    """Tells each word with the white space around it, letting others run in between."""
    if on_delta is None:
        return
    for piece in _WORD.findall(text):
        on_delta(piece)
        await asyncio.sleep(word_s)
