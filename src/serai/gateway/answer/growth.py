"""An answer that grows in place (SPEC 5.7).

The first piece is stored as an open delivery, then sent, then edited as the text grows. One that is full is sealed:
it has its final text, and the outbox sees to it; the next one is opened. At its end, the turn seals the last one in
the transaction that finishes it. So whatever fails in between, the outbox makes the final text true.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from serai.core.delivery import Delivery, NewDelivery, Sealed, Target
from serai.core.error import Fenced, SendFailed, SendPermanent, SendTemporary, SendUnknown, StorageFailed
from serai.core.ids import DeliveryId
from serai.core.message import may_become_silence
from serai.gateway.answer.draft import Ending, Means, Writing
from serai.gateway.key import chat_key
from serai.ports.platform import Growth

_log = structlog.get_logger("growth")

OPEN_SECONDS: Final = 0.5
"""For which an answer is written before it is shown: one that is complete by then is simply sent."""

_SLOWEST_SECONDS: Final = 60.0
_CLOSE_SECONDS: Final = 10.0
"""For which a send that is under way may go on when the turn ends."""

LEFT_OVER: Final = "(An earlier draft stood here.)"
"""What becomes of a message that a later attempt, with a shorter answer, does not need."""


@dataclass(slots=True)
class _Row:
    """A delivery that was opened during model call `call`. `text` is what is shown, `sealed` that it is final."""

    id: DeliveryId
    target: Target
    call: int
    text: str = ""
    remote_id: str | None = None
    sealed: bool = False
    edits: int = 0
    opened_at: float = 0.0


class GrowingAnswer:
    """A `Draft` on a platform that can edit; without `growth`, nothing is shown, but what is there is still ended."""

    def __init__(self, means: Means, writing: Writing, growth: Growth | None, told: Sequence[Delivery] = ()) -> None:
        self._means = means
        self._writing = writing
        self._growth = growth
        self._rows = [_row(one) for one in told]
        self._pace = growth.interval_s if growth else 0.0
        self._texts: list[str] = []
        self._call: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def told(self) -> bool:
        return bool(self._rows)

    @property
    def written(self) -> str:
        return "".join(self._texts)

    def __call__(self, text: str) -> None:
        if self._call is None:
            self._texts, self._call = [], self._writing.call()
        self._texts.append(text)
        self._changed.set()
        if self._task is None and self._growth is not None:
            self._task = asyncio.create_task(self._grow(self._growth))

    def restart(self) -> None:
        self._texts, self._call = [], None

    def next_call(self) -> None:
        self._call = None

    async def close(self) -> None:
        self._stopped.set()
        self._changed.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_CLOSE_SECONDS)
            self._task.cancel()

    def ending(self, text: str, target: Target) -> Ending:
        rows = self._current()
        pieces = self._means.split(target, self._writing.prefix + text)
        sealed = [Sealed(row.id, piece) for row, piece in zip(rows, pieces, strict=False)]
        sealed += [Sealed(row.id, LEFT_OVER) for row in rows[len(pieces) :]]
        new = [NewDelivery(self._means.delivery_id(), target, piece) for piece in pieces[len(rows) :]]
        return Ending(sealed, new)

    def as_it_stands(self) -> Ending:
        return Ending([Sealed(row.id, row.text) for row in self._rows if not row.sealed])

    def _current(self) -> list[_Row]:
        """The messages of the text that is written: those that were told of it, and the one that is still open. What
        an earlier call has filled stays as it is."""
        call = self._call if self._call is not None else max((row.call for row in self._rows), default=0)
        rows = [row for row in self._rows if row.call == call or not row.sealed]
        for row in rows:
            row.call = call
        return rows

    async def _grow(self, growth: Growth) -> None:
        """Shows what is written, at the platform's pace, until the answer is closed."""
        wait = OPEN_SECONDS
        try:
            while await self._rest(wait):
                await self._changed.wait()
                self._changed.clear()
                if not self._stopped.is_set():
                    await self._show(growth)
                wait = self._pace
        except Fenced:
            return  # the turn finds that out for itself
        except StorageFailed as error:
            _log.error("an answer grows no more", turn=self._writing.fence.turn, error=str(error))
        except Exception:  # noqa: BLE001  the drivers' supervisor: showing a draft must not cost the answer
            _log.exception("the driver failed", account=str(self._writing.target.connection))

    async def _rest(self, seconds: float) -> bool:
        """Waits, unless it is to stop. Returns whether it goes on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        return not self._stopped.is_set()

    async def _show(self, growth: Growth) -> None:
        """One step: the message grows, or is full and makes way for the next one."""
        text = "".join(self._texts)
        if self._call is None or may_become_silence(text):
            return
        rows = self._current()
        pieces = self._means.split(self._writing.target, self._writing.prefix + text)
        if len(pieces) < len(rows):
            return  # a later attempt has not come as far yet as an earlier one
        last = rows[-1] if rows else None
        if last is None or (not last.sealed and last.remote_id is None):
            await self._open(last, pieces[max(0, len(rows) - 1)])
        elif len(pieces) > len(rows):
            await self._seal(last, pieces[len(rows) - 1])
            await self._open(None, pieces[len(rows)])
        else:
            await self._edit(last, pieces[-1], growth)

    async def _open(self, row: _Row | None, piece: str) -> None:
        """Stores a message, then sends it. One that was stored before and surely not sent is tried again."""
        means, writing = self._means, self._writing
        if row is None:
            row = _Row(means.delivery_id(), writing.target, self._call or 0)
            new = NewDelivery(row.id, writing.target, piece)
            await means.store.tell(writing.fence, new, row.call, means.clock.now(), grows=True)
            self._rows.append(row)
        if await self._attempt(row, piece) and row.remote_id is not None:
            row.opened_at = means.clock.now()
            await means.store.placed(writing.fence, row.id, row.remote_id)

    async def _seal(self, row: _Row, piece: str) -> None:
        means = self._means
        if row.sealed:
            return
        await means.store.seal(self._writing.fence, Sealed(row.id, piece), means.clock.now())
        row.sealed = True
        means.engine.wake(chat_key(row.target))

    async def _edit(self, row: _Row, piece: str, growth: Growth) -> None:
        age = self._means.clock.now() - row.opened_at
        spent = growth.edits_most is not None and row.edits >= growth.edits_most
        if row.sealed or piece == row.text or spent or (growth.lifetime_s is not None and age > growth.lifetime_s):
            return
        row.edits += 1
        await self._attempt(row, piece)

    async def _attempt(self, row: _Row, piece: str) -> bool:
        """Shows a piece. Whatever the platform says against it slows the pace, or ends the growth; nothing more."""
        delivery = Delivery(
            row.id, row.target, self._writing.agent, piece, state="open", remote_id=row.remote_id, call=row.call
        )
        try:
            sent = await self._means.grow(delivery)
        except SendFailed as error:
            self._slow_down(row, error)
            return False
        row.text, row.remote_id = piece, row.remote_id or sent.remote_id
        return True

    def _slow_down(self, row: _Row, error: SendFailed) -> None:
        _log.info("an answer could not grow", delivery=row.id, reason=str(error))
        asked = error.retry_after if isinstance(error, SendTemporary) else None
        self._pace = min(max(2 * self._pace, asked or 0.0), max(_SLOWEST_SECONDS, asked or 0.0))
        self._changed.set()
        if isinstance(error, SendPermanent) or (isinstance(error, SendUnknown) and row.remote_id is None):
            self._stopped.set()  # it may be there, under an id that nobody knows


def _row(told: Delivery) -> _Row:
    return _Row(
        told.id,
        told.target,
        told.call or 0,
        told.text,
        told.remote_id,
        sealed=told.state != "open",
        opened_at=told.created_at,
    )
