"""The driver of a Feishu or Lark app (SPEC 13): events over the long connection, everything else by the API."""

from typing import Final

import aiohttp

from serai.core.delivery import Delivery, Target
from serai.core.error import CredentialsRefused, SendFailed, SendPermanent, Startup
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.platforms import Surroundings
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.cards import Cards
from serai.platforms.feishu.config import address_of
from serai.platforms.feishu.connection import Connection
from serai.platforms.feishu.credential import Credential
from serai.platforms.feishu.directory import Directory
from serai.platforms.feishu.events import Events
from serai.platforms.feishu.fault import Rejected
from serai.platforms.feishu.files import fetch
from serai.platforms.feishu.growth import Growth as Growing
from serai.platforms.feishu.http import Http
from serai.platforms.feishu.messages import Messages
from serai.platforms.feishu.remote import Remote
from serai.platforms.feishu.speaker import TEXT_LIMIT, Speaker, refuse_long
from serai.platforms.feishu.typing_sign import TypingSign
from serai.platforms.feishu.upload import FILE_LIMIT, Uploads
from serai.platforms.feishu.wire import BotInfo, BotReply
from serai.ports.clock import Clock, Entropy
from serai.ports.platform import Capabilities, Growth, Link, Sent

_CAPABILITIES: Final = Capabilities(
    text_limit=TEXT_LIMIT,
    text_unit="byte",
    send_key=True,
    growth=Growth(interval_s=1.0),
    typing_s=600.0,
    threads=True,
    buttons=True,
    fetches=True,
    enclosure_bytes=FILE_LIMIT,
    silence_s=300.0,
)


class Feishu:
    """One app. Any number of them live side by side: nothing is shared but the session.

    Raises Startup for a blank secret or app id, and for an unusable domain.
    """

    def __init__(
        self,
        account: Account,
        app_id: str,
        secret: str,
        domain: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        entropy: Entropy,
        secret_name: str = "app_secret_env",
    ) -> None:
        if not app_id.strip() or not secret.strip():
            raise Startup(f"platform `{account}`: the app id or secret is blank; set `app_id` and `{secret_name}`")
        try:
            self._http = Http(session, address_of(domain))
        except ValueError as error:
            raise Startup(f"platform `{account}`: `domain` {error}") from None
        hint = f"check `app_id` and `{secret_name}` of `{account}` against the app's console"
        self._account = account
        self._session = session
        self._entropy = entropy
        self._credential = Credential(app_id.strip(), secret.strip(), hint)
        self._api = Api(self._http, self._credential)
        self._messages = Messages(self._api)
        self._speaker = Speaker(self._messages, Uploads(self._api))
        self._growing = Growing(self._messages, Cards(self._api, clock.now), self._speaker)
        self._typing = TypingSign(self._messages)
        self._directory = Directory(self._api, self._messages)

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Feishu":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        own = surroundings.settings.settings
        name = str(own["app_secret_env"])
        return cls(
            surroundings.settings.account,
            str(own["app_id"]),
            surroundings.secrets.get(None, name),
            str(own["domain"]),
            surroundings.session,
            surroundings.clock,
            surroundings.entropy,
            name,
        )

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    @property
    def api(self) -> Api:
        """The app's calls."""
        return self._api

    async def run(self, link: Link) -> None:
        """Logs in and receives until cancelled. Raises ConnectionError, Startup, CredentialsRefused."""
        bot = await self.bot()
        events = Events(self._account, self._credential.app_id, bot, link, self._directory, self._speaker)
        connection = Connection(self._session, self._http, self._credential, self._entropy, events.hear)
        try:
            await connection.run(lambda: link.up(bot.app_name or bot.open_id), link.alive)
        finally:
            await events.close()
            await self._directory.close()

    async def bot(self) -> BotInfo:
        """The bot as the platform knows it. Raises ConnectionError, Startup, CredentialsRefused."""
        try:
            await self._credential.token(self._http)
            return (await self._api.get(path("bot", "v3", "info"), BotReply)).bot
        except CredentialsRefused:
            raise
        except Rejected as error:
            raise Startup(f"platform `{self._account}`: {error}; is the feature Bot added, and published?") from None
        except SendFailed as error:
            raise ConnectionError(str(error)) from None

    async def send(self, delivery: Delivery) -> Sent:
        """Sends a text, a text with buttons, a file, or the beginning of an answer that grows.

        Raises SendTemporary, SendPermanent or SendUnknown.
        """
        _refuse_unsendable(delivery)
        if delivery.grows:
            remote = await self._growing.open(delivery)
            self._directory.learn_author(remote.message_id, self._credential.app_id)
            return Sent(str(remote))
        message = await self._speaker.send(delivery)
        self._directory.learn_author(message, self._credential.app_id)
        return Sent(str(Remote(message)))

    async def edit(self, delivery: Delivery) -> Sent:
        """Makes the text the whole text of a message of ours. Raises as `send`."""
        _refuse_unsendable(delivery)
        if not delivery.remote_id:
            raise SendPermanent("the message has no id by which it could be changed")
        await self._growing.edit(delivery)
        return Sent(delivery.remote_id)

    async def typing(self, target: Target, on: bool) -> None:
        """Shows that an answer is being written, by a reaction, or takes it back. Raises as `send`."""
        await (self._typing.show(target) if on else self._typing.hide(target))

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The bytes of a file that came, at most `limit`. Raises FetchFailed."""
        return await fetch(self._api, attachment, limit)


def _refuse_unsendable(delivery: Delivery) -> None:
    """Raises SendPermanent for a text that is too long or blank."""
    refuse_long(delivery.text)
    if not delivery.text.strip() and delivery.enclosure is None:
        raise SendPermanent("the text is blank")
