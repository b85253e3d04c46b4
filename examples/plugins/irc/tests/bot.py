"""The driver at a server, kept up by a small supervisor, without a gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from peer import PASSWORD
from person import PATIENCE_S, Server
from rig import ACCOUNT, config
from serai_irc.driver import Irc

from serai.core.delivery import Delivery, Target
from serai.core.error import Shut
from serai.core.ids import AgentId, DeliveryId
from serai.testing import SeededEntropy
from serai.testing.platform.stage import Gateway


class Bot:
    """The driver under a small supervisor, and what it tells the gateway."""

    def __init__(self, at: Server, password: str = PASSWORD, **changes: Any) -> None:
        self.gateway = Gateway()
        self.driver = Irc(
            ACCOUNT, config(**{"port": at.port, "line_interval_s": 0, **changes}), password, SeededEntropy()
        )
        self.ends: list[Exception] = []
        self.shut: Shut | None = None

    async def keep(self) -> None:
        while True:
            try:
                await self.driver.run(self.gateway)
            except Shut as error:
                self.shut = error
                return
            except OSError as error:
                self.ends.append(error)
            await asyncio.sleep(0.1)

    async def says(self, chat: str, text: str) -> None:
        target = Target("irc", chat, ACCOUNT.name)
        await self.driver.send(Delivery(DeliveryId("d1"), target, AgentId("main"), text, attempt=1))

    async def until(self, count: int, *, logins: bool = False) -> None:
        """Waits until so much was heard, or until it has logged in so often."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.gateway.logins if logins else self.gateway.heard) < count:
                assert self.shut is None, self.shut
                await asyncio.sleep(0.01)

    @property
    def heard(self) -> list[tuple[Any, ...]]:
        found = []
        for one in self.gateway.heard:
            source = one.source
            found.append((source.chat_type, source.chat_id, source.user_id, one.text, one.mentioned))
        return found


@asynccontextmanager
async def kept(at: Server, **changes: Any) -> AsyncIterator[Bot]:
    """A bot that is logged in."""
    bot = Bot(at, **changes)
    keeping = asyncio.create_task(bot.keep())
    try:
        await bot.until(1, logins=True)
        yield bot
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
