"""The Yuanbao driver: one bot's long connection (SPEC 13)."""

import asyncio
from typing import Final

import aiohttp
import structlog

from serai.core.delivery import Delivery, Target
from serai.core.error import (
    Busy,
    Refused,
    SendPermanent,
    SendTemporary,
    SendUnknown,
    Startup,
    StorageFailed,
)
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Revision
from serai.core.split import measure
from serai.platforms import Surroundings
from serai.platforms.yuanbao import media, wire
from serai.platforms.yuanbao.connection import BUSY, Connection, StaleToken, connect
from serai.platforms.yuanbao.convert import inbound, revisions
from serai.platforms.yuanbao.token import Tokens
from serai.platforms.yuanbao.wire import Head, Malformed, Pushed
from serai.ports.clock import Clock, Entropy
from serai.ports.platform import Blocks, Capabilities, Link, Sent

_log = structlog.get_logger("yuanbao")

_LIMIT: Final = 3000
_CAPABILITIES: Final = Capabilities(
    text_limit=_LIMIT,
    blocks=Blocks(length=2800, idle_s=1.0),
    typing_s=2.0,
    fetches=True,
    names_wait=False,
    silence_s=300.0,  # a ping that is not answered within half a minute ends it sooner
    exclusive=True,
)


class Yuanbao:
    """One bot. Raises Startup for a blank app key or secret."""

    def __init__(
        self,
        account: Account,
        key: str,
        secret: str,
        api_url: str,
        socket_url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        if not key.strip() or not secret.strip():
            raise Startup(f"platform `{account}`: the app key or the app secret is blank; set both")
        self._account = account
        self._api_url = api_url
        self._socket_url = socket_url
        self._session = session
        self._clock = clock
        self._entropy = entropy
        self._tokens = Tokens(key, secret, api_url, session, clock, entropy)
        self._bot_id = ""
        self._connection: Connection | None = None

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Yuanbao":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        own, secrets = surroundings.settings.settings, surroundings.secrets
        return cls(
            surroundings.settings.account,
            secrets.get(None, str(own["app_key_env"])),
            secrets.get(None, str(own["app_secret_env"])),
            str(own["api_url"]),
            str(own["socket_url"]),
            surroundings.session,
            surroundings.clock,
            surroundings.entropy,
        )

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Is connected until cancelled. Raises ConnectionError, CredentialsRefused, LoggedInElsewhere."""
        credential = await self._tokens.get()
        connection = await connect(self._session, self._socket_url, self._entropy.token)
        try:
            try:
                await connection.log_in(credential)
            except StaleToken:
                self._tokens.forget()
                raise
            self._bot_id, self._connection = credential.bot_id, connection
            link.up(f"bot {credential.bot_id}")
            await self._serve(connection, link)
        finally:
            self._connection = None
            await asyncio.shield(connection.close())

    async def _serve(self, connection: Connection, link: Link) -> None:
        """Reads, pings, and hands over what came in the order in which it came."""
        came: asyncio.Queue[tuple[Head, bytes]] = asyncio.Queue()
        work = [
            asyncio.create_task(self._read(connection, link, came)),
            asyncio.create_task(self._hand_over(connection, link, came)),
            asyncio.create_task(self._ping(connection)),
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _read(self, connection: Connection, link: Link, came: "asyncio.Queue[tuple[Head, bytes]]") -> None:
        async for push in connection.pushes():
            link.alive()
            if push is not None:
                came.put_nowait(push)

    async def _ping(self, connection: Connection) -> None:
        try:
            await connection.ping()
        except (SendUnknown, SendTemporary) as error:
            raise ConnectionError(f"a ping was not answered: {error}") from None

    async def _hand_over(self, connection: Connection, link: Link, came: "asyncio.Queue[tuple[Head, bytes]]") -> None:
        while True:
            head, data = await came.get()
            try:
                await self._take(link, data)
            except Refused:
                pass  # the gateway has told whom it may tell
            except Malformed:
                _log.warning("a push could not be read", account=str(self._account), cmd=head.cmd, bytes=len(data))
            except (Busy, StorageFailed):
                continue  # not acknowledged, so it comes again
            await connection.acknowledge(head)

    async def _take(self, link: Link, data: bytes) -> None:
        for event in self._told(wire.pushed(data)):
            await link.receive(event)

    def _told(self, pushed: Pushed) -> list[Inbound | Revision]:
        """What a push tells. Raises Malformed: a sender's client may put anything into it."""
        try:
            message = inbound(self._account, self._bot_id, pushed)
            return [*revisions(self._account, pushed), *([message] if message is not None else [])]
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Malformed(type(error).__name__) from None

    async def send(self, delivery: Delivery) -> Sent:
        """Says one text. Raises SendTemporary, SendPermanent, SendUnknown."""
        if measure(delivery.text, "codepoint") > _LIMIT:
            raise SendPermanent(f"the text is longer than {_LIMIT} characters")
        connection, target = self._connected(), delivery.target
        cmd, data = wire.text_message(
            to=target.chat_id,
            bot=self._bot_id,
            text=delivery.text,
            message_id=delivery.id,
            group=target.chat_type != "dm",
            number=int(self._entropy.token()[:8], 16),
            ref=target.reply_to[-1] if target.reply_to else "",
        )
        head, answer = await connection.ask(cmd, data)
        try:
            number, text = wire.code(answer)
        except Malformed:
            raise SendUnknown("Yuanbao's answer could not be read") from None
        number = number or head.status
        if number in BUSY:
            raise SendTemporary(f"Yuanbao answered {number}: {text}")
        if number:
            raise SendPermanent(f"Yuanbao answered {number}: {text}")
        return Sent(delivery.id)

    async def typing(self, target: Target, on: bool) -> None:
        """Raises SendFailed, which harms nothing."""
        cmd, data = wire.typing(
            to=target.chat_id,
            bot=self._bot_id,
            group=target.chat_type != "dm",
            on=on,
            at_ms=int(self._clock.now() * 1000),
        )
        await self._connected().ask(cmd, data)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """Raises FetchFailed."""
        return await media.fetch(self._session, self._tokens, self._api_url, attachment.ref or "", limit)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise SendTemporary("Yuanbao is not connected")
        return self._connection
