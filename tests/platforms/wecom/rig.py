"""A WeCom bot and its server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.wecom.driver import Wecom
from serai.ports.platform import Receipt
from serai.testing.clock import SeededEntropy
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.wecom.captured import captured
from tests.platforms.wecom.peer import WecomPeer

ACCOUNT: Final = Account("wecom", "work")
BOT: Final = "fake-bot"
SECRET: Final = "fake-wecom-secret"

_MOMENT: Final = 0.5
"""Seconds of the loop's time in which a driver has handed over what came."""


class WecomRig:
    """The contract's rig."""

    def __init__(self, session: aiohttp.ClientSession, peer: WecomPeer) -> None:
        self.session = session
        self.peer = peer
        self.platform = self.make(SECRET)

    def make(self, secret: str) -> Wecom:
        return Wecom(ACCOUNT, BOT, secret, self.peer.url, self.session, SeededEntropy())

    @property
    def secrets(self) -> Sequence[str]:
        return (SECRET,)

    @property
    def ids(self) -> Sequence[str]:
        return HARD_IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [
            Seen(
                said.chat,
                said.text,
                (said.reply_to,) if said.reply_to else (),
                said.stream or said.task,
                edits=said.edits,
                buttons=tuple(label for label, _ in said.buttons),
                enclosure=said.data,
            )
            for said in self.peer.said
        ]

    def captured(self) -> Sequence[Captured]:
        return captured(self.peer)

    def payload(self, utterance: Utterance) -> object:
        chat = utterance.chat if utterance.chat != utterance.user else ""
        return self.peer.message(utterance.text, user=utterance.user, chat=chat, message=utterance.message)

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        """WeCom wants no acknowledgement, and sends nothing again: a driver that could not hand a message over says
        so in the chat."""
        await self.logged_in()
        taken = []
        for payload in payloads:
            await self.peer.tell(BOT, payload)  # type: ignore[arg-type]
            if len(payloads) > 1:
                taken.append(True)
                continue
            before = len(self.peer.said)
            await asyncio.sleep(_MOMENT)
            complaints = [said for said in self.peer.said[before:] if "cannot read" not in said.text]
            taken.append(not complaints)
            del self.peer.said[before:]
        await asyncio.sleep(_MOMENT)
        return taken

    def malformed(self) -> Sequence[Malformed]:
        headers = {"req_id": "spoilt"}
        goods = [self.peer.message("spoilt", chat="g"), self.peer.file("a.txt", b"x")]
        press = self.peer.message("", chat="g") | {"msgtype": "event"}
        press |= {"event": {"eventtype": "template_card_event", "event_key": "k", "task_id": "t"}}
        frames = [{"cmd": "aibot_msg_callback", "headers": headers, "body": good} for good in (*goods, press)]
        spoiled = [one for frame in frames for one in spoilt(frame)]
        return [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in spoiled)]

    async def garble(self, payload: object) -> None:
        await self.peer.garble(BOT, str(payload))

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
        self.peer.bots[BOT] = "another-fake-secret"
        await self.sever("closed_1000")

    def echo(self, text: str) -> object:
        return self.peer.message(text, user=BOT)

    async def log_in_elsewhere(self) -> None:
        await self.logged_in()
        async with self.session.ws_connect(self.peer.url) as socket:
            body: dict[str, Any] = {"bot_id": BOT, "secret": SECRET}
            await socket.send_json({"cmd": "aibot_subscribe", "headers": {"req_id": "other"}, "body": body})
            await socket.receive()

    async def press(self, label: str, *, user: str = "42") -> bool:
        """WeCom wants no acknowledgement."""
        await self.peer.press(BOT, label, user=user)
        await asyncio.sleep(_MOMENT)
        return True

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        kind = media_type.split("/")[0]
        return self.peer.file(name, data, kind=kind if kind in ("image", "video") else "file", message=message)

    async def start_blank(self) -> None:
        await self.make(" ").run(Listening(_never))


async def _never(event: object) -> Receipt:
    raise AssertionError("a driver without a secret received something")


@asynccontextmanager
async def rig() -> AsyncIterator[WecomRig]:
    """A bot on loopback."""
    async with (
        WecomPeer({BOT: SECRET}) as peer,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield WecomRig(session, peer)
