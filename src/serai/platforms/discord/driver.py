"""The Discord driver: the library's gateway connection in, its REST calls out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp
import discord
import structlog

from serai.core.delivery import Delivery, Target
from serai.core.error import FetchFailed, SendFailed, SendTemporary, Startup
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound
from serai.platforms import Surroundings
from serai.platforms.discord.bookmark import Bookmark
from serai.platforms.discord.client import Client, close, first_of, stop
from serai.platforms.discord.convert import PASTE_MOST, pasted, press, reference
from serai.platforms.discord.endpoint import OFFICIAL, Endpoint, using
from serai.platforms.discord.failure import told, why_ended
from serai.platforms.discord.file import download
from serai.platforms.discord.outgoing import FILE_MOST, LIMIT, channel_of, extras_of, nonce, number, text_of, view_of
from serai.platforms.discord.reader import Reader, pressed
from serai.ports.clock import Clock
from serai.ports.platform import Capabilities, Growth, Link, Sent

_log = structlog.get_logger("discord")

_CAPABILITIES: Final = Capabilities(
    text_limit=LIMIT,
    send_key=True,
    growth=Growth(interval_s=1.2),
    typing_s=8.0,
    threads=True,
    buttons=True,
    fetches=True,
    enclosure_bytes=FILE_MOST,
    silence_s=100.0,
)
"""About five edits in five seconds are taken of a channel; a heartbeat is answered every 41 s; typing lasts 10 s."""

_LOGIN_SECONDS: Final = 20.0
_SEND_SECONDS: Final = 30.0
_FILE_SECONDS: Final = 100.0
_PASTE_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_SAVE_SECONDS: Final = 5.0

_LIBRARY: Final = (
    discord.DiscordException,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    SendTemporary,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
)
"""What the library lets out: its own errors, the network's, and those of frames that are not what it expects."""


