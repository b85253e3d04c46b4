"""GET /api/events: what happens in the gateway, as server-sent events (SPEC 11.6).

A reader is a number, so a slow one costs no memory; one that missed something is told `events.lost`.
"""

import asyncio
from typing import Any, Final

import msgspec
from aiohttp.web_response import StreamResponse

from serai.api.error import ApiError, invalid
from serai.api.header import LAST_EVENT, only
from serai.api.operation import Operation
from serai.api.operator.event import Event, LostEvent, event
from serai.api.path import Call
from serai.api.reply import EVENTS, ClientGone, EventStream, Reply
from serai.api.sse import KEEP_ALIVE, PATIENCE_S
from serai.gateway.activity import Activity

_LIFETIME_S: Final = 600.0
"""After which a reader must come back, and show again who it is."""

_SLOW_S: Final = 30.0
"""For which a reader may leave what it was sent unread."""

_RETRY: Final = b"retry: 1000\n\n"

_encode: Final = msgspec.json.Encoder().encode


class Events:
    """Tells what happens."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    @Operation(
        summary="What happens in the gateway",
        stream=Event,
        headers=(LAST_EVENT,),
        errors=("invalid_value", "stopping"),
    )
    async def stream(self, call: Call) -> StreamResponse:
        """GET /api/events, from the header Last-Event-ID on, else from now. Raises ClientGone."""
        seen = _last(only(call.request.headers, LAST_EVENT), self._activity.last)
        if call.request.method == "HEAD":
            return Reply(200, b"", kind=EVENTS)
        if self._activity.closed:
            raise ApiError(503, "stopping", "The gateway is stopping.", retry_after=5)
        out = call.stream = call.events()
        loop = asyncio.get_running_loop()
        end = loop.time() + _LIFETIME_S
        await _send(call, out, _RETRY)
        while loop.time() < end and not self._activity.closed:
            if not await self._activity.news(seen, PATIENCE_S):
                await _send(call, out, KEEP_ALIVE)
                continue
            happened, lost = self._activity.since(seen)
            told = [_line(LostEvent(), None)] if lost else []
            for seen, happening in happened:
                if (one := event(happening, call.principal)) is not None:
                    told.append(_line(one, seen))
            if told:
                await _send(call, out, b"".join(told))
        await out.end(b"")
        return out


def _last(header: str | None, now: int) -> int:
    """The number behind which a reader goes on. Raises ApiError 400."""
    if header is None or not header.strip():
        return now
    text = header.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise invalid(LAST_EVENT, "The id of the last event is a number.")
    return min(int(text), now)


def _line(told: Any, number: int | None) -> bytes:
    name = b"" if number is None else b"id: %d\n" % number
    return b"%bevent: %b\ndata: %b\n\n" % (name, str(type(told).__struct_config__.tag).encode(), _encode(told))


async def _send(call: Call, out: EventStream, data: bytes) -> None:
    try:
        async with asyncio.timeout(_SLOW_S):
            await out.send(data)
    except TimeoutError:
        if call.request.transport is not None:
            call.request.transport.abort()
        raise ClientGone("the reader is too slow") from None
