"""A running driver and its peer, for Feishu's own tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from serai.core.delivery import Delivery, Target
from serai.core.ids import AgentId, DeliveryId, InputId
from serai.core.message import Inbound, Press, Revision
from serai.platforms.feishu.driver import Feishu
from serai.ports.platform import Receipt
from tests.platforms.feishu.rig import ACCOUNT, FeishuRig, rig

_NUMBERS = count(1)


@dataclass
class Ear:
    """A gateway that keeps what it hears, or raises what is lined up."""

    heard: list[Inbound] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    signs: int = 0
    note: str | None = None
    before: Callable[[], Awaitable[None]] | None = None

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        if self.before is not None:
            await self.before()
        if self.errors:
            raise self.errors.pop(0)
        kept: list[Any] = self.heard
        if isinstance(event, Revision):
            kept = self.revisions
        elif isinstance(event, Press):
            kept = self.presses
        kept.append(event)
        return Receipt(InputId("i1"), note=self.note)

    def up(self, identity: str = "") -> None:
        self.names.append(identity)

    def alive(self) -> None:
        self.signs += 1


@asynccontextmanager
async def connected(ear: Ear) -> AsyncIterator[FeishuRig]:
    """A driver that is logged in."""
    async with rig() as feishu, running(feishu.platform, ear):
        await feishu.logged_in()
        yield feishu


@asynccontextmanager
async def running(platform: Feishu, ear: Ear) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(platform.run(ear))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def target(chat: str = "oc_1", **fields: Any) -> Target:
    return Target(ACCOUNT.platform, chat, ACCOUNT.name, **fields)


def delivery(text: str = "hello", to: Target | None = None, **fields: Any) -> Delivery:
    """A delivery of its own, on its first attempt unless told otherwise."""
    fields = {"attempt": 1} | fields
    return Delivery(DeliveryId(f"dlv_{next(_NUMBERS):024x}"), to or target(), AgentId("main"), text, **fields)
