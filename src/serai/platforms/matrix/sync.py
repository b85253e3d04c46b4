"""The sync loop: what the homeserver tells, in order, and a position that moves on only when it is stored."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog
from nio import MatrixRoom, MegolmEvent, RoomMessagesResponse, SyncResponse

from serai.core.ids import Account
from serai.core.snapshot import Access
from serai.platforms.matrix.client import Client
from serai.platforms.matrix.fault import Broken, lost, retry_after, status_of
from serai.platforms.matrix.inbox import Inbox
from serai.platforms.matrix.invite import Doorman
from serai.platforms.matrix.people import Directory
from serai.platforms.matrix.position import Position, PositionFile
from serai.ports.platform import Link

_log = structlog.get_logger("matrix")

_KEY_PATIENCE_S: Final = 60.0
"""For which a message waits for its key, which may come after it."""

_GAP_MOST: Final = 1000
"""Events of one room that are fetched where more came than a sync answer holds."""

_PAGE: Final = 100
_UNREADABLE: Final = (
    "I cannot decrypt a message here: your client has not given me its key. Please send it again; if that does not "
    "help, check that your client shares keys with unverified sessions."
)


@dataclass(frozen=True, slots=True)
class _Locked:
    """An encrypted event without a key. After `deadline` (the loop's time) it is given up."""

    room: MatrixRoom
    event: MegolmEvent
    deadline: float


class Sync:
    """One run of an account's sync."""

    def __init__(
        self,
        account: Account,
        access: Access,
        client: Client,
        directory: Directory,
        position: PositionFile,
        link: Link,
    ) -> None:
        self._account = account
        self._access = access
        self._client = client
        self._directory = directory
        self._position = position
        self._link = link
        self._inbox = Inbox(account, client, directory, link)
        self._doorman = Doorman(account, access, client, directory)
        self._locked: list[_Locked] = []
        self._since: str | None = None

    async def begin(self) -> None:
        """The first answer: the state of all rooms, and what came since the position. Without a position nothing
        that was said before counts. Raises ConnectionError, Shut, `Broken`."""
        client = self._client
        self._since = self._position.read(client.user_id, client.device_id)
        response = await client.state(self._since)
        if not isinstance(response, SyncResponse) and self._since and status_of(response) == 400:
            _log.warning("the homeserver does not know the position; beginning anew", account=str(self._account))
            self._since = None
            response = await client.state(None)
        if not isinstance(response, SyncResponse):
            raise lost(response)
        await self._take(response, fresh=self._since is None)

    async def go_on(self) -> None:
        """Polls until cancelled. One poll that breaks is repeated, as idle connections are cut every now and then;
        two in a row are a broken connection. Raises ConnectionError, Shut, `Broken`."""
        broken = False
        while True:
            try:
                response = await self._client.poll(self._since, at_once=broken)
            except Broken:
                if broken:
                    raise
                broken = True
                continue
            if isinstance(response, SyncResponse):
                if broken:
                    self._link.up(self._client.user_id)
                broken = False
                await self._take(response)
            elif status_of(response) == 429:
                await asyncio.sleep(min(retry_after(response) or 1.0, 60.0))
            else:
                raise lost(response)
            self._link.alive()

    async def _take(self, response: SyncResponse, *, fresh: bool = False) -> None:
        for event in response.account_data_events:
            if getattr(event, "type", "") == "m.direct":
                self._directory.learn(getattr(event, "content", None))
        await self._client.tend()
        await self._unlock()
        if not fresh:
            for room_id, info in response.rooms.join.items():
                await self._take_room(self._client.rooms[room_id], info.timeline)
        for room_id, invited in response.rooms.invite.items():
            await self._doorman.answer(room_id, invited.invite_state)
        self._move_on(response.next_batch)

    def _move_on(self, since: str) -> None:
        """What waits for a key would be lost by a crash if the position on disk passed it."""
        self._since = since
        if not self._locked:
            self._position.write(Position(self._client.user_id, self._client.device_id, since))

    async def _take_room(self, room: MatrixRoom, timeline: Any) -> None:
        if room.room_type == "m.space":
            return
        events = list(timeline.events)
        arrival = _arrival(events, self._client.user_id)
        if arrival is not None:
            events = events[arrival:]
        elif timeline.limited and timeline.prev_batch and self._since:
            events = await self._gap(room.room_id, timeline.prev_batch) + events
        for event in events:
            await self._take_event(room, event)

    async def _take_event(self, room: MatrixRoom, event: Any) -> None:
        if isinstance(event, MegolmEvent):
            event.room_id = room.room_id
            if event.sender != self._client.user_id:
                deadline = asyncio.get_running_loop().time() + _KEY_PATIENCE_S
                self._locked.append(_Locked(room, event, deadline))
            return
        await self._inbox.take(room, event.source)

    async def _unlock(self) -> None:
        """Tries again what had no key."""
        waiting, self._locked = self._locked, []
        now = asyncio.get_running_loop().time()
        for locked in waiting:
            opened = self._client.opened(locked.event)
            if not isinstance(opened, MegolmEvent):
                await self._inbox.take(locked.room, opened.source)
            elif now < locked.deadline:
                self._locked.append(locked)
            else:
                await self._give_up(locked)

    async def _give_up(self, locked: _Locked) -> None:
        event, room_id = locked.event, locked.room.room_id
        _log.warning(
            "a message could not be decrypted", account=str(self._account), room=room_id, message=event.event_id
        )
        if self._access.admits(event.sender, None, room_id):
            await self._inbox.tell(room_id, _UNREADABLE)

    async def _gap(self, room_id: str, start: str) -> list[Any]:
        """What came between the position and the answer's first event, oldest first. Raises ConnectionError."""
        found: list[Any] = []
        page: str | None = start
        while page and len(found) < _GAP_MOST:
            response = await self._client.room_messages(room_id, page, self._since, limit=_PAGE)
            if not isinstance(response, RoomMessagesResponse):
                raise lost(response)
            for event in response.chunk:
                if isinstance(event, MegolmEvent):
                    event.room_id = room_id
                found.append(self._client.opened(event))
            page = response.end if response.chunk else None
        if page:
            _log.warning("older messages are passed over", account=str(self._account), room=room_id, kept=len(found))
        return list(reversed(found))


def _arrival(events: list[Any], me: str) -> int | None:
    """Where a timeline tells that the bot came into the room: at its invitation if that is there, for people write
    before the bot has joined; None where it was there already. What was said earlier is not for it."""
    joined = None
    for index, event in enumerate(events):
        source = event.source
        if source.get("type") != "m.room.member" or source.get("state_key") != me:
            continue
        membership, before = (
            source.get("content", {}).get("membership"),
            source.get("unsigned", {}).get("prev_content", {}),
        )
        if membership == "invite":
            return index
        if membership == "join" and before.get("membership") != "join":
            joined = index if joined is None else joined
    return joined
