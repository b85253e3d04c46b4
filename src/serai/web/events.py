"""A chat told as server-sent events, from any revision on, without a lost or doubled word.

A reader first gets what it has not seen (`message`, whose id is the revision), then all drafts whole (`drafts`), then
their growth (`delta`, with the place where the text belongs). Whoever comes back tells the last id that it has.
"""

import asyncio
from typing import Any, Final

import msgspec

from serai.api.path import Call
from serai.api.reply import ClientGone, EventStream
from serai.api.sse import KEEP_ALIVE
from serai.ports.mailbox import Mailbox
from serai.web.hub import Hub
from serai.web.room import Cursor, Room
from serai.web.wire import post_document

PATIENCE_S: Final = 15.0
"""Silence after which a stream says that it is still there."""

_LIFETIME_S: Final = 600.0
"""After which a reader must come back, and show again who it is."""

_SLOW_S: Final = 30.0
"""For which a reader may leave what it was sent unread."""

_encode: Final = msgspec.json.Encoder().encode


class Events:
    """One reader's stream."""

    def __init__(self, hub: Hub, mailbox: Mailbox, call: Call, chat: str, after: int) -> None:
        self._hub = hub
        self._mailbox = mailbox
        self._call = call
        self._chat = chat
        self._cursor = Cursor(after)

    async def tell(self) -> EventStream:
        """Tells what happens until the gateway stops, or the stream is old. Raises ClientGone."""
        out = self._call.stream = self._call.events()
        loop = asyncio.get_running_loop()
        end = loop.time() + _LIFETIME_S
        await self._send(out, b"retry: 1000\n\n")
        with self._hub.reading(self._chat) as room:
            while not self._hub.closed and loop.time() < end:
                news = room.news
                events = await self._news(room)
                if events:
                    await self._send(out, events)
                if not await _within(PATIENCE_S, news):
                    await self._send(out, KEEP_ALIVE)
        await out.end(b"")
        return out

    async def _news(self, room: Room) -> bytes:
        posts = await self._mailbox.posts(self._chat, self._cursor.revision)
        events = [_event("message", post_document(post), post.revision) for post in posts]
        if posts:
            self._cursor.revision = posts[-1].revision
        events += [_event(kind, document) for kind, document in room.since(self._cursor)]
        return b"".join(events)

    async def _send(self, out: EventStream, data: bytes) -> None:
        try:
            async with asyncio.timeout(_SLOW_S):
                await out.send(data)
        except TimeoutError:
            if self._call.request.transport is not None:
                self._call.request.transport.abort()
            raise ClientGone("the reader is too slow") from None


async def _within(seconds: float, news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True


def _event(kind: str, document: Any, name: int | None = None) -> bytes:
    head = b"" if name is None else b"id: %d\n" % name
    return b"%bevent: %b\ndata: %b\n\n" % (head, kind.encode(), _encode(document))
