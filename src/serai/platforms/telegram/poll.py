"""Receiving: what happened at Telegram, in order for each chat, confirmed once it is stored.

A poll confirms everything before its offset. So the next one waits until the updates of this one are stored, but not
for long: what takes longer, or could not be stored, is left unconfirmed, and the others go on.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from telegram.error import TelegramError

from serai.core.error import Busy, Refused, StorageFailed
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.platforms.telegram.album import Albums, grouped
from serai.platforms.telegram.client import MOST_UPDATES, Client
from serai.platforms.telegram.convert import event
from serai.platforms.telegram.entity import Me
from serai.platforms.telegram.failure import reason
from serai.platforms.telegram.window import Window
from serai.platforms.telegram.wire import Callback, Malformed, Update, parse
from serai.ports.platform import Link

POLL_SECONDS: Final = 25
_PAUSE_SECONDS: Final = 1.0
_NOTE_LENGTH: Final = 200
"""Telegram's bound of what is shown to whoever pressed a button."""

_log = structlog.get_logger("telegram")


class Poller:
    """One connected bot."""

    def __init__(self, account: Account, client: Client, me: Me, link: Link) -> None:
        self._account = account
        self._client = client
        self._me = me
        self._link = link
        self._window = Window()
        self._albums = Albums()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._is_full = False

    async def poll(self) -> None:
        """One poll, and its updates as far as they can be stored. Raises TelegramError."""
        window = self._window
        updates = await self._client.updates(window.offset, 0 if window.is_open else POLL_SECONDS)
        self._link.alive()
        self._is_full = len(updates) >= MOST_UPDATES
        for chat, told in self._by_chat(updates).items():
            if chat not in self._tasks:
                groups = self._albums.complete(grouped(told))
                self._tasks[chat] = asyncio.ensure_future(self._take_all(groups))
        await self._settle()

    async def close(self) -> None:
        """Stops what is under way; it is unconfirmed, so Telegram tells it again."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _by_chat(self, updates: Sequence[object]) -> dict[int, list[Update]]:
        """What is still to be done, by chat. An update of another shape is logged and let by."""
        chats: dict[int, list[Update]] = {}
        for raw in updates:
            try:
                update = parse(raw)
            except Malformed as error:
                _log.error("an update was not understood", account=str(self._account), reason=str(error))
                if error.update_id is not None and self._window.told(error.update_id):
                    self._window.stored([error.update_id])
                continue
            if self._window.told(update.update_id):
                chats.setdefault(update.chat.id if update.chat else 0, []).append(update)
        return chats

    async def _settle(self) -> None:
        """Waits until the chats are done, for a second at most; a second, too, where something is to come again."""
        pause = asyncio.ensure_future(asyncio.sleep(_PAUSE_SECONDS))
        try:
            while self._tasks and not pause.done():
                await asyncio.wait({pause, *self._tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
                for chat in [chat for chat, task in self._tasks.items() if task.done()]:
                    self._look_at(self._tasks.pop(chat))
            if self._window.is_open:
                await pause
        finally:
            pause.cancel()

    def _look_at(self, task: asyncio.Task[None]) -> None:
        """A fault stops its chat, whose messages come again, and no other."""
        if (fault := task.exception()) is not None:
            _log.error("a message was not taken", account=str(self._account), exc_info=fault)

    async def _take_all(self, groups: Sequence[Sequence[Update]]) -> None:
        """The events of one chat, in order, to the first that cannot be stored."""
        for updates in groups:
            if not await self._take(updates):
                return
            self._window.stored(update.update_id for update in updates)

    async def _take(self, updates: Sequence[Update]) -> bool:
        """Hands on one event; whether it may be confirmed."""
        told = self._event(updates)
        callback = updates[0].callback_query
        note, refusal = None, None
        try:
            if told is not None:
                note = (await self._link.receive(told)).note
        except Refused as error:
            refusal = str(error)
        except Busy:
            if not self._is_full:
                return False
            # a whole poll of what cannot be stored would keep all others waiting for ever
        except StorageFailed as error:
            _log.error("a message could not be stored", account=str(self._account), reason=str(error))
            return False
        if callback is not None:
            await self._answer(callback, note or refusal)
        return True

    def _event(self, updates: Sequence[Update]) -> Inbound | Revision | Press | None:
        """What they tell. What cannot be converted is let by: it would never be otherwise."""
        try:
            return event(self._account, self._me, updates)
        except Exception as error:  # noqa: BLE001  one strange message must not stop its chat for good
            number, kind = updates[0].update_id, type(error).__name__
            _log.error("a message was not understood", account=str(self._account), update=number, reason=kind)
            return None

    async def _answer(self, callback: Callback, note: str | None) -> None:
        """Every press is answered: until then, the button seems to work on it."""
        try:
            await self._client.answer_callback_query(callback.id, (note or "")[:_NOTE_LENGTH] or None)
        except TelegramError as error:
            _log.info("a press could not be answered", account=str(self._account), reason=reason(error))
