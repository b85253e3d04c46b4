"""A driver that runs before a homeserver, with a gateway that keeps what it hears."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from serai.core.delivery import Delivery, Target
from serai.core.ids import Account, AgentId, DeliveryId
from serai.core.message import Inbound
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Surroundings
from serai.platforms.matrix.driver import Matrix
from serai.testing.clock import SeededEntropy, VirtualClock
from serai.testing.platform.stage import Gateway
from tests.patience import PATIENCE_S
from tests.platforms.matrix.synapse import User

ACCOUNT = Account("matrix", "default")
OPEN = Access(open=True)
_numbers = count(1)


class Hearing(Gateway):
    """A gateway for tests in real time: its `heard` can be waited for, as long as the driver `runs`."""

    runs: "asyncio.Future[None] | None" = None

    async def hears(self, text: str, seconds: float = PATIENCE_S) -> Inbound:
        """The first message with that text."""
        return await self.when(
            lambda: next((inbound for inbound in self.heard if inbound.text == text), None), seconds
        )

    async def when(self, found: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
        """What `found` returns once that is something; raises what ended the driver."""
        await until(lambda: found() or (self.runs and self.runs.done()), seconds)
        if self.runs is not None and self.runs.done():
            self.runs.result()
        return found()


async def until(found: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """What `found` returns once that is something."""
    async with asyncio.timeout(seconds):
        while not (result := found()):
            await asyncio.sleep(0.02)
    return result


def delivery(
    chat: str,
    text: str,
    *,
    key: str | None = None,
    reply_to: tuple[str, ...] = (),
    thread: str | None = None,
    chat_type: str = "dm",
    user: str | None = None,
    **more: Any,
) -> Delivery:
    """A delivery of the account's."""
    target = Target("matrix", chat, "default", thread, None, reply_to, chat_type, user)
    return Delivery(DeliveryId(key or f"dlv_{next(_numbers)}"), target, AgentId("main"), text, attempt=1, **more)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as made:
        yield made


@asynccontextmanager
async def connected(
    url: str, user: User, folder: Path, access: Access = OPEN
) -> AsyncIterator[tuple[Matrix, Hearing]]:
    """A running driver, logged in, until the block ends."""
    gateway = Hearing()
    async with session() as made:
        driver = Matrix(ACCOUNT, url, user.token, made, folder, SeededEntropy(), access)
        gateway.runs = running = asyncio.ensure_future(driver.run(gateway))
        try:
            await gateway.when(lambda: gateway.logins)
            yield driver, gateway
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def surroundings(made: aiohttp.ClientSession, url: str, token: str, folder: Path, **own: object) -> Surroundings:
    """What a configured account's driver is made of."""
    settings = AccountSettings(ACCOUNT, OPEN, {"homeserver": url, "access_token_env": "MATRIX_TOKEN", **own})
    return Surroundings(settings, Held(token), made, VirtualClock(), SeededEntropy(), folder)


@dataclass(frozen=True, slots=True)
class Held:
    """Secrets that are all the same one."""

    secret: str

    def get(self, reader: AgentId | None, name: str) -> str:
        return self.secret

    def values(self) -> Iterable[str]:
        return [self.secret]
