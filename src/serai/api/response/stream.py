"""A response told to a waiting client as server-sent events."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from serai.api.error import unanswered
from serai.api.feed import Feed
from serai.api.path import Call
from serai.api.reply import EventStream, Reply
from serai.api.response.event import ResponseEvents, Settled
from serai.api.response.object import About
from serai.api.services import Run, Trail
from serai.api.sse import KEEP_ALIVE, PATIENCE_S
from serai.core.event import RunEvent, TextDelta, TurnEnded
from serai.core.message import Message


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record of an ended turn: what the agent said, and when it ended, in seconds since the epoch."""

    said: Callable[[], Awaitable[Sequence[Message]]]
    ended_at: Callable[[], Awaitable[float]]


class ResponseStream:
    """One streamed response."""

    def __init__(self, call: Call, about: About, facts: Facts, after: int = -1) -> None:
        self._call = call
        self._facts = facts
        self._events = ResponseEvents(about, after=after)
        self._out = call.events()
        self._opening = b""

    async def tell(self, run: Run) -> EventStream:
        """Sends everything as it comes. Nothing is sent before there is something to say, so that an early failure
        has its status. Where nobody listens any more the run is abandoned.

        Raises ApiError where the turn ended without an answer before anything was said.
        """
        self._call.stream = self._out
        self._opening = self._events.begin()
        feed = Feed(run.events())
        ended: TurnEnded | None = None
        try:
            while ended is None:
                batch = await feed.batch(PATIENCE_S)
                ended = last if batch and isinstance(last := batch[-1], TurnEnded) else None
                if run.replayed:
                    batch = [*await self._again(), ended] if ended is not None else []
                await self._pass_on(batch, ended)
        finally:
            feed.close()
            if ended is None:
                run.abandon()
            run.close()
        return self._out

    async def follow(self, trail: Trail) -> EventStream | Reply:
        """Sends what is on record, and what comes to be: the same events under the same numbers each time."""
        if self._call.request.method == "HEAD":
            return Reply(200, b"", kind="text/event-stream; charset=utf-8")
        self._call.stream = self._out
        settled, feed = Settled(), Feed(trail.follow())
        try:
            await self._out.send(self._events.begin() or KEEP_ALIVE)
            while True:
                batch = await feed.batch(PATIENCE_S)
                if batch and isinstance(batch[-1], TurnEnded):
                    self._events.ended_at = await self._facts.ended_at()
                known = [one for event in batch for one in settled.take(event)]
                data = b"".join(map(self._events.take, known))
                if batch and isinstance(batch[-1], TurnEnded):
                    await self._out.end(data)
                    return self._out
                if data or not batch:
                    await self._out.send(data or KEEP_ALIVE)
        finally:
            feed.close()

    async def _pass_on(self, batch: Sequence[RunEvent], ended: TurnEnded | None) -> None:
        if ended is not None and ended.state != "done" and not self._out.started:
            raise unanswered(ended)
        if ended is not None:
            self._events.ended_at = await self._facts.ended_at()
        data = b"".join(map(self._events.take, batch))
        if batch and not data:
            return
        opening, self._opening = self._opening, b""
        if ended is not None:
            await self._out.end(opening + data)
        else:
            await self._out.send(opening + data or KEEP_ALIVE)

    async def _again(self) -> list[RunEvent]:
        """What was told the first time, by the texts that are kept."""
        texts = [one.text for one in await self._facts.said() if one.role == "assistant" and one.text]
        return [TextDelta(text, n + 1) for n, text in enumerate(texts)]
