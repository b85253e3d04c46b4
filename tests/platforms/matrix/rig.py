"""A Matrix account before the homeserver in memory. Loopback only."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.core.snapshot import Access
from serai.platforms.matrix.driver import Matrix
from serai.ports.platform import Receipt
from serai.testing.clock import SeededEntropy
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.matrix.homeserver import SERVER, Login
from tests.platforms.matrix.peer import MatrixPeer

ACCOUNT: Final = Account("matrix", "work")
_ALICE: Final = f"@alice:{SERVER}"
_GIVEN_UP_S: Final = 30.0
_PATIENCE_S: Final = 0.6
"""For which a confirmation is waited for. A driver that could not hand a message on tries again after a second."""


class MatrixRig:
    """The contract's rig, and what the driver's own tests need beyond it."""

    def __init__(self, peer: MatrixPeer, session: aiohttp.ClientSession, folder: Path) -> None:
        self.peer = peer
        self.bot: Login = peer.login("bot")
        self._session = session
        self._folder = folder
        self._answered = 1
        self.platform = self._driver(self.bot.token)
        for name in self.ids:
            peer.open(name, _ALICE, self.bot.user_id)

    def _driver(self, token: str) -> Matrix:
        access = Access(open=True)
        return Matrix(ACCOUNT, self.peer.url, token, self._session, self._folder, SeededEntropy(), access)

    @property
    def secrets(self) -> Sequence[str]:
        return (self.bot.token,)

    @property
    def ids(self) -> Sequence[str]:
        return HARD_IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return self.peer.sent

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        return self.peer.typings

    def captured(self) -> Sequence[Captured]:
        events = json.loads((Path(__file__).parent / "captured.json").read_text())
        return [Captured(name, {"chat": "!captured", **event}, ignored) for name, ignored, event in events]

    def payload(self, utterance: Utterance) -> object:
        content = {"msgtype": "m.text", "body": utterance.text}
        return self._payload(utterance.chat, utterance.user, utterance.message, content)

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        address = f"mxc://{SERVER}/{name}"
        self.peer.server.media[address] = (data, media_type)
        info = {"mimetype": media_type, "size": len(data)}
        return self._payload(
            "1", _ALICE, message, {"msgtype": "m.file", "body": name, "filename": name, "url": address, "info": info}
        )

    def echo(self, text: str) -> object:
        return self._payload("1", self.bot.user_id, "own", {"msgtype": "m.text", "body": text})

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        places = []
        for payload in payloads:
            assert isinstance(payload, dict)
            event: dict[str, Any] = dict(payload)
            chat = event.pop("chat")
            self.peer.open(chat, _ALICE, self.bot.user_id)
            kind, sender, content = event.pop("type"), event.pop("sender"), event.pop("content")
            message = event.pop("event_id")
            event.pop("origin_server_ts", None)
            key = event.pop("state_key", None)
            self.peer.post(chat, sender, content, kind, message, key=key, **event)
            places.append(self.peer.server.position)
        return [await self.peer.confirmed(self.bot, place, _PATIENCE_S) for place in places]

    def malformed(self) -> Sequence[Malformed]:
        content = {"msgtype": "m.text", "body": "spoilt", "m.mentions": {"user_ids": [_ALICE]}}
        content |= {"m.relates_to": {"rel_type": "m.thread", "event_id": "$e", "m.in_reply_to": {"event_id": "$f"}}}
        info = {"mimetype": "text/plain", "size": 1}
        file = {"msgtype": "m.file", "body": "a.txt", "url": f"mxc://{SERVER}/a", "info": info}
        goods = [self._payload("1", _ALICE, "$spoilt", one) for one in (content, file)]
        events = [one for good in goods for one in spoilt({**good, "origin_server_ts": 1}) if "chat" not in one.name]
        return [*texts(ends=True), *_answers(), *events]

    async def garble(self, payload: object) -> None:
        """A text is the answer of a sync; anything else is an event of a room."""
        await self.logged_in()
        if isinstance(payload, str):
            self._answered = self.peer.answered[self.bot.token] + 2
            self.peer.garble(self.bot, payload)
            return
        assert isinstance(payload, dict)
        self.peer.slip(payload.pop("chat"), payload)
        await self.peer.confirmed(self.bot, self.peer.server.position, _GIVEN_UP_S)

    async def fault(self, fault: Fault) -> None:
        if fault == "refused":
            await self.peer.stop()
        else:
            self.peer.troubles.append(fault)

    async def logged_in(self) -> None:
        await self.peer.polling(self.bot, self._answered)

    async def sever(self, how: Sever) -> None:
        self._answered = self.peer.answered[self.bot.token] + 1
        if how == "silent":
            self.peer.deafen(self.bot)
        else:
            self.peer.sever(self.bot, cleanly=how != "cut")

    async def revoke(self) -> None:
        self.peer.revoke(self.bot)

    async def start_blank(self) -> None:
        await self._driver(" ").run(Listening(_never))

    def _payload(self, chat: str, user: str, message: str, content: dict[str, Any]) -> dict[str, Any]:
        return {"chat": chat, "type": "m.room.message", "sender": user, "event_id": message, "content": content}


def _answers() -> list[Malformed]:
    """Answers of a sync with something of another shape in a place that nobody but the homeserver fills."""
    good = {"next_batch": "s1", "rooms": {"join": {"1": {"timeline": {"events": [], "limited": False}}}}}
    return [replace(one, payload=json.dumps(one.payload), ends=True) for one in spoilt(good)]


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a secret received something")


@asynccontextmanager
async def rig() -> AsyncIterator[MatrixRig]:
    """An account, and the homeserver that it is on."""
    async with MatrixPeer() as peer, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        with TemporaryDirectory() as folder:
            yield MatrixRig(peer, session, Path(folder, "matrix"))
