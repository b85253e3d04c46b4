"""The API in front of a whole gateway in memory, in real time: scripted model, store without a file."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from openai import AsyncOpenAI

from serai.api.server import Server
from serai.api.services import Approval, Choice, Readiness, Services
from serai.app.approval import RunApprovals
from serai.core.change import Change
from serai.core.ids import AgentId, InputId
from serai.core.snapshot import ApiKey, ApiSettings
from serai.gateway.activity import Activity
from serai.ports.model import Model
from serai.ports.tool import Tool
from serai.stores.sqlite.store import SqliteStore
from serai.testing.clock import SeededEntropy
from tests.api.nothing import NoArchive, NoSessions, no_job, no_retry
from tests.api.stage import ALL_KEY, LOCAL_TOKEN, OPS, Answered, FakeSecrets
from tests.gateway.stage import Stage, snapshot

LAB = AgentId("lab")
LAB_KEY, TWIN_KEY = "fake-key-lab", "fake-key-twin"
KEYS = (
    ApiKey("all", "ALL_KEY", None),
    ApiKey("ops", "OPS_KEY", frozenset({OPS})),
    ApiKey("twin", "TWIN_KEY", frozenset({OPS})),
    ApiKey("lab", "LAB_KEY", frozenset({LAB})),
    ApiKey("admin", "ADMIN_KEY", None, admin=True),
)


class FakeApprovals:
    """At most one approval, in the test's hands."""

    def __init__(self) -> None:
        self.waiting: dict[InputId, Approval] = {}
        self.answers: list[tuple[str, Choice, str]] = []

    async def open(self, run: InputId) -> Approval | None:
        return self.waiting.get(run)

    async def answer(self, approval: str, choice: Choice, by: str) -> bool:
        self.answers.append((approval, choice, by))
        found = [run for run, one in self.waiting.items() if one.id == approval]
        for run in found:
            del self.waiting[run]
        return bool(found)


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    name: str
    id: str
    data: Any


def events(body: bytes) -> list[Sent]:
    """The events of a stream; comments are left out."""
    found = []
    for block in body.decode().split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        fields = {name: value for name, _, value in lines}
        if fields:
            data = fields["data"]
            found.append(
                Sent(fields.get("event", ""), fields.get("id", ""), data if data == "[DONE]" else json.loads(data))
            )
    return found


class Whole:
    """A gateway and its API on loopback."""

    def __init__(self, stage: Stage, *, asking: bool) -> None:
        self.stage = stage
        self.approvals = FakeApprovals()
        self.port = 0
        secrets = FakeSecrets()
        secrets.known |= {"LAB_KEY": LAB_KEY, "TWIN_KEY": TWIN_KEY}
        self.server = Server(
            Services(
                snapshot=lambda: stage.state.snapshot,
                secrets=lambda: secrets,
                redactor=lambda: stage.state.redactor,
                runs=stage.runs,
                archive=NoArchive(),
                sessions=NoSessions(),
                retry=no_retry,
                send=stage.sending.send,
                jobs=stage.jobs,
                check_job=no_job,
                activity=Activity(),
                lasting=stage.lasting,
                approvals=RunApprovals(stage.approvals) if asking else self.approvals,
                conversations=stage.store.conversations,
                explain=stage.resolver.explain,
                endpoint=lambda _platform, _account: None,
                ready=_ready,
                reload=_reload,
                stop_agent=_nothing,
                start_agent=_nothing,
                metrics=lambda: lambda: b"",
                local_token=LOCAL_TOKEN,
                clock=stage.clock,
                entropy=SeededEntropy(),
            )
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str = ALL_KEY, **more: Any) -> AsyncOpenAI:
        """The official client."""
        return AsyncOpenAI(api_key=key, base_url=f"{self.url}/v1", max_retries=0, **more)

    def http(self, key: str = ALL_KEY) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {key}"})

    async def call(
        self,
        method: str,
        path: str,
        body: bytes | object = b"",
        key: str = ALL_KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """One request and its whole answer."""
        lines = [("Authorization", f"Bearer {key}"), *(headers or {}).items()]
        async with self.http(key) as http:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            async with http.request(method, path, data=content, headers=dict(lines)) as answer:
                found = {name.lower(): value for name, value in answer.headers.items()}
                return Answered(answer.status, found, await answer.read())


async def _ready() -> Readiness:
    return Readiness(True, {"ready": True})


async def _reload() -> Change:
    return Change()


async def _nothing(_agent: AgentId) -> None:
    """No agent is switched here."""


@asynccontextmanager
async def whole(
    model: Model,
    *,
    tools: Mapping[str, Tool] | None = None,
    store: SqliteStore | None = None,
    recover: bool = False,
    asking: bool = False,
    seed: int = 7,
    **settings: Any,
) -> AsyncIterator[Whole]:
    """A running gateway with agents main, ops and lab. With `store`, one that takes up what another left;
    with `asking`, people are really asked whether a tool may run."""
    api = ApiSettings(**{"keys": KEYS, **settings})
    stage = Stage(model, replace(snapshot("ops", "lab"), api=api), tools=tools, store=store, seed=seed)
    async with stage.running(recover=recover):
        one = Whole(stage, asking=asking)
        _, one.port = await one.server.start("127.0.0.1", 0)
        try:
            yield one
        finally:
            await one.server.stop(grace=0.01)