class Discord:
    """One bot. Raises Startup for a blank token."""

    def __init__(
        self,
        account: Account,
        token: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        folder: Path,
        *,
        message_content: bool = True,
        endpoint: Endpoint = OFFICIAL,
    ) -> None:
        if not token.strip():
            raise Startup(
                f"platform `{account}`: the bot's token is blank; put it into the variable `token_env` names"
            )
        self._account = account
        self._token = token.strip()
        self._session = session
        self._clock = clock
        self._message_content = message_content
        self._endpoint = endpoint
        self._client: Client | None = None
        self._online = asyncio.Event()
        self.bookmark = Bookmark(folder / "bookmark.json")

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Discord":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        account, own = surroundings.settings.account, surroundings.settings.settings
        base, gateway = own.get("base_url"), own.get("gateway_url")
        return cls(
            account,
            surroundings.secrets.get(None, str(own["token_env"])),
            surroundings.session,
            surroundings.clock,
            surroundings.folder,
            message_content=own.get("message_content") is not False,
            endpoint=Endpoint(f"{base}/api/v10", str(gateway)) if base else OFFICIAL,
        )

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Is connected until cancelled. The library resumes a session that was cut; where there is none to resume,
        this ends with ConnectionError, and the next run reads up what was missed."""
        with using(self._endpoint):
            client = Client(message_content=self._message_content)
            try:
                await client.login(self._token)
                async with self.serving(client, link) as tasks:
                    await first_of(client.connect(reconnect=False), client.storm.wait(), tasks=tasks)
            except _LIBRARY as error:
                raise why_ended(error) from None
            finally:
                await close(client)

    @asynccontextmanager
    async def serving(self, client: Client, link: Link) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Inside the block, what a client that is logged in hears goes to `link`, and deliveries go through it. Gives
        the tasks that do it: none of them ends by itself."""
        await self.bookmark.load(self._clock.now())
        client.up, client.alive = link.up, link.alive
        client.pressed = lambda interaction: self._press(link, interaction)
        reader = Reader(self._account, client, link, self.bookmark, self._clock, self._complete)
        tasks = [asyncio.ensure_future(reader.run()), asyncio.ensure_future(self._save())]
        self._client = client
        self._online.set()
        try:
            yield tasks
        finally:
            self._online.clear()
            self._client = None
            await stop(tasks)
            with suppress(OSError):
                await self.bookmark.save()

    async def send(self, delivery: Delivery) -> Sent:
        """Sends one message, under a key by which Discord knows a repeated one for some minutes.

        Raises SendTemporary, SendPermanent or SendUnknown.
        """
        text, extras = text_of(delivery), await extras_of(delivery)
        client = await self._logged_in()
        channel = client.get_partial_messageable(channel_of(delivery.target))
        with told():
            async with asyncio.timeout(_FILE_SECONDS if delivery.enclosure else _SEND_SECONDS):
                message = await channel.send(
                    text or None, nonce=nonce(delivery), allowed_mentions=discord.AllowedMentions.none(), **extras
                )
        return Sent(str(message.id))

    async def edit(self, delivery: Delivery) -> Sent:
        """Changes the text of a message, and takes its buttons away where the delivery has none."""
        text, message_id = text_of(delivery), number(delivery.remote_id, "message")
        client = await self._logged_in()
        message = client.get_partial_messageable(channel_of(delivery.target)).get_partial_message(message_id)
        with told():
            async with asyncio.timeout(_SEND_SECONDS):
                await message.edit(
                    content=text, view=view_of(delivery), allowed_mentions=discord.AllowedMentions.none()
                )
        return Sent(delivery.remote_id)

    async def typing(self, target: Target, on: bool) -> None:
        """Shows it for ten seconds; it cannot be taken back."""
        if on:
            client = await self._logged_in()
            with told():
                async with asyncio.timeout(_SEND_SECONDS):
                    await client.get_partial_messageable(channel_of(target)).typing()

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """A file that came with a message, from a fresh address: the one in the message expires."""
        try:
            channel, message, number = reference(attachment.ref or "")
        except (ValueError, TypeError):
            raise FetchFailed("the file is not Discord's") from None
        try:
            client = await self._logged_in()
            with told():
                async with asyncio.timeout(_SEND_SECONDS):
                    found = await client.get_partial_messageable(channel).fetch_message(message)
        except SendFailed as error:
            raise FetchFailed(f"the message with the file cannot be read: {error}") from None
        files = [*found.attachments, *(file for one in found.message_snapshots for file in one.attachments)]
        file = next((file for file in files if file.id == number), None)
        if file is None:
            raise FetchFailed("the file was taken away from its message")
        return await download(self._session, file, limit)

    async def _logged_in(self) -> Client:
        """The client, once there is one. Raises SendTemporary."""
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                await self._online.wait()
        except TimeoutError:
            raise SendTemporary("not connected to Discord") from None
        if self._client is None:
            raise SendTemporary("not connected to Discord")
        return self._client

    async def _save(self) -> None:
        while True:
            try:
                await self.bookmark.save()
            except OSError as error:
                _log.warning("the place in the chats cannot be noted", reason=type(error).__name__)
            await asyncio.sleep(_SAVE_SECONDS)

    async def _complete(self, said: Inbound) -> Inbound:
        """A message with the text that its sender's client made a file of; with the file where it cannot be had."""
        file = pasted(said)
        if file is None:
            return said
        try:
            async with asyncio.timeout(_PASTE_SECONDS):
                text = (await self.fetch(file, PASTE_MOST)).decode()
        except (FetchFailed, TimeoutError, UnicodeDecodeError):
            return said
        kept = tuple(other for other in said.attachments if other is not file)
        return replace(said, text="\n".join(part for part in (said.text, text) if part), attachments=kept)

    async def _press(self, link: Link, interaction: discord.Interaction) -> None:
        """Acknowledges a press at once (Discord waits 3 s), hands it over, and shows what came of it."""
        found = press(self._account, interaction, interaction.channel)  # type: ignore[arg-type]
        if found is None:
            return
        try:
            with told():
                await interaction.response.defer()
        except SendFailed as error:
            _log.warning("a press could not be acknowledged", reason=str(error))
        note = await pressed(link, found)
        try:
            with told():
                if note:
                    await interaction.followup.send(
                        note[:LIMIT], ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
                    )
        except SendFailed as error:
            _log.warning("a note could not be shown", reason=str(error))
