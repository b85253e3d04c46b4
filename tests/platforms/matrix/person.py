"""A person at a Matrix client: plain nio, as somebody else would use it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nio import AsyncClient, AsyncClientConfig, MegolmEvent, RoomSendResponse, SyncResponse
from nio.store import SqliteStore

from tests.platforms.matrix.synapse import User


class Person:
    """Talks, and reads what others say. `events` is everything that was read, by room."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.typing: dict[str, list[str]] = {}

    @property
    def user_id(self) -> str:
        return str(self.client.user_id)

    async def room(
        self, *invited: str, direct: bool = False, encrypted: bool = False, name: str | None = None
    ) -> str:
        """A fresh room; returns its id."""
        state = []
        if encrypted:
            content = {"algorithm": "m.megolm.v1.aes-sha2"}
            state = [{"type": "m.room.encryption", "state_key": "", "content": content}]
        made = await self.client.room_create(invite=list(invited), is_direct=direct, name=name, initial_state=state)
        await self.sync()
        return str(made.room_id)

    async def says(self, room: str, text: str, **content: Any) -> str:
        """A message; `content` is added to it. Returns its event id."""
        return await self.sends(room, {"msgtype": "m.text", "body": text, **content})

    async def sends(self, room: str, content: Mapping[str, Any], kind: str = "m.room.message") -> str:
        sent = await self.client.room_send(room, kind, dict(content), ignore_unverified_devices=True)
        assert isinstance(sent, RoomSendResponse), sent
        return str(sent.event_id)

    async def sync(self, timeout: int = 0) -> None:
        """Reads what is new; waits for `timeout` milliseconds at most."""
        response = await self.client.sync(timeout=timeout, full_state=False)
        assert isinstance(response, SyncResponse), response
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.client.should_claim_keys:
            await self.client.keys_claim(self.client.get_users_for_key_claiming())
        await self.client.send_to_device_messages()
        for room, info in response.rooms.join.items():
            for event in info.timeline.events:
                if isinstance(event, MegolmEvent):
                    self.events.setdefault(room, []).append({"type": "undecryptable", "sender": event.sender})
                else:
                    self.events.setdefault(room, []).append(event.source)
            self.typing[room] = list(self.client.rooms[room].typing_users)

    async def sees(self, room: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event in the room that is `wanted`; reads until it comes."""
        for _ in range(60):
            for event in self.events.get(room, []):
                if wanted(event):
                    return event
            await self.sync(1000)
        raise AssertionError(f"nothing of that kind came; read: {self.events.get(room)}")

    async def hears(self, room: str, text: str) -> dict[str, Any]:
        """The first message of others with that body."""
        return await self.sees(
            room, lambda event: event["sender"] != self.user_id and event.get("content", {}).get("body") == text
        )


@asynccontextmanager
async def person(url: str, user: User, folder: Path) -> AsyncIterator[Person]:
    """Somebody who is logged in."""
    folder.mkdir(parents=True, exist_ok=True)
    config = AsyncClientConfig(store=SqliteStore, store_name="person.db", max_limit_exceeded=0, max_timeouts=0)
    client = AsyncClient(url, user.user_id, store_path=str(folder), config=config)
    client.restore_login(user.user_id, user.device_id, user.token)
    try:
        someone = Person(client)
        await someone.sync()
        yield someone
    finally:
        await client.close()
        if client.store is not None:
            client.store.database.close()
