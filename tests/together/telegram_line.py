"""Telegram: an update that is not confirmed is offered again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.telegram.bot import FakeBot
from tests.platforms.telegram.peer import TelegramPeer
from tests.together.line import Line, Place


class TelegramLine:
    redelivers = True

    def __init__(self, name: str, bot: FakeBot, peer: TelegramPeer) -> None:
        self.account = "telegram" if name == "default" else f"telegram@{name}"
        self._variable = f"TELEGRAM_{name.upper()}"
        self._bot = bot
        self._peer = peer

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"token_env": self._variable, "base_url": self._peer.url}

    @property
    def secrets(self) -> Mapping[str, str]:
        return {self._variable: self._bot.token}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        while not self._bot.is_waiting:
            await asyncio.sleep(0.05)

    async def say(self, place: Place, text: str) -> None:
        more: dict[str, Any] = {}
        if place.thread:
            more = {"message_thread_id": int(place.thread), "is_topic_message": True}
        if place.group:
            name = f"@{self._bot.username}"
            text = f"{name} {text}"
            more["entities"] = [{"type": "mention", "offset": 0, "length": len(name)}]
        self._bot.offer(self._peer.says(text, chat=place.chat, user=place.user, **more))

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(posted.chat, posted.text) for posted in self._bot.posted]


@asynccontextmanager
async def telegram() -> AsyncIterator[list[Line]]:
    async with TelegramPeer() as peer:
        yield [
            TelegramLine(name, peer.bot(f"{number}:fake-token-{name}", f"serai_{name}_bot"), peer)
            for number, name in ((7, "default"), (8, "two"))
        ]
