"""The WeCom driver: one bot's long connection (SPEC 13)."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import aiohttp
import msgspec
import structlog

from serai.core.delivery import Delivery
from serai.core.error import (
    Busy,
    FetchFailed,
    LoggedInElsewhere,
    Refused,
    SendFailed,
    SendPermanent,
    Startup,
    StorageFailed,
)
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.core.split import measure
from serai.platforms import Surroundings
from serai.platforms.wecom import media
from serai.platforms.wecom.connection import Connection, connect
from serai.platforms.wecom.convert import chat_of, inbound, media_of, press, settled_card
from serai.platforms.wecom.replies import LIFETIME_S, Callback, Replies
from serai.platforms.wecom.speech import LIMIT, Speech, is_stream
from serai.platforms.wecom.wire import Body, Frame, parse_body
from serai.ports.clock import Entropy
from serai.ports.platform import Capabilities, Growth, Link, Sent

_log = structlog.get_logger("wecom")

_CAPABILITIES: Final = Capabilities(
    text_limit=LIMIT,
    text_unit="byte",
    growth=Growth(interval_s=1.0, lifetime_s=LIFETIME_S),
    buttons=True,
    fetches=True,
    enclosure_bytes=media.FILE_MOST,
    names_wait=False,
    silence_s=75.0,  # it answers a ping every half minute; two are missed
    exclusive=True,
)


class Wecom:
    """One bot. Raises Startup for a blank id or secret."""

    def __init__(
        self,
        account: Account,
        bot_id: str,
        secret: str,
        url: str,
        session: aiohttp.ClientSession,
        entropy: Entropy,
    ) -> None:
        if not bot_id.strip() or not secret.strip():
            raise Startup(f"platform `{account}`: the bot's id or secret is blank; set both")
        self._account = account
        self._bot_id = bot_id
        self._secret = secret
        self._url = url
        self._session = session
        self._token = entropy.token
        self._replies = Replies()
        self._connection: Connection | None = None

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Wecom":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        own, secrets = surroundings.settings.settings, surroundings.secrets
        return cls(
            surroundings.settings.account,
            secrets.get(None, str(own["bot_id_env"])),
            secrets.get(None, str(own["secret_env"])),
            str(own["url"]),
            surroundings.session,
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
        connection = await connect(self._session, self._url, self._token)
        try:
            await connection.log_in(self._bot_id, self._secret)
            self._connection = connection
            link.up(f"bot {self._bot_id}")
            await self._serve(connection, link)
        finally:
            self._connection = None
            await asyncio.shield(connection.close())

    async def _serve(self, connection: Connection, link: Link) -> None:
        """Reads, pings, and hands over what came in the order in which it came."""
        came: asyncio.Queue[tuple[Frame, Body]] = asyncio.Queue()
        work = [
            asyncio.create_task(self._read(connection, link, came)),
            asyncio.create_task(self._hand_over(connection, link, came)),
            asyncio.create_task(connection.ping()),
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _read(self, connection: Connection, link: Link, came: "asyncio.Queue[tuple[Frame, Body]]") -> None:
        async for frame in connection.frames():
            link.alive()
            if frame is None:
                continue
            try:
                body = parse_body(frame.body)
            except msgspec.DecodeError as error:
                _log.warning("a message could not be read", account=str(self._account), error=type(error).__name__)
                continue
            if body.event is not None and body.event.eventtype == "disconnected_event":
                raise LoggedInElsewhere(
                    f"the WeCom bot {self._bot_id} was connected by another program; one bot has one connection: "
                    "stop the other one, then run `serai reload`"
                )
            came.put_nowait((frame, body))

    async def _hand_over(self, connection: Connection, link: Link, came: "asyncio.Queue[tuple[Frame, Body]]") -> None:
        while True:
            frame, body = await came.get()
            try:
                await self._take(connection, link, frame, body)
            except Refused:
                pass  # the gateway has told whom it may tell
            except (Busy, StorageFailed) as error:
                # WeCom does not send it again, so its sender must know.
                await self._say(Speech(connection, self._token, self._replies), frame, str(error))

    async def _take(self, connection: Connection, link: Link, frame: Frame, body: Body) -> None:
        if body.event is not None:
            if (pressed := press(self._account, body)) is not None:
                self._replies.note_press(body.event.task_id, _callback(frame, body))
                await link.receive(pressed)
            return
        message = inbound(self._account, body)
        if message is None:
            _log.info("a message of a kind that is not supported", account=str(self._account), kind=body.msgtype)
            await self._say(
                Speech(connection, self._token, self._replies), frame, "I cannot read messages of this kind."
            )
            return
        self._replies.note(body.msgid, _callback(frame, body))
        await link.receive(message)

    async def _say(self, speech: Speech, frame: Frame, text: str) -> None:
        await _quietly(speech.stream(frame.headers.req_id, self._token(), text, finish=True))

    async def send(self, delivery: Delivery) -> Sent:
        """Answers a message while that is possible, else says it unasked. Raises SendTemporary, SendPermanent,
        SendUnknown."""
        self._check_length(delivery.text)
        speech = Speech.over(self._connection, self._token, self._replies)
        target = delivery.target
        now = asyncio.get_running_loop().time()
        req_id = self._replies.request_for(target.chat_id, target.reply_to, now)
        if delivery.enclosure is not None:
            return await speech.enclose(target.chat_id, delivery)
        if delivery.buttons:
            return await speech.ask(target.chat_id, req_id, delivery)
        if req_id is None and delivery.grows:
            raise SendPermanent("nothing was said in this chat for six minutes, so no answer can grow in it")
        return await speech.say(target.chat_id, req_id, delivery)

    async def edit(self, delivery: Delivery) -> Sent:
        """Makes an answer longer, or final; makes a card that was just pressed tell what came of it.

        Raises as `send`; SendPermanent when it is too late for that."""
        self._check_length(delivery.text)
        speech, name = Speech.over(self._connection, self._token, self._replies), delivery.remote_id or ""
        if is_stream(name):
            return await speech.grow(delivery)
        pressed = self._replies.press_of(name, asyncio.get_running_loop().time())
        if pressed is None:
            raise SendPermanent("WeCom changes a card only when it is pressed, and nothing else once it is final")
        await speech.settle(pressed, settled_card(delivery.text, name))
        return Sent(name)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """Raises FetchFailed."""
        try:
            found = media_of(attachment)
        except msgspec.DecodeError:
            raise FetchFailed("this is no file of WeCom") from None
        return await media.fetch(self._session, found, limit)

    def _check_length(self, text: str) -> None:
        if measure(text, "byte") > LIMIT:
            raise SendPermanent(f"the text is longer than {LIMIT} bytes")


def _callback(frame: Frame, body: Body) -> Callback:
    return Callback(chat_of(body), frame.headers.req_id, asyncio.get_running_loop().time())


async def _quietly(work: Awaitable[object]) -> None:
    """A courtesy: where it fails, nothing is lost."""
    try:
        await work
    except SendFailed as error:
        _log.info("a short answer could not be given", error=str(error))
