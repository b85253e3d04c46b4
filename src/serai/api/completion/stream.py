"""A run told to a waiting client as server-sent events."""

from serai.api.completion.answer import Chunks
from serai.api.error import unanswered
from serai.api.path import Call
from serai.api.reply import EventStream
from serai.api.services import Run
from serai.api.sse import KEEP_ALIVE, PATIENCE_S, untold
from serai.core.event import RunEvent, TextDelta, TurnEnded
from serai.core.message import Answer


class Stream:
    """One streamed answer. Nothing is sent before there is something to say, so an early failure has its status."""

    def __init__(self, call: Call, run: Run, chunks: Chunks, lines: tuple[tuple[str, str], ...]) -> None:
        self._run = run
        self._chunks = chunks
        self._lines = lines
        self._out = call.stream = call.events(lines)
        self._told: list[str] = []
        self._spoken = False

    async def tell(self) -> EventStream:
        """Sends everything. Raises ApiError where the turn ended without an answer, ClientGone where nobody listens;
        then, and when it is cancelled, the run is abandoned."""
        ended = None
        try:
            while ended is None:
                batch = await self._run.batch(PATIENCE_S)
                ended = last if batch and isinstance(last := batch[-1], TurnEnded) else None
                await self._pass_on(batch, ended)
        finally:
            if ended is None:
                self._run.abandon()
            self._run.close()
        return self._out

    async def _pass_on(self, batch: list[RunEvent], ended: TurnEnded | None) -> None:
        deltas = [] if self._run.replayed else [one for one in batch if isinstance(one, TextDelta)]
        events = [self._text(event.text) for event in deltas if event.text]
        if ended is None:
            if events or not batch:
                await self._out.send(b"".join(self._from_role(events)) or KEEP_ALIVE)
        elif ended.state == "done":
            answer = ended.answer or Answer("")
            if rest := untold("".join(self._told), answer.text):
                events.append(self._text(rest))
            events.append(self._chunks.end(answer))
            await self._out.end(b"".join(self._from_role(events)))
        else:
            if events and self._out.started:
                await self._out.send(b"".join(self._from_role(events)))
            raise unanswered(ended, self._lines)

    def _text(self, piece: str) -> bytes:
        self._told.append(piece)
        return self._chunks.text(piece)

    def _from_role(self, events: list[bytes]) -> list[bytes]:
        if not events or self._spoken:
            return events
        self._spoken = True
        return [self._chunks.role(), *events]
