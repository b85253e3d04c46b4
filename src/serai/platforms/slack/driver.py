"""The Slack driver: one app in Socket Mode (SPEC 13)."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import structlog

from serai.core.delivery import Delivery
from serai.core.error import Busy, FetchFailed, Refused, SendPermanent, SendTemporary, Startup, StorageFailed
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.platforms import Surroundings
from serai.platforms.slack import render
from serai.platforms.slack.convert import Reader
from serai.platforms.slack.name import Names
from serai.platforms.slack.socket import Socket
from serai.platforms.slack.web import ask, called, client, say
from serai.platforms.slack.wire import Callback, Envelope, Interaction, Slash, read
from serai.ports.platform import Capabilities, Growth, Link, Receipt, Sent

_log = structlog.get_logger("slack")

_CAPABILITIES: Final = Capabilities(
    text_limit=render.LIMIT,
    growth=Growth(interval_s=1.5),
    threads=True,
    buttons=True,
    fetches=True,
    enclosure_bytes=50 * 2**20,
    silence_s=60.0,
)
_FILE_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=10)
_REFUSES_MARKDOWN: Final = ("invalid_arguments", "markdown_text", "invalid_blocks")


class Slack:
    """One app. Raises Startup for a blank token."""

    def __init__(
        self, account: Account, bot_token: str, app_token: str, base_url: str, session: aiohttp.ClientSession
    ) -> None:
        if not bot_token.strip() or not app_token.strip():
            raise Startup(f"platform `{account}`: the bot token or the app token is blank; set both")
        self._account = account
        self._token = bot_token
        self._session = session
        self._web = client(bot_token, base_url, session)
        self._app = client(app_token, base_url, session)
        self._names = Names(self._web)

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Slack":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        own, secrets = surroundings.settings.settings, surroundings.secrets
        return cls(
            surroundings.settings.account,
            secrets.get(None, str(own["bot_token_env"])),
            secrets.get(None, str(own["app_token_env"])),
            str(own["base_url"]),
            surroundings.session,
        )

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Is connected until cancelled. Raises ConnectionError, CredentialsRefused."""
        me = await ask(self._web, "auth.test")
        reader = Reader(
            self._account, str(me.get("user_id")), str(me.get("bot_id") or ""), str(me.get("team_id") or "")
        )
        name = f"{me.get('user') or 'bot'} in {me.get('team') or 'a team'}"
        socket = Socket(self._session, self._address, lambda: link.up(name), link.alive)
        await socket.run(lambda envelope: self._take(link, reader, envelope))

    async def _address(self) -> str:
        return str((await ask(self._app, "apps.connections.open")).get("url"))

    async def _take(self, link: Link, reader: Reader, envelope: Envelope) -> bool:
        """Hands over what came. False where it could not be stored: then Slack sends it again."""
        try:
            await self._hand_over(link, reader, envelope)
        except Refused:
            pass  # the gateway has told whom it may tell
        except (Busy, StorageFailed):
            return False
        except msgspec.DecodeError:
            _log.warning("a message could not be read", account=str(self._account), kind=envelope.type)
        return True

    async def _hand_over(self, link: Link, reader: Reader, envelope: Envelope) -> None:
        match envelope.type:
            case "events_api":
                callback = read(envelope.payload, Callback)
                names = await self._names.of(reader.speaker(callback.event))
                if (event := reader.message(callback, names)) is not None:
                    await link.receive(event)
            case "interactive":
                pressed = read(envelope.payload, Interaction)
                if (press := reader.press(pressed)) is not None:
                    await self._note(await link.receive(press), pressed.response_url)
            case "slash_commands":
                await link.receive(reader.slash(read(envelope.payload, Slash)))
            case _:
                pass

    async def _note(self, receipt: Receipt, response_url: str) -> None:
        """Shows whoever pressed a button, and nobody else, what the gateway says about it."""
        if not receipt.note or not response_url:
            return
        body = {"response_type": "ephemeral", "replace_original": False, "text": render.plain(receipt.note)}
        try:
            async with self._session.post(response_url, json=body, timeout=aiohttp.ClientTimeout(total=2)):
                pass
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("a note could not be shown", account=str(self._account), error=type(error).__name__)

    async def send(self, delivery: Delivery) -> Sent:
        """Raises SendTemporary, SendPermanent, SendUnknown."""
        _check_length(delivery)
        target = delivery.target
        if delivery.enclosure is not None:
            return await self._upload(delivery)
        place = {"channel": target.chat_id, "thread_ts": target.thread_id, "unfurl_links": False}
        done = await self._said("chat.postMessage", place, delivery)
        return Sent(str(done["ts"]))

    async def edit(self, delivery: Delivery) -> Sent:
        """Raises as `send`."""
        _check_length(delivery)
        place = {"channel": delivery.target.chat_id, "ts": delivery.remote_id}
        await self._said("chat.update", place, delivery)
        return Sent(delivery.remote_id)

    async def _said(self, method: str, place: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """As Markdown; where Slack does not take it, as plain text."""
        if delivery.buttons:
            blocks = render.choice(delivery.text, delivery.buttons)
            return await say(self._web, method, **place, text=render.plain(delivery.text)[:3000], blocks=blocks)
        made = render.markdown(delivery.text)
        if made is not None:
            try:
                return await say(self._web, method, **place, markdown_text=made)
            except SendPermanent as error:
                if not any(word in str(error) for word in _REFUSES_MARKDOWN):
                    raise
        return await say(self._web, method, **place, text=render.plain(delivery.text))

    async def _upload(self, delivery: Delivery) -> Sent:
        """A file with its text: Slack gives an address, takes the bytes there, and shows them when it is told so."""
        enclosure, target = delivery.enclosure, delivery.target
        assert enclosure is not None
        data = await asyncio.to_thread(Path(enclosure.path).read_bytes)
        place = await called(self._web.files_getUploadURLExternal(filename=enclosure.name, length=len(data)))
        await self._put(str(place["upload_url"]), data)
        await called(
            self._web.files_completeUploadExternal(
                files=[{"id": str(place["file_id"]), "title": enclosure.name}],
                channel_id=target.chat_id,
                thread_ts=target.thread_id,
                initial_comment=render.plain(delivery.text) if delivery.text else None,
            )
        )
        return Sent()

    async def _put(self, address: str, data: bytes) -> None:
        """Nothing is shown yet, so that every failure here is one that may be repeated."""
        try:
            async with self._session.post(address, data=data, timeout=_FILE_TIMEOUT) as response:
                if response.status != 200:
                    raise SendTemporary(f"Slack does not take the file ({response.status})")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SendTemporary(f"the file could not be handed over ({type(error).__name__})") from None

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """Raises FetchFailed, ConnectionError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        data = bytearray()
        try:
            async with self._session.get(
                attachment.ref or "", headers=headers, allow_redirects=False, timeout=_FILE_TIMEOUT
            ) as response:
                if response.status >= 500:
                    raise ConnectionError(f"Slack answered {response.status}")
                if response.status != 200:
                    raise FetchFailed(f"Slack does not give the file ({response.status}); the scope is files:read")
                if (response.content_length or 0) <= limit:
                    async for piece in response.content.iter_chunked(1 << 16):
                        data += piece
                        if len(data) > limit:
                            break
                    else:
                        return bytes(data)
        except ValueError:
            raise FetchFailed("the file has no address") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(f"the file could not be fetched ({type(error).__name__})") from None
        raise FetchFailed(f"the file is larger than {limit} bytes")


def _check_length(delivery: Delivery) -> None:
    if len(delivery.text) > render.LIMIT:
        raise SendPermanent(f"the text is longer than {render.LIMIT} characters")
