"""A Feishu app with the fake platform on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.feishu.driver import Feishu
from serai.testing.clock import SeededEntropy, VirtualClock
from serai.testing.platform.malformed import Malformed, damaged, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.feishu.app import App
from tests.platforms.feishu.peer import FeishuPeer
from tests.platforms.feishu.state import Said

ACCOUNT: Final = Account("feishu", "work")
APP_ID: Final = "cli_0123456789abcdef"
SECRET: Final = "fake-feishu-app-secret"
_MENTION: Final = {"key": "@_user_1", "id": {"open_id": "ou_1"}, "name": "Ada"}
_REAL: Final = ("oc_5ce6d572455d361153b7xx51da133945",)


class FeishuRig:
    """The contract's rig, and what Feishu's own tests need beyond it."""

    def __init__(self, session: aiohttp.ClientSession, peer: FeishuPeer) -> None:
        self.peer = peer
        self.session = session
        self.app = peer.app(APP_ID, SECRET, "Serai")
        self.platform = self.driver()
        for name in self.ids:
            peer.world.said[name] = Said(name, None, "ou_42")

    def driver(self, secret: str = SECRET) -> Feishu:
        """A driver of the same app, as after a restart."""
        return Feishu(ACCOUNT, APP_ID, secret, self.peer.url, self.session, VirtualClock(), SeededEntropy())

    def driver_of(self, app: App, secret: str, name: str) -> Feishu:
        """A driver of another app, in the same process."""
        account = Account("feishu", name)
        return Feishu(account, app.app_id, secret, self.peer.url, self.session, VirtualClock(), SeededEntropy())

    @property
    def secrets(self) -> Sequence[str]:
        return (SECRET, "fake-ticket", "t-fake")

    @property
    def ids(self) -> Sequence[str]:
        return (*HARD_IDS, *_REAL)

    @property
    def seen(self) -> Sequence[Seen]:
        return [
            Seen(
                posted.chat,
                posted.text,
                posted.reply_to,
                posted.message_id,
                posted.thread,
                posted.edits,
                tuple(label for label, _ in posted.buttons),
                posted.enclosure,
            )
            for posted in self.peer.world.posted
        ]

    def captured(self) -> Sequence[Captured]:
        files = sorted((Path(__file__).parent / "captured").glob("*.json"))
        return [Captured(file.name, json.loads(file.read_text()), file.stem.endswith("_ignored")) for file in files]

    def payload(self, utterance: Utterance) -> object:
        return self.app.message(utterance.text, chat=utterance.chat, user=utterance.user, message=utterance.message)

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        await self.logged_in()  # the platform keeps events until there is somebody to tell
        return await asyncio.gather(*(self._push(payload) for payload in payloads))

    async def _push(self, payload: Any) -> bool:
        return await self.app.push(payload)

    def malformed(self) -> Sequence[Malformed]:
        said = self.app.message("spoilt", chat="oc_1", chat_type="group", mentions=[_MENTION])
        press = {"operator": {"open_id": "42"}, "action": {"tag": "button", "value": {"serai": "v"}}}
        press |= {"context": {"open_message_id": "om_1", "open_chat_id": "oc_1"}}
        pressed = self.app.envelope("card.action.trigger", press)
        inner = [
            *texts(),
            *(replace(one, payload=json.dumps(one.payload)) for one in (*spoilt(said), *spoilt(pressed))),
        ]
        events = [replace(one, payload=self.app.frame(str(one.payload).encode())) for one in inner]
        return [*damaged(self.app.frame(json.dumps(said).encode()), step=11), *events]

    async def garble(self, payload: object) -> None:
        assert isinstance(payload, bytes)
        await self.app.garble(payload)

    async def fault(self, fault: Fault) -> None:
        if fault == "refused":
            await self.peer.close()
        else:
            self.peer.fault(fault)

    async def logged_in(self) -> None:
        await self.app.state.ready.wait()

    async def start_blank(self) -> None:
        await self.driver(" ").run(Listening(_never))

    async def sever(self, how: Sever) -> None:
        await self.app.sever(how)

    async def revoke(self) -> None:
        await self.app.revoke()

    def echo(self, text: str) -> object:
        return self.app.message(text, user=self.app.state.bot_open_id, sender_type="app")

    async def press(self, label: str, *, user: str = "42") -> bool:
        answer = await self.app.press(label, user)
        return answer is not None and answer["code"] == 200

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        self.peer.world.files["file_v2_fake"] = data
        return self.app.event("file", {"file_key": "file_v2_fake", "file_name": name}, message=message)

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        return self.peer.world.typings


async def _never(event: object) -> Any:
    raise AssertionError("a driver without a secret received something")


@asynccontextmanager
async def rig() -> AsyncIterator[FeishuRig]:
    """An app and its platform."""
    async with FeishuPeer() as peer, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield FeishuRig(session, peer)
