"""The Telegram driver: one bot, by long polling (SPEC 13, `Bot API`)."""

import asyncio
from typing import Final

import aiohttp
import structlog
from telegram.error import Conflict, InvalidToken, TelegramError

from serai.core.delivery import Delivery, Target
from serai.core.error import CredentialsRefused, LoggedInElsewhere, Startup
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.platforms import Surroundings
from serai.platforms.telegram import fetch
from serai.platforms.telegram.client import Client
from serai.platforms.telegram.config import PUBLIC_API
from serai.platforms.telegram.entity import Me
from serai.platforms.telegram.failure import reason
from serai.platforms.telegram.poll import Poller
from serai.platforms.telegram.request import Limited
from serai.platforms.telegram.send import ENCLOSURE_BYTES, TEXT_LIMIT, Sender
from serai.ports.platform import Capabilities, Growth, Link, Sent

_CAPABILITIES: Final = Capabilities(
    text_limit=TEXT_LIMIT,
    text_unit="utf16",
    growth=Growth(interval_s=1.0),
    typing_s=4.5,
    threads=True,
    buttons=True,
    fetches=True,
    enclosure_bytes=ENCLOSURE_BYTES,
    silence_s=75.0,
    exclusive=True,
)
_CONFLICT_SECONDS: Final = 5.0
_CONFLICT_MEMORY_S: Final = 60.0
"""A second conflict within this time is somebody else; one alone may be a poll of our own that a cut left behind."""

_log = structlog.get_logger("telegram")


class Telegram:
    """One account. Raises Startup for a blank or impossible token."""

    def __init__(
        self, account: Account, token: str, session: aiohttp.ClientSession, base_url: str = PUBLIC_API
    ) -> None:
        token = token.strip()
        if not token:
            raise Startup(f"platform `{account}`: the bot's token is blank; @BotFather tells it")
        if not token.isascii() or not token.isprintable() or any(sign in token for sign in " /?#%{}"):
            raise Startup(f"platform `{account}`: the bot's token is none; @BotFather tells it")
        self._account = account
        self._session = session
        self._client = Client(token, base_url, session)
        self._sender = Sender(self._client)

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Telegram":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        own = surroundings.settings.settings
        token = surroundings.secrets.get(None, str(own["token_env"]))
        return cls(surroundings.settings.account, token, surroundings.session, str(own["base_url"]))

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Logs in and receives until cancelled. Raises ConnectionError, CredentialsRefused, LoggedInElsewhere."""
        try:
            user = await self._client.get_me()
            link.up(f"@{user.username}")
            poller = Poller(self._account, self._client, Me(user.id, user.username or ""), link)
            try:
                await self._keep_polling(poller)
            finally:
                await poller.close()
        except InvalidToken:
            raise CredentialsRefused(
                "Telegram refuses the bot's token: it is wrong or was revoked. @BotFather tells the one that counts; "
                "where `base_url` is set, see that it is the root of a Bot API server"
            ) from None
        except Limited as error:
            await asyncio.sleep(error.seconds or _CONFLICT_SECONDS)
            raise ConnectionError(reason(error)) from None
        except TelegramError as error:
            raise ConnectionError(reason(error)) from None

    async def send(self, delivery: Delivery) -> Sent:
        return await self._sender.send(delivery)

    async def edit(self, delivery: Delivery) -> Sent:
        return await self._sender.edit(delivery)

    async def typing(self, target: Target, on: bool) -> None:
        """It cannot be taken back; it ends with the message, or after 5 s."""
        if on:
            await self._sender.typing(target)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return await fetch.fetch(self._client, self._session, attachment, limit)

    async def _keep_polling(self, poller: Poller) -> None:
        """Polls for ever. Of two who poll with one token, Telegram ends the poll of the one who began first."""
        loop = asyncio.get_running_loop()
        since = -_CONFLICT_MEMORY_S
        while True:
            try:
                await poller.poll()
            except Conflict as error:
                if "webhook" in str(error).lower():
                    raise LoggedInElsewhere(
                        "a webhook is set for this bot, so Telegram sends its messages there; remove it "
                        "(deleteWebhook of the Bot API), or give this account a bot of its own"
                    ) from None
                if loop.time() - since < _CONFLICT_MEMORY_S:
                    raise LoggedInElsewhere(
                        "another process receives this bot's messages; stop it, or give this account a bot of its own"
                    ) from None
                since = loop.time()
                _log.warning("somebody else polls with this bot's token", account=str(self._account))
                await asyncio.sleep(_CONFLICT_SECONDS)
