"""The Matrix driver: one account's sync, and what is sent through it (SPEC 13)."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import aiohttp
from nio import RoomSendResponse, RoomTypingResponse
from nio.exceptions import EncryptionError, LocalProtocolError, ProtocolError

from serai.core.delivery import Delivery, Target
from serai.core.error import (
    CredentialsRefused,
    FetchFailed,
    SendPermanent,
    SendTemporary,
    Startup,
)
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.core.snapshot import Access
from serai.core.split import measure
from serai.platforms import Surroundings
from serai.platforms.matrix import render
from serai.platforms.matrix.client import POLL_S, Client
from serai.platforms.matrix.fault import Broken, KeysRefused, NotShared, send_broken, send_failed
from serai.platforms.matrix.media import ENCLOSURE_BYTES, download, upload
from serai.platforms.matrix.people import Directory
from serai.platforms.matrix.position import PositionFile
from serai.platforms.matrix.sync import Sync
from serai.ports.clock import Entropy
from serai.ports.platform import Capabilities, Growth, Link, Sent

_TYPING_S: Final = 20.0
_CAPABILITIES: Final = Capabilities(
    text_limit=render.TEXT_LIMIT,
    text_unit="byte",
    send_key=True,
    growth=Growth(interval_s=1.5),
    typing_s=_TYPING_S,
    threads=True,
    fetches=True,
    enclosure_bytes=ENCLOSURE_BYTES,
    silence_s=3 * POLL_S,
)


class Matrix:
    """One account. Raises Startup for a blank token."""

    def __init__(
        self,
        account: Account,
        homeserver: str,
        token: str,
        session: aiohttp.ClientSession,
        folder: Path,
        entropy: Entropy,
        access: Access,
        device_id: str | None = None,
    ) -> None:
        if not token.strip():
            raise Startup(
                f"platform `{account}`: the access token is blank; set the variable `access_token_env` names"
            )
        self._account = account
        self._homeserver = homeserver
        self._token = token.strip()
        self._session = session
        self._folder = folder
        self._entropy = entropy
        self._access = access
        self._device_id = device_id
        self._client: Client | None = None

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Matrix":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        settings = surroundings.settings
        own = settings.settings
        device_id = own.get("device_id")
        return cls(
            settings.account,
            str(own["homeserver"]),
            surroundings.secrets.get(None, str(own["access_token_env"])),
            surroundings.session,
            surroundings.folder,
            surroundings.entropy,
            settings.access,
            None if device_id is None else str(device_id),
        )

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def rooms(self) -> Collection[str]:
        """The ids of the rooms that it is in; none while it is not connected."""
        return self._client.rooms if self._client else ()

    async def run(self, link: Link) -> None:
        """Syncs until cancelled. Raises ConnectionError, CredentialsRefused."""
        client = Client(self._homeserver, self._token, self._folder, self._session)
        try:
            await self._run(client, link)
        except KeysRefused as error:
            raise ConnectionError(f"the homeserver refused what encryption needs, with {error}") from None
        except aiohttp.ClientError as error:
            raise ConnectionError(f"no connection to the homeserver ({type(error).__name__})") from None
        except TimeoutError:
            raise ConnectionError("the homeserver did not answer in time") from None
        finally:
            self._client = None
            await client.close()

    async def _run(self, client: Client, link: Link) -> None:
        await client.identify()
        if self._device_id not in (None, client.device_id):
            raise CredentialsRefused(
                f"the access token belongs to the session (device) {client.device_id}, not to {self._device_id}; "
                "correct `device_id` or the token"
            )
        link.alive()
        sync = Sync(self._account, self._access, client, Directory(client), PositionFile(self._folder), link)
        await sync.begin()
        self._client = client
        link.up(client.user_id)
        await sync.go_on()

    async def send(self, delivery: Delivery) -> Sent:
        """Sends one message, under a transaction id by which the homeserver knows a repeated one: a text that grows
        is opened under one of its own, for its last text must not be taken for the first.

        Raises SendTemporary, SendPermanent, SendUnknown.
        """
        client = self._fit(delivery)
        target, room_id = delivery.target, delivery.target.chat_id
        if delivery.enclosure is not None:
            enclosure = delivery.enclosure
            encrypted = bool(client.rooms[room_id].encrypted)
            size, where = await upload(client, enclosure, encrypted=encrypted)
            content = render.file(enclosure.name, enclosure.media_type, size, where, delivery.text, target)
        else:
            content = render.message(delivery.text, target)
        key = f"{delivery.id}.open" if delivery.grows else delivery.id
        return Sent(await self._put(client, room_id, content, key))

    async def edit(self, delivery: Delivery) -> Sent:
        """Changes the whole text of a message. The same edit twice is one edit, so each has a fresh transaction id.
        Raises as `send`."""
        client = self._fit(delivery)
        if not delivery.remote_id:
            raise SendPermanent("it is not known which message to change")
        content = render.edit(delivery.text, delivery.target, delivery.remote_id)
        await self._put(client, delivery.target.chat_id, content, self._entropy.token())
        return Sent(delivery.remote_id)

    async def typing(self, target: Target, on: bool) -> None:
        """Shows that an answer is being written. Raises SendFailed."""
        client = self._connected()
        try:
            response = await client.room_typing(target.chat_id, on, timeout=int((_TYPING_S + 10) * 1000))
        except Broken as error:
            raise send_broken(error) from None
        if not isinstance(response, RoomTypingResponse):
            raise send_failed(response)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """A file that came with a message. Raises FetchFailed."""
        if attachment.ref is None:
            raise FetchFailed("the file has no reference")
        return await download(self._session, self._homeserver, self._token, attachment.ref, limit)

    def _fit(self, delivery: Delivery) -> Client:
        """The client that can take this delivery. Raises SendPermanent, SendTemporary."""
        try:
            size = measure(delivery.text, _CAPABILITIES.text_unit)
        except UnicodeEncodeError:
            raise SendPermanent("the text holds half a surrogate pair and cannot be sent") from None
        if size > _CAPABILITIES.text_limit:
            raise SendPermanent(f"the text has {size} bytes; {_CAPABILITIES.text_limit} can be sent")
        client = self._connected()
        if delivery.target.chat_id not in self.rooms:
            raise SendPermanent("the bot is in no room of that id; invite it")
        return client

    def _connected(self) -> Client:
        if self._client is None:
            raise SendTemporary("not connected to the homeserver")
        return self._client

    async def _put(self, client: Client, room_id: str, content: dict[str, Any], key: str) -> str:
        """Puts a message into a room; returns the event's id. Nothing is sent before the room's key is shared."""
        try:
            await client.prepare(room_id)
        except (*Broken, NotShared, CredentialsRefused, LocalProtocolError, EncryptionError) as error:
            raise SendTemporary(f"the message could not be encrypted yet ({type(error).__name__})") from None
        try:
            response = await client.room_send(
                room_id, "m.room.message", content, tx_id=key, ignore_unverified_devices=True
            )
        except Broken as error:
            raise send_broken(error) from None
        except (ProtocolError, EncryptionError) as error:
            raise SendTemporary(f"the message could not be encrypted ({type(error).__name__})") from None
        if not isinstance(response, RoomSendResponse):
            raise send_failed(response)
        return str(response.event_id)
