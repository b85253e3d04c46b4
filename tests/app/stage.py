"""A whole gateway of a home on disk, in virtual time: real configuration, scripted model, fake platforms."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from serai.app import platforms, toolsets
from serai.app.gateway import Gateway
from serai.app.reload import Reading
from serai.app.wrapping import Wrapping
from serai.config.layout import Layout, prepare
from serai.config.load import Loaded, load
from serai.core.ids import Account, AgentId
from serai.core.message import Message, Usage
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta
from serai.ports.platform import Platform
from serai.ports.store import Store
from serai.stores.sqlite.database import connect
from serai.stores.sqlite.store import SqliteStore
from serai.testing.clock import VirtualClock, VirtualTimeLoop
from serai.testing.platform.fake import FakePlatform
from serai.web.driver import ACCOUNT, STANDING
from tests.stores.test_sqlite import memory_store

CONFIG = """\
model: {name: m, base_url: http://127.0.0.1:1/v1}
agents: {main: {}, ops: {}, lab: {}}
routes:
  - {match: {platform: webhook, chat_id: [ops-room]}, agent: ops}
platforms:
  webhook: {secret_env: HOOK, callback_url: "http://127.0.0.1:1/", open: true}
"""
SECRETS = "HOOK=whsec_ZmFrZS1rZXktd2ViaG9vaw==\nOTHER=whsec_YW5vdGhlci1mYWtlLWtleQ==\n"
IN_FORCE_SECONDS = 3.0
"""A changed file is in force by then (SPEC 16.1)."""

_LONGEST_SECONDS = 60.0
"""Virtual time after which a test waits in vain."""


class Home:
    """A SERAI_HOME in the test's hands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        prepare(Layout(path))
        self.configure(CONFIG)
        self.write(SECRETS, ".env")

    def configure(self, text: str) -> None:
        self.write(text, "config.yaml")

    def write(self, text: str, name: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")

    async def read(self) -> Loaded:
        return await asyncio.to_thread(
            load, self.path, {}, platforms.Schemas(Layout(self.path).plugins), toolsets.names()
        )


class Hosted:
    """A running gateway, and all its fake connections, the latest of each account last."""

    def __init__(self, home: Home, state: State) -> None:
        self.home = home
        self.state = state
        self.connections: dict[str, list[FakePlatform]] = {}
        self.url = ""
        self.token = ""
        self.stop: Callable[[], Awaitable[None]]

    def connection(self, account: str = "webhook") -> FakePlatform:
        """The account's latest."""
        return self.connections[account][-1]

    def fake(self, real: Platform) -> Platform:
        account: Account = real.account
        made = FakePlatform(account.platform, account.name)
        self.connections.setdefault(str(account), []).append(made)
        return made

    async def in_force(self) -> None:
        """Waits as long as a change may take."""
        await asyncio.sleep(IN_FORCE_SECONDS)

    async def call(self, method: str, path: str, document: object = None, key: str | None = None) -> tuple[int, Any]:
        """One request, of the local admin unless with another key."""
        headers = {"Authorization": f"Bearer {key or self.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=document, headers=headers) as response,
        ):
            return response.status, await response.json()

    async def ask(self, agent: str, text: str = "hello") -> tuple[int, Any]:
        """One question over the API."""
        question = {"model": agent, "messages": [{"role": "user", "content": text}]}
        return await self.call("POST", "/v1/chat/completions", question)

    async def configuration(self) -> Any:
        """What /ready says about it."""
        return (await self.call("GET", "/ready"))[1]["configuration"]


class Held(Model):
    """A model that answers, when `go` is set, with the name of the agent that asks."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked: list[AgentId] = []

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        self.asked.append(request.agent)
        await self.go.wait()
        return ModelReply(Message("assistant", f"{request.agent} at your service"), Usage(), "m", "stop")

    async def holds(self, count: int) -> None:
        """Waits until so many have asked."""
        while len(self.asked) < count:
            await asyncio.sleep(0.01)


def _following(real: Clock) -> Clock:
    """The wall clock goes as fast as the loop does: what is due in a second by one is so by the other."""
    return VirtualClock(real.now()) if isinstance(asyncio.get_running_loop(), VirtualTimeLoop) else real


def _on_disk(home: Home, own: Store) -> Store:
    """The gateway's own; in virtual time one of the same file that commits on the event loop, so that time cannot
    pass while the disk is written."""
    if not isinstance(asyncio.get_running_loop(), VirtualTimeLoop):
        return own
    file = Layout(home.path).database
    return SqliteStore(connect(str(file)), connect(str(file), read_only=True), path=file, inline=True)


@asynccontextmanager
async def hosting(
    home: Home, model: Model, store: Callable[[], SqliteStore] | None = memory_store
) -> AsyncIterator[Hosted]:
    """Runs the gateway of `home` for the block; `store` None: on the home's own database."""
    loaded = await home.read()
    assert loaded.snapshot is not None, loaded.problems
    state = State(loaded.snapshot, loaded.secrets, {ACCOUNT: STANDING})
    hosted, spare = Hosted(home, state), list[Store]()

    def chosen(own: Store) -> Store:
        instead = store() if store else _on_disk(home, own)
        if instead is not own:
            spare.append(own)
        return instead

    wrapping = Wrapping(
        clock=_following,
        store=chosen,
        model=lambda _: model,
        platform=hosted.fake,
    )
    async with aiohttp.ClientSession() as session:
        gateway = Gateway(Layout(home.path), Reading(home.read, loaded), state, session, wrapping)
        host, port = await gateway.start("127.0.0.1", 0)
        hosted.url, hosted.token, hosted.stop = f"http://{host}:{port}", gateway.token, gateway.stop
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                yield hosted
        finally:
            await gateway.stop(grace=0)
            for own in spare:
                await own.close()
