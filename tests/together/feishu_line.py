"""Feishu: an event that is not acknowledged is told again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.feishu.app import App
from tests.platforms.feishu.peer import FeishuPeer
from tests.together.line import Later, Line, Place

_AGAIN_S = 1.0


class FeishuLine:
    redelivers = True

    def __init__(self, name: str, app: App, secret: str, peer: FeishuPeer, later: Later) -> None:
        self.account = "feishu" if name == "default" else f"feishu@{name}"
        self._name = name.upper()
        self._app = app
        self._secret = secret
        self._peer = peer
        self._later = later

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "app_id": self._app.app_id,
            "app_secret_env": f"FEISHU_SECRET_{self._name}",
            "domain": self._peer.url,
        }

    @property
    def secrets(self) -> Mapping[str, str]:
        return {f"FEISHU_SECRET_{self._name}": self._secret}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        while not any(line.is_open for line in self._app.state.lines):
            await asyncio.sleep(0.05)

    async def say(self, place: Place, text: str) -> None:
        more: dict[str, Any] = {"chat": place.chat, "user": place.user}
        if place.group:
            mention = {"key": "@_user_1", "id": {"open_id": self._app.state.bot_open_id}, "name": "Serai"}
            more |= {"chat_type": "group", "mentions": [mention]}
            text = f"@_user_1 {text}"
        self._later.begin(self._app.insist(self._app.message(text, **more), _AGAIN_S))

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(p.chat, p.text) for p in self._peer.world.posted if p.app_id == self._app.app_id]


@asynccontextmanager
async def feishu() -> AsyncIterator[list[Line]]:
    later = Later()
    async with FeishuPeer() as peer:
        apps = [
            (name, peer.app(f"cli_{number:016x}", f"fake-secret-{name}", name), f"fake-secret-{name}")
            for number, name in enumerate(("default", "two"))
        ]
        try:
            yield [FeishuLine(name, app, secret, peer, later) for name, app, secret in apps]
        finally:
            await later.close()
