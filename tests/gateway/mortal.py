"""A gateway that dies at a chosen instant, and the next one that goes on with what it has left."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from serai.core.delivery import Delivery, Target
from serai.core.ids import Account
from serai.core.message import Attachment
from serai.core.snapshot import Snapshot
from serai.ports.model import Model
from serai.ports.platform import Capabilities, Link, Sent
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life, MortalStore
from tests.gateway.stage import Stage


class MortalDriver:
    """A driver of one process for a peer that outlives it; it can die before and after each send and edit."""

    def __init__(self, peer: FakePlatform, life: Life) -> None:
        self._peer = peer
        self._life = life

    @property
    def account(self) -> Account:
        return self._peer.account

    @property
    def capabilities(self) -> Capabilities:
        return self._peer.capabilities

    async def run(self, link: Link) -> None:
        await self._peer.run(link)

    async def send(self, delivery: Delivery) -> Sent:
        await self._life.passing("before", "send")
        sent = await self._peer.send(delivery)
        await self._life.passing("after", "send")
        return sent

    async def edit(self, delivery: Delivery) -> Sent:
        await self._life.passing("before", "edit")
        sent = await self._peer.edit(delivery)
        await self._life.passing("after", "edit")
        return sent

    async def typing(self, target: Target, on: bool) -> None:
        await self._life.passing("before", "typing")
        await self._peer.typing(target, on)

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        await self._life.passing("before", "fetch")
        data = await self._peer.fetch(attachment, limit)
        await self._life.passing("after", "fetch")
        return data


class Lives:
    """Gateways one after another, on one database and with one peer."""

    def __init__(self, path: Path, model: Model, peer: FakePlatform, config: Snapshot | None, **parts: Any) -> None:
        self._path = path
        self._model = model
        self._peer = peer
        self._config = config
        self._parts = parts
        self._stack = AsyncExitStack()
        self._lives: list[tuple[Life, MortalStore]] = []

    async def begin(self, life: Life) -> Stage:
        """The next gateway, which takes up what the earlier ones left."""
        store = MortalStore(self._path, life)
        stage = Stage(
            self._model,
            self._config,
            store=store,
            platforms=[MortalDriver(self._peer, life)],
            seed=len(self._lives),
            **self._parts,
        )
        stage.fake = self._peer
        await self._stack.enter_async_context(stage.running(recover=bool(self._lives)))
        self._lives.append((life, store))
        return stage

    async def end(self) -> None:
        for life, _ in self._lives:
            life.buried.set()
        await self._stack.aclose()
        for _, store in self._lives:
            store.db.close()


@asynccontextmanager
async def lives(
    path: Path, model: Model, peer: FakePlatform, config: Snapshot | None = None, **parts: Any
) -> AsyncIterator[Lives]:
    """Gateways whose ends are waited for."""
    made = Lives(path, model, peer, config, **parts)
    try:
        yield made
    finally:
        await made.end()
