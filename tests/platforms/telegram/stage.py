"""A running driver between the peer and a gateway that keeps what it gets; for Telegram's own tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from serai.core.delivery import Delivery, Target
from serai.core.ids import AgentId, DeliveryId
from serai.core.message import Inbound, Press, Revision
from serai.ports.platform import Receipt
from tests.platforms.telegram.bot import FakeBot
from tests.platforms.telegram.peer import TelegramPeer
from tests.platforms.telegram.rig import ACCOUNT, TelegramRig, rig


@dataclass
class Gateway:
    """A `Link`. `errors` are raised first, by chat; a chat in `slow` takes as many seconds."""

    heard: list[Inbound | Revision | Press] = field(default_factory=list)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    note: str | None = None

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        chat = event.chat_id if isinstance(event, Revision) else event.source.chat_id
        await asyncio.sleep(self.slow.get(chat or "", 0))
        if self.errors.get(chat or ""):
            raise self.errors[chat or ""].pop(0)
        self.heard.append(event)
        return Receipt(None, note=self.note)

    def up(self, identity: str = "") -> None:
        self.logins.append(identity)

    def alive(self) -> None: ...

    @property
    def texts(self) -> list[str]:
        return [event.text or "" for event in self.heard if isinstance(event, Inbound)]


@dataclass
class Stage:
    rig: TelegramRig
    gateway: Gateway
    running: asyncio.Future[None]
    numbers: Any = field(default_factory=lambda: count(1))

    @property
    def bot(self) -> FakeBot:
        return self.rig.bot

    @property
    def peer(self) -> TelegramPeer:
        return self.rig.peer

    def says(self, text: str, *, chat: str = "42", **more: Any) -> int:
        """Somebody writes; returns the update's number."""
        return self.bot.offer(self.peer.says(text, chat=chat, **more))

    async def confirmed(self) -> None:
        """Waits until nothing is unconfirmed."""
        async with asyncio.timeout(300):
            while self.bot.pending or not self.bot.is_waiting:
                await asyncio.sleep(0.1)

    def delivery(self, text: str = "hello", chat: str = "42", **more: Any) -> Delivery:
        target = Target("telegram", chat, ACCOUNT.name, **more)
        return Delivery(DeliveryId(f"d{next(self.numbers)}"), target, AgentId("main"), text, attempt=1)


@asynccontextmanager
async def running() -> AsyncIterator[Stage]:
    """A driver that is logged in."""
    gateway = Gateway()
    async with rig() as made:
        run = asyncio.ensure_future(made.platform.run(gateway))
        try:
            async with asyncio.timeout(30):
                await made.logged_in()
            yield Stage(made, gateway, run)
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
