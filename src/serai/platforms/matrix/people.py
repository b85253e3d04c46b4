"""What rooms are and who wrote what in them, as far as the sync has told."""

from collections import OrderedDict
from typing import Any, Final

from nio import MatrixRoom, RoomGetEventResponse

from serai.platforms.matrix.client import Client
from serai.platforms.matrix.convert import Place
from serai.platforms.matrix.mention import Me

_REMEMBERED: Final = 5000


class Directory:
    """The account's rooms. A room is a direct chat where the account's `m.direct` or the invitation says so, and
    where two people are in it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._authors: OrderedDict[tuple[str, str], str] = OrderedDict()
        self.direct: dict[str, list[str]] = {}

    def place(self, room: MatrixRoom, sender: str) -> Place:
        """A room as a message of `sender` needs it."""
        me, speaker = room.users.get(room.own_user_id), room.users.get(sender)
        return Place(
            room.room_id,
            Me(self._client.user_id, me.display_name if me else None),
            direct=self.is_direct(room),
            name=room.display_name,
            space=next(iter(room.parents)) if len(room.parents) == 1 else None,
            speaker=speaker.display_name if speaker else None,
        )

    def is_direct(self, room: MatrixRoom) -> bool:
        if any(room.room_id in rooms for rooms in self.direct.values()):
            return True
        return bool(room.member_count == 2)

    def learn(self, content: object) -> None:
        """Takes over the account's `m.direct`: people and the rooms of their direct chats."""
        if not isinstance(content, dict):
            return
        self.direct = {
            str(user): [str(room) for room in rooms] for user, rooms in content.items() if isinstance(rooms, list)
        }

    def wrote(self, room_id: str, event_id: str, sender: str) -> None:
        """Notes an event's author."""
        self._authors[room_id, event_id] = sender
        self._authors.move_to_end((room_id, event_id))
        if len(self._authors) > _REMEMBERED:
            self._authors.popitem(last=False)

    async def author(self, room_id: str, event_id: str) -> str | None:
        """Who wrote an event; asks the homeserver about older ones. Raises `Broken`."""
        known = self._authors.get((room_id, event_id))
        if known is not None:
            return known
        response: Any = await self._client.room_get_event(room_id, event_id)
        if not isinstance(response, RoomGetEventResponse):
            return None
        sender = str(response.event.sender)
        self.wrote(room_id, event_id, sender)
        return sender
