"""A real gateway, whatever runs beside it, and what model, receivers and folders have seen of its jobs."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.patience import PATIENCE_S
from tests.process.caller import client_session
from tests.process.gateway import GatewayProcess, Nursery, gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model
from tests.process.receiver import Receiver
from tests.schedules.cast import Actor

HOOK_SECRET: Final = "whsec_ZmFrZS1ob29rLXNlY3JldC0wMTIzNDU2Nzg5"
API_KEY: Final = "fake-key-of-the-operator"
_BOUND: Final = Path(__file__).parents[1] / "process" / "bound.py"


@dataclass
class Recorder:
    """The model of all agents. It says who was asked; what is told to `wait` waits until `go` is set."""

    asked: list[Asked] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, asked: Asked) -> str:
        self.asked.append(asked)
        if "wait" in asked.user_text:
            await self.go.wait()
        return f"{asked.body['model']} did it"

    def of(self, actor: Actor) -> list[Asked]:
        """The requests for that agent's model."""
        return [asked for asked in self.asked if asked.body["model"] == actor.model]


@dataclass
class House:
    """A SERAI_HOME and its gateway."""

    home: Path
    config: dict[str, Any]
    nursery: Nursery
    session: aiohttp.ClientSession
    gateway: GatewayProcess | None = None

    def write(self, **changes: Any) -> None:
        """Writes the configuration anew, with other sections."""
        self.config |= changes
        (self.home / "config.yaml").write_text(json.dumps(self.config, indent=1))

    async def up(self, *, bound: bool = False, environment: Mapping[str, str] | None = None) -> GatewayProcess:
        """Starts the gateway; `bound` by file permissions, whoever runs the tests."""
        command = ["-m", "serai", "--home", str(self.home), "up", "--port", "0"]
        self.gateway = await self.nursery.start(["-S", str(_BOUND), *command] if bound else command, environment)
        return self.gateway

    async def api(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """A call with the operator's key: status and document."""
        assert self.gateway is not None
        headers = {"Authorization": f"Bearer {API_KEY}"}
        url = self.gateway.url + path
        async with self.session.request(method, url, json=document, headers=headers) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        status, document = await self.api("GET", path)
        assert status == 200, document
        return document

    async def problems(self, agent: str) -> list[str]:
        """What is wrong with an agent's jobs, as the API tells it."""
        found = await self.get("/api/jobs")
        return [one["message"] for one in found["problems"] if one["agent"] == agent]

    async def serai(self, *arguments: str) -> tuple[int, str]:
        """A command of this home: exit code, and what it says."""
        process = GatewayProcess(self.home.parent / "command-errors.txt")
        (self.home.parent / "command-errors.txt").write_text("")
        await process.spawn(["-m", "serai", "--home", str(self.home), *arguments], {})
        assert process.process.stdout is not None
        out = (await process.process.stdout.read()).decode()
        return await process.ended(), out + process.errors()

    def log(self) -> Sequence[dict[str, Any]]:
        """Its events so far, without one that is just being written."""
        path = self.home / "logs" / "serai.log"
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'state.db'}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def ran(self, actor: Actor, job: str) -> list[float]:
        """The slots of a job of that agent's directory that were claimed, the earliest first."""
        directory = str(actor.cron.resolve())
        query = "SELECT at FROM slot WHERE directory = ? AND job = ? AND input IS NOT NULL AND NOT manual ORDER BY at"
        return [at for (at,) in self.rows(query, directory, job)]

    def missed(self, actor: Actor, job: str) -> list[tuple[float, float, str]]:
        """The gaps of missed slots: first, last, why."""
        directory = str(actor.cron.resolve())
        query = "SELECT at, until, reason FROM slot WHERE directory = ? AND job = ? AND input IS NULL ORDER BY at"
        return [(at, until, reason) for at, until, reason in self.rows(query, directory, job)]

    def settled(self, actor: Actor, job: str) -> list[tuple[float, float]]:
        """The slots that have run or were missed, first and last of each gap, all at one instant."""
        query = "SELECT at, coalesce(until, at) FROM slot WHERE directory = ? AND job = ? AND NOT manual ORDER BY at"
        return [(first, last) for first, last in self.rows(query, str(actor.cron.resolve()), job)]

    async def settles(self, actor: Actor, job: str) -> None:
        """Waits until each slot of a job of `every 1s` has run once, or is said to be missed: one that is just being
        claimed may come behind a later one. What is lost, or there twice, stays so."""

        def is_whole() -> bool:
            return all(after[0] - before[1] == 1 for before, after in pairwise(self.settled(actor, job)))

        try:
            await until(is_whole)
        except TimeoutError:
            raise AssertionError(f"not one after the other: {self.settled(actor, job)}") from None

    def labels(self) -> set[str]:
        """The session keys of all lanes."""
        return {label for (label,) in self.rows("SELECT label FROM lane")}


@dataclass
class World:
    """Everything in one folder. `model` is the address of all endpoints, `callbacks` those of the receivers."""

    folder: Path
    model: str
    recorder: Recorder
    receivers: Mapping[str, Receiver]
    callbacks: Mapping[str, str]
    nursery: Nursery
    session: aiohttp.ClientSession

    def actor(self, id: str, endpoint: str = "shared", home: Path | None = None, house: str = "home") -> Actor:
        """An agent whose home is furnished."""
        one = Actor(id, home or self.folder / house / "agents" / id, endpoint)
        one.furnish()
        return one

    def house(self, *actors: Actor, name: str = "home", more: Mapping[str, Mapping[str, Any]] | None = None) -> House:
        """A SERAI_HOME with these agents, one webhook account per receiver, and a key for everything. `more` are
        settings of agents."""
        home = self.folder / name
        agents = {
            one.id: {
                **one.settings(self.model),
                **({} if one.home == home / "agents" / one.id else {"home_dir": str(one.home)}),
                **(more or {}).get(one.id, {}),
            }
            for one in actors
        }
        accounts = {
            account: {
                "secret_env": f"HOOK_{account.upper()}",
                "callback_url": callback,
                "open": True,
                "home_chat": "room",
            }
            for account, callback in self.callbacks.items()
        }
        config = {
            "agents": agents,
            "platforms": {"webhook": {"accounts": accounts}} if accounts else {},
            "api_server": {"keys": [{"name": "operator", "key_env": "API_KEY", "agents": "*", "admin": True}]},
        }
        secrets = {f"HOOK_{account.upper()}": HOOK_SECRET + account[:1] * 4 for account in accounts}
        write_home(home, config, {"API_KEY": API_KEY, **secrets})
        return House(home, config, self.nursery, self.session)


@asynccontextmanager
async def world(folder: Path, *accounts: str) -> AsyncIterator[World]:
    """A world with a receiver for each of these webhook accounts."""
    async with AsyncExitStack() as stack:
        recorder = Recorder()
        receivers = {account: Receiver(HOOK_SECRET + account[:1] * 4) for account in accounts}
        callbacks = {name: await stack.enter_async_context(one.serve()) for name, one in receivers.items()}
        model = await stack.enter_async_context(stub_model(recorder))
        nursery = await stack.enter_async_context(gateways(folder))
        session = await stack.enter_async_context(client_session())
        yield World(folder, model, recorder, receivers, callbacks, nursery, session)


async def until(holds: Callable[[], bool]) -> None:
    """Waits until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.05)


async def until_it(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until it is so, where that has to be asked for."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await asyncio.sleep(0.05)
