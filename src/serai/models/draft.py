"""An answer as it grows from events, and the finished reply."""

from typing import Final

import msgspec

from serai.core.message import Message, Usage
from serai.models.fault import Upstream
from serai.models.tool_calls import ToolCalls
from serai.models.wire import CallDelta, Choice, Chunk, WireUsage, decode_chunk
from serai.ports.model import ModelReply

_DONE: Final = b"[DONE]"
_FINISHES: Final = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
}
_FAILURES: Final = frozenset({"error", "insufficient_system_resource"})


class Draft:
    """One answer: takes the data of events, gives the text that is new, and in the end the reply.

    `begun`: bytes of it have come; set by whoever reads them. `done`: the upstream said that it was the end.
    """

    __slots__ = ("_calls", "_finish", "_model", "_seen", "_text", "_told", "_upstream", "_usage", "begun", "done")

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._text: list[str] = []
        self._told = 0
        self._calls: ToolCalls | None = None
        self._usage: WireUsage | None = None
        self._model = ""
        self._finish = ""
        self._seen = False
        self.begun = False
        self.done = False

    @property
    def complete(self) -> bool:
        """Whether nothing that matters is missing, even if the connection breaks now."""
        return self.done or bool(self._finish)

    def take(self, data: bytes) -> None:
        """Adds one event. Raises a ModelError for an event that tells an error, or is not of the protocol."""
        if len(data) < 16 and data.strip() in (_DONE, b""):
            self.done = self.done or _DONE in data
            return
        try:
            chunk = decode_chunk(data)
        except (ValueError, RecursionError):
            self._take_lines(data)
        else:
            self._add(data, chunk)

    def take_whole(self, data: bytes) -> None:
        """Takes an answer that was not streamed. Raises a ModelError."""
        try:
            chunk = decode_chunk(data)
        except (ValueError, RecursionError):
            raise self._upstream.garbled("sent JSON that is no answer") from None
        self._add(data, chunk)
        self.done = self._seen

    def _take_lines(self, data: bytes) -> None:
        """Events whose separating blank lines a server left out."""
        lines = data.split(b"\n")
        if self.done:
            return
        if len(lines) == 1:
            raise self._upstream.garbled("sent an event that is not of the chat-completions protocol")
        for line in lines:
            self.take(line)

    def _add(self, data: bytes, chunk: Chunk) -> None:
        if chunk.error:
            raise self._upstream.told(chunk.error)
        if chunk.model and not self._model:
            self._model = chunk.model
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.choices:
            for choice in chunk.choices:
                if not choice.index:
                    self._choose(choice)
        elif chunk.usage is None:
            self._check_bare_error(data)

    def _check_bare_error(self, data: bytes) -> None:
        """Some servers send an error without the envelope: an object with a message and no choices."""
        fields = msgspec.json.decode(data, type=dict[str, object])
        if "choices" not in fields and ("message" in fields or "detail" in fields):
            raise self._upstream.told(fields)

    def _choose(self, choice: Choice) -> None:
        self._seen = True
        delta = choice.delta or choice.message
        if delta is not None:
            if text := delta.text:
                self._text.append(text)
            if delta.tool_calls:
                self._call(delta.tool_calls)
        if choice.finish_reason:
            self._finish = choice.finish_reason
            if choice.finish_reason in _FAILURES:
                raise self._upstream.told(f"it ended its answer with `{choice.finish_reason}`")

    def _call(self, pieces: list[CallDelta]) -> None:
        if self._calls is None:
            self._calls = ToolCalls()
        try:
            for piece in pieces:
                self._calls.add(piece)
        except ValueError:
            raise self._upstream.garbled("sent a tool call that cannot be read") from None

    def news(self) -> str:
        """The text since the last time this was asked."""
        pieces = self._text[self._told :]
        self._told = len(self._text)
        return "".join(pieces)

    def reply(self) -> ModelReply:
        """The whole reply. Raises ModelGarbled where the answer is none, or was cut."""
        if not self._seen:
            raise self._upstream.garbled("sent no answer")
        if not self.complete:
            raise self._upstream.garbled("broke off in the middle of its answer")
        try:
            calls = self._calls.finish() if self._calls is not None else ()
        except ValueError:
            raise self._upstream.garbled("asked for a tool without naming it") from None
        finish = _FINISHES.get(self._finish) or ("tool_calls" if calls else "stop")
        message = Message("assistant", "".join(self._text), tool_calls=calls)
        return ModelReply(message, _usage(self._usage), self._model or self._upstream.name, finish)


def _usage(usage: WireUsage | None) -> Usage:
    if usage is None:
        return Usage()
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        int(usage.prompt_tokens or 0),
        int(usage.completion_tokens or 0),
        int(prompt.cached_tokens or 0) if prompt else 0,
        int(completion.reasoning_tokens or 0) if completion else 0,
    )
