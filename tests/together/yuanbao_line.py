"""Yuanbao: a push that is not acknowledged is told again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.yuanbao.peer import Bot, YuanbaoPeer
from tests.together.line import Later, Line, Place

BOT = "bot-1"
_AGAIN_S = 1.0


class YuanbaoLine:
    account = "yuanbao"
    redelivers = True
    secrets: Mapping[str, str] = {"YUANBAO_KEY": "fake-key", "YUANBAO_SECRET": "fake-yuanbao-secret"}

    def __init__(self, peer: YuanbaoPeer, later: Later) -> None:
        self._peer = peer
        self._later = later

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "app_key_env": "YUANBAO_KEY",
            "app_secret_env": "YUANBAO_SECRET",
            "api_url": self._peer.api_url,
            "socket_url": self._peer.socket_url,
        }

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        await self._peer.connected(BOT)

    async def say(self, place: Place, text: str) -> None:
        chat, mentions = (place.chat, BOT) if place.group else ("", "")
        self._later.begin(self._insist(self._peer.message(text, user=place.user, chat=chat, mentions=mentions)))

    async def _insist(self, fields: dict[str, Any]) -> None:
        while True:
            await self.ready()
            try:
                push = await self._peer.tell(BOT, fields)
            except (ConnectionError, KeyError):
                continue
            await asyncio.sleep(_AGAIN_S)
            if push in self._peer.acknowledged:
                return

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(said.chat, said.text) for said in self._peer.said]


@asynccontextmanager
async def yuanbao() -> AsyncIterator[list[Line]]:
    later = Later()
    async with YuanbaoPeer({"fake-key": Bot("fake-yuanbao-secret", BOT)}) as peer:
        try:
            yield [YuanbaoLine(peer, later)]
        finally:
            await later.close()
