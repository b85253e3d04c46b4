"""One event after another into the gateway, each until it is stored."""

import asyncio
from typing import Any, Final

import structlog
from nio import MatrixRoom

from serai.core.error import Busy, Refused, StorageFailed
from serai.core.ids import Account
from serai.core.message import Inbound, Revision
from serai.platforms.matrix import convert
from serai.platforms.matrix.client import Client
from serai.platforms.matrix.people import Directory
from serai.platforms.matrix.render import notice
from serai.platforms.matrix.wire import Event, Malformed, parse
from serai.ports.platform import Link

_log = structlog.get_logger("matrix")

_AGAIN_S: Final = 1.0
_TOLD_MOST: Final = 1000


class Inbox:
    """Takes events to the gateway. While it cannot store one, nothing after it is taken, so that all stay in order
    and the homeserver keeps what is to come."""

    def __init__(self, account: Account, client: Client, directory: Directory, link: Link) -> None:
        self._account = account
        self._client = client
        self._directory = directory
        self._link = link
        self._told: set[tuple[str, str]] = set()

    async def take(self, room: MatrixRoom, source: dict[str, Any]) -> None:
        """One event, decrypted. What is no message, or cannot be read, is passed over. Raises `Broken`."""
        try:
            event = parse(source)
        except Malformed as error:
            _log.warning(
                "an event could not be read", account=str(self._account), room=room.room_id, reason=str(error)
            )
            return
        self._directory.wrote(room.room_id, event.event_id, event.sender)
        heard = await self._convert(room, event)
        if heard is not None:
            await self._hand(heard)

    async def tell(self, room_id: str, text: str) -> None:
        """Says something in a room once, as the driver. That it cannot be said harms nothing but the saying."""
        if (room_id, text) in self._told or len(self._told) >= _TOLD_MOST:
            return
        self._told.add((room_id, text))
        try:
            await self._client.prepare(room_id)
            await self._client.room_send(room_id, "m.room.message", notice(text), ignore_unverified_devices=True)
        except Exception as error:  # noqa: BLE001  a courtesy, whose failing must not end the connection
            _log.warning("a sentence could not be sent", account=str(self._account), reason=type(error).__name__)

    async def _convert(self, room: MatrixRoom, event: Event) -> Inbound | Revision | None:
        if event.type == "m.room.redaction":
            return convert.deletion(self._account, room.room_id, event)
        place = self._directory.place(room, event.sender)
        if convert.is_ignored(event, place.me):
            return None
        changed = convert.edited(event)
        if changed is not None:
            # Anybody in the room can send an event that says it changes somebody else's message.
            mine = await self._directory.author(room.room_id, changed) == event.sender
            return convert.revision(self._account, place, event) if mine else None
        answered = convert.replied(event)
        answers_me = bool(answered) and await self._directory.author(room.room_id, str(answered)) == place.me.user_id
        return convert.inbound(self._account, place, event, answers_me=answers_me)

    async def _hand(self, heard: Inbound | Revision) -> None:
        while True:
            try:
                await self._link.receive(heard)
            except Refused:
                return  # the gateway tells the room why
            except Busy as error:
                await self._pause(error.retry_after, error)
            except StorageFailed as error:
                await self._pause(_AGAIN_S, error)
            else:
                return

    async def _pause(self, seconds: float, error: Exception) -> None:
        _log.warning("a message waits to be stored", account=str(self._account), reason=str(error))
        self._link.alive()
        await asyncio.sleep(max(_AGAIN_S, min(seconds, 30.0)))
