"""Reading the body of a response: an event stream, a whole answer, or something that is neither."""

from typing import Final

from aiohttp import StreamReader

from serai.core.error import ModelGarbled
from serai.models.deadline import Deadline
from serai.models.draft import Draft
from serai.models.fault import Upstream
from serai.models.sse import EventStream
from serai.ports.model import OnDelta

ANSWER_MOST: Final = 16 * 2**20
ERROR_MOST: Final = 64 * 2**10

_BOM: Final = b"\xef\xbb\xbf"
_AFTER_FINISH_S: Final = 2.0
"""How long to wait for usage and [DONE] once the model has finished."""

_AFTER_DONE_S: Final = 0.05
"""How long to wait for the end of the body after [DONE], so that the connection can be used again."""


class AnswerReader:
    """Reads one answer into a draft. What comes first decides how: servers' content types are not to be relied on."""

    __slots__ = ("_content", "_deadline", "_draft", "_size", "_upstream", "_wait")

    def __init__(
        self, content: StreamReader, draft: Draft, upstream: Upstream, deadline: Deadline, wait: float
    ) -> None:
        self._content = content
        self._draft = draft
        self._upstream = upstream
        self._deadline = deadline
        self._wait = wait
        self._size = 0

    async def read(self, on_delta: OnDelta | None) -> None:
        """Reads to the end of the answer, telling `on_delta` the text as it comes.

        Raises a ModelError; aiohttp's and OSError where the connection breaks. The first wait ends when the caller
        has said; each later one after `wait` seconds.
        """
        data = await self._opening()
        if data.startswith(b"{"):
            self._draft.take_whole(await self._whole(data))
            self._tell(on_delta)
        elif data.startswith(b"<"):
            raise self._upstream.garbled("answered with a web page; base_url must name an OpenAI-compatible API")
        elif data:
            await self._stream(data, on_delta)

    async def _opening(self) -> bytes:
        """The first bytes that mean something; none where the body is empty."""
        head = b""
        while data := await self._next():
            head += data
            start = head.removeprefix(_BOM).lstrip()
            if start and not _BOM.startswith(head):
                return start
        return b""

    async def _stream(self, data: bytes, on_delta: OnDelta | None) -> None:
        draft, events = self._draft, EventStream()
        while data:
            for event in events.feed(data):
                draft.take(event)
            self._tell(on_delta)
            if draft.done:
                await self._settle()
                return
            self._wait_for(min(self._wait, _AFTER_FINISH_S) if draft.complete else self._wait)
            data = await self._next()
        try:
            for event in events.end():
                draft.take(event)
        except ModelGarbled:
            if not draft.complete:
                raise
        self._tell(on_delta)

    async def _whole(self, data: bytes) -> bytes:
        parts = []
        while data:
            parts.append(data)
            self._wait_for(self._wait)
            data = await self._next()
        return b"".join(parts)

    async def _settle(self) -> None:
        """Gives the body a moment to end."""
        if not self._content.at_eof():
            self._wait_for(_AFTER_DONE_S)
            await self._content.readany()

    async def _next(self) -> bytes:
        data = await self._content.readany()
        self._size += len(data)
        if self._size > ANSWER_MOST:
            raise self._upstream.garbled("sent more than 16 MB")
        return data

    def _wait_for(self, seconds: float) -> None:
        self._draft.begun = True
        self._deadline.wait(seconds)

    def _tell(self, on_delta: OnDelta | None) -> None:
        if on_delta is not None and (text := self._draft.news()):
            on_delta(text)


async def read_error(content: StreamReader) -> bytes:
    """The beginning of an error's body, at most 64 KB and a chunk."""
    parts, size = [], 0
    while size < ERROR_MOST and (data := await content.readany()):
        parts.append(data)
        size += len(data)
    return b"".join(parts)
