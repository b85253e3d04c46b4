"""A Yuanbao bot and its server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.yuanbao.driver import Yuanbao
from serai.ports.platform import Receipt
from serai.testing.clock import SeededEntropy, VirtualClock
from serai.testing.platform.malformed import Malformed, damaged, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.yuanbao.peer import Bot, YuanbaoPeer

ACCOUNT: Final = Account("yuanbao", "work")
KEY: Final = "fake-app-key"
SECRET: Final = "fake-yuanbao-secret"
BOT: Final = "bot-1"

_MOMENT: Final = 0.5
"""Seconds of the loop's time in which a driver has handed over what came."""


class YuanbaoRig:
    """The contract's rig."""

    def __init__(self, session: aiohttp.ClientSession, peer: YuanbaoPeer) -> None:
        self.session = session
        self.peer = peer
        self.platform = self.make(SECRET)

    def make(self, secret: str, *, name: str = ACCOUNT.name, key: str = KEY) -> Yuanbao:
        account = Account("yuanbao", name)
        peer = self.peer
        return Yuanbao(
            account, key, secret, peer.api_url, peer.socket_url, self.session, VirtualClock(), SeededEntropy()
        )

    @property
    def secrets(self) -> Sequence[str]:
        return (SECRET, "fake-token-1")

    @property
    def ids(self) -> Sequence[str]:
        return HARD_IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [
            Seen(said.chat, said.text, (said.reply_to,) if said.reply_to else (), said.message)
            for said in self.peer.said
        ]

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        return self.peer.typings

    def captured(self) -> Sequence[Captured]:
        say = self.peer.message

        def custom(**data: Any) -> dict[str, Any]:
            body = [{"msg_type": "TIMCustomElem", "msg_content": {"data": json.dumps(data)}}]
            return say("") | {"msg_body": body}

        face = [{"msg_type": "TIMFaceElem", "msg_content": {"index": 1, "data": '{"name": "smile"}'}}]
        sound = [{"msg_type": "TIMSoundElem", "msg_content": {"url": "https://example.invalid/s", "uuid": "s"}}]
        video = [{"msg_type": "TIMVideoFileElem", "msg_content": {"url": "https://example.invalid/v"}}]
        return [
            Captured("a text", say("hello")),
            Captured("a text in a group", say("hello", chat="group-1", mentions=BOT)),
            Captured("a picture", self.peer.file("a.png", "image/png", b"x")),
            Captured("a file", self.peer.file("a.txt", "text/plain", b"x")),
            Captured("a voice note", say("") | {"msg_body": sound}),
            Captured("a video", say("") | {"msg_body": video}),
            Captured("a sticker", say("") | {"msg_body": face}),
            Captured("a link card", custom(elem_type=1010, title="A page", link="https://example.org")),
            Captured("a forwarded chat", custom(elem_type=1009, text="Ada: hello")),
            Captured("a quote", say("why?", cloud_custom_data='{"quote": {"id": "m", "desc": "so"}}')),
            Captured("an element that is not known", custom(elem_type=9999), ignored=True),
            Captured("what the bot said itself", say("mine", user=BOT), ignored=True),
        ]

    def payload(self, utterance: Utterance) -> object:
        return self.peer.message(
            utterance.text, user=utterance.user, chat=utterance.chat, message_id=utterance.message, mentions=BOT
        )

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        await self.logged_in()
        pushes = [await self.peer.tell(BOT, payload) for payload in payloads]  # type: ignore[arg-type]
        await asyncio.sleep(_MOMENT)
        return [push in self.peer.acknowledged for push in pushes]

    def malformed(self) -> Sequence[Malformed]:
        good = self.peer.message("spoilt", chat="g", mentions=BOT)
        whole = self.peer.push(good)
        inner = [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in spoilt(good))]
        pushes = [replace(one, payload=self.peer.wrapped(str(one.payload).encode())) for one in inner]
        return [*damaged(whole), *pushes]

    async def garble(self, payload: object) -> None:
        assert isinstance(payload, bytes)
        await self.peer.garble(BOT, payload)

    async def fault(self, fault: Fault) -> None:
        await self.logged_in()
        if fault == "refused":
            self.platform._connection = None
        else:
            self.peer.troubles.append(fault)

    async def logged_in(self) -> None:
        await self.peer.connected(BOT)
        while self.platform._connection is None:
            await asyncio.sleep(0.01)

    async def sever(self, how: Sever) -> None:
        await self.logged_in()
        match how:
            case "closed_1000":
                await self.peer.close(BOT, 1000)
            case "closed_1001":
                await self.peer.close(BOT, 1001)
            case "cut":
                self.peer.cut(BOT)
            case "silent":
                self.peer.silence(BOT)

    async def revoke(self) -> None:
        self.peer.bots[KEY].secret = "another-fake-secret"
        self.peer.bots[KEY].token = "revoked"
        self.platform._tokens.forget()
        await self.sever("closed_1000")

    def echo(self, text: str) -> object:
        return self.peer.message(text, user=BOT, chat="1")

    async def log_in_elsewhere(self) -> None:
        await self.logged_in()
        other = self.make(SECRET, name="other")
        running = asyncio.ensure_future(other.run(Listening(_never)))
        while other._connection is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(_MOMENT)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        return self.peer.file(name, media_type, data, message_id=message)

    async def start_blank(self) -> None:
        await self.make(" ").run(Listening(_never))


async def _never(event: object) -> Receipt:
    raise AssertionError("a driver that must not receive anything received something")


@asynccontextmanager
async def rig() -> AsyncIterator[YuanbaoRig]:
    """A bot on loopback."""
    async with (
        YuanbaoPeer({KEY: Bot(SECRET, BOT)}) as peer,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield YuanbaoRig(session, peer)
