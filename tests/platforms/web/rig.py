"""The web chat before a page that speaks its HTTP, for the contract. Its driver's peer is the mailbox."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from serai.core.error import Startup, StorageFailed
from serai.core.snapshot import ApiKey, ApiSettings
from serai.ports.mailbox import Mailbox, Picture, PostRow
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import Captured, Fault, Seen, Utterance
from tests.app.stage import CONFIG, Home
from tests.web.stage import PIXEL, Teller, WebStage

IDS: Final = ("chat-0001", "__--__--", "ABCDEFGH", "abcdefgh", "0" * 64)
"""The page makes the ids: 8 to 64 letters, digits, `-` and `_`."""

_GUEST: Final = "somebody"


class Faulty:
    """A mailbox whose next answer fails in one way; otherwise the real one. `answers` is what agents said."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.fault: Fault | None = None
        self.answers: list[PostRow] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mailbox, name)

    async def add(self, post: PostRow, owner: str | None = None, pictures: Sequence[Picture] = ()) -> PostRow | None:
        fault, self.fault = self.fault, None
        if fault == "rejected":
            return None
        if fault in ("rate_limited", "server_error", "refused"):
            raise StorageFailed("the disk is full")
        kept = await self._mailbox.add(post, owner, pictures)
        if kept is not None and kept.author:
            self.answers.append(kept)
        if fault in ("timeout", "disconnect"):
            await asyncio.get_running_loop().create_future()
        return kept


class WebRig:
    """The contract's rig. A chat has one person: whoever is not named has the chat's own key."""

    def __init__(self, session: aiohttp.ClientSession, stage: WebStage, mailbox: Faulty, folder: Path) -> None:
        self._session = session
        self._stage = stage
        self._mailbox = mailbox
        self._folder = folder
        self.platform = stage.site.platform

    @property
    def secrets(self) -> Sequence[str]:
        return tuple(_key(name) for name in (*IDS, _GUEST))

    @property
    def ids(self) -> Sequence[str]:
        return IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [Seen(row.chat, row.text, row.answers, row.id) for row in self._mailbox.answers]

    def captured(self) -> Sequence[Captured]:
        picture = {"data": PIXEL, "name": "pixel.png"}
        return [
            Captured("a message", ("1", _GUEST, {"id": "message-1", "text": "hello"})),
            Captured("a picture", ("1", _GUEST, {"id": "message-2", "images": [picture]})),
            Captured("to an agent", ("1", _GUEST, {"id": "message-3", "text": "hello", "agent": "ops"})),
        ]

    def payload(self, utterance: Utterance) -> object:
        user = utterance.chat if utterance.chat in IDS else _GUEST
        return (utterance.chat, user, {"id": _long(utterance.message), "text": utterance.text})

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        return [await self._post(*payload) == 202 for payload in payloads]  # type: ignore[misc]

    async def _post(self, chat: str, user: str, body: object) -> int:
        url = f"{self._stage.url}/web/chats/{_long(chat)}/messages"
        data = body if isinstance(body, str) else json.dumps(body)
        async with self._session.post(
            url, data=data.encode(), headers={"Authorization": f"Bearer {_key(user)}"}
        ) as answer:
            return answer.status

    def malformed(self) -> Sequence[Malformed]:
        good = {"id": "spoilt-01", "text": "spoilt", "agent": "ops", "images": [{"data": PIXEL, "name": "a.png"}]}
        return [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in spoilt(good))]

    async def garble(self, payload: object) -> None:
        assert await self._post("1", _GUEST, payload) in (202, 400, 404, 413)

    async def fault(self, fault: Fault) -> None:
        self._mailbox.fault = fault

    async def logged_in(self) -> None: ...

    async def start_blank(self) -> None:
        """The web chat's credentials are the API's keys: with a blank one, no gateway starts."""
        home = Home(self._folder)
        home.configure(CONFIG + 'api_server: {keys: [{name: ann, key_env: ANN, agents: "*"}]}\n')
        home.write("HOOK=whsec_ZmFrZS1rZXktd2ViaG9vaw==\nANN=\n", ".env")
        loaded = await home.read()
        if loaded.snapshot is None:
            raise Startup("; ".join(str(problem) for problem in loaded.problems))


class _Keys:
    """The secret of each key."""

    def get(self, _reader: object, name: str) -> str:
        return _key(name)

    def values(self) -> Sequence[str]:
        return ()


def _key(name: str) -> str:
    return f"fake-key-of-{name}"


def _long(name: str) -> str:
    """An id as it is, or the long one that stands for a short name."""
    return name if len(name) >= 8 else f"web-{name:0>8}"


@asynccontextmanager
async def rig() -> AsyncIterator[WebRig]:
    """A page and its server; the gateway behind it is the contract's."""
    keys = tuple(ApiKey(name, name, None) for name in (*IDS, _GUEST))
    stage = WebStage(Teller(), ApiSettings(keys=keys), None, None, secrets=_Keys(), wrap=Faulty)
    mailbox = stage.mailbox
    assert isinstance(mailbox, Faulty)
    for chat in IDS:
        await mailbox.add(PostRow(chat, "the-first", "", "hello", "done", stage.gateway.clock.now()), chat)
    _, stage.port = await stage.server.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            with TemporaryDirectory() as folder:
                yield WebRig(session, stage, mailbox, Path(folder, "home"))
    finally:
        await stage.site.hub.close()
        await stage.server.stop(grace=0.05)
