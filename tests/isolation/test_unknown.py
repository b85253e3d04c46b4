"""A message for an agent that is not there is refused, and leaves no trace (SPEC 4.3, 16.6)."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.process.caller import Caller, client_session
from tests.process.gateway import NotUp, gateways
from tests.process.home import write_home
from tests.process.model import Asked, Reply, stub_model
from tests.process.receiver import Receiver

pytestmark = pytest.mark.slow

_SECRET: Final = "whsec_ZmFrZS1ob29rLXNlY3JldC0wMTIzNDU2Nzg5"
_KEY: Final = "fake-key-of-the-team"
_TABLES: Final = ("lane", "session", "input", "turn", "step", "message", "delivery", "idem", "prompt")
_PLUGIN: Final = """
from serai.plugin import hookimpl


@hookimpl
def select_agent(source):
    return "ghost" if source["chat_id"] == "haunted" else None
"""


def settings(model: str, callback: str, **more: object) -> Mapping[str, Any]:
    """`broken` is configured, but its key is nowhere."""
    return {
        "model": {"name": "m-main", "base_url": f"{model}/v1", "api_key_env": "MODEL_KEY"},
        "agents": {"main": {}, "broken": {"model": "m-b", "base_url": f"{model}/v1", "api_key_env": "NO_SUCH_KEY"}},
        "routes": [{"match": {"chat_id": "dead-end"}, "agent": "broken"}],
        "platforms": {
            "webhook": {"secret_env": "HOOK_SECRET", "callback_url": callback, "open": True, "merge": "off"}
        },
        "sessions": {"busy_mode": "queue"},
        "api_server": {"keys": [{"name": "team", "key_env": "TEAM_KEY", "agents": "*", "admin": True}]},
        **more,
    }


SECRETS: Final = {"MODEL_KEY": "fake-key-model", "HOOK_SECRET": _SECRET, "TEAM_KEY": _KEY}


@dataclass(frozen=True, slots=True)
class Stage:
    home: Path
    caller: Caller
    receiver: Receiver
    asked: Sequence[Asked]

    def traces(self) -> Mapping[str, object]:
        """Everything that a message leaves behind: files, rows, model requests, callbacks."""
        files = {str(path) for path in self.home.rglob("*") if not path.name.startswith("state.db")}
        with closing(sqlite3.connect(f"{(self.home / 'state.db').as_uri()}?mode=ro", uri=True)) as db:
            rows = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES}
        return {**rows, "files": files, "model requests": len(self.asked), "callbacks": len(self.receiver.received)}


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    asked: list[Asked] = []

    async def script(one: Asked) -> Reply:
        asked.append(one)
        return "hello"

    receiver = Receiver(_SECRET)
    async with (
        stub_model(script) as model,
        receiver.serve() as callback,
        gateways(folder) as nursery,
        client_session() as session,
    ):
        home = folder / "home"
        (home / "plugins" / "chooser").mkdir(parents=True)
        (home / "plugins" / "chooser" / "plugin.py").write_text(_PLUGIN)
        write_home(home, settings(model, callback, plugins={"enabled": ["chooser"]}), SECRETS)
        gateway = await nursery.start(["-m", "serai", "--home", str(home), "up", "--port", "0"])
        yield Stage(home, Caller(session, gateway.url, _SECRET, _KEY), receiver, asked)


def message(chat: str) -> dict[str, str]:
    return {"chat_id": chat, "user_id": "alice", "message_id": "1", "text": "hello?"}


async def test_a_message_for_an_agent_that_is_not_there_leaves_no_trace(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        assert (await on.caller.ask("hello?")).text == "hello"
        assert (await on.caller.post(message("room"))).status == 202
        await on.receiver.count(1)
        before = on.traces()
        answers = [
            await on.caller.post(message("haunted")),
            await on.caller.post(message("dead-end")),
            await on.caller.ask("hello?", X_Hermes_Chat_Id="haunted"),
            await on.caller.ask("hello?", X_Hermes_Chat_Id="dead-end"),
            await on.caller.ask("hello?", X_Hermes_Chat_Id="haunted", Idempotency_Key="once"),
            await on.caller.ask("hello?", X_Hermes_Chat_Id="haunted", X_Hermes_Session_Id="mine", stream=True),
            await on.caller.ask("hello?", model="broken"),
        ]
        unknown = [
            await on.caller.ask("hello?", model="ghost"),
            await on.caller.ask("hello?", model="ghost", stream=True, Idempotency_Key="once"),
        ]
        assert on.traces() == before
        assert not list(on.home.rglob("*ghost*"))
        metrics = await on.caller.get("/metrics")
    assert {(answer.status, answer.code) for answer in answers} == {(403, "agent_refused")}
    assert {(answer.status, answer.code) for answer in unknown} == {(404, "model_not_found")}
    assert f'serai_messages_refused_total{{code="agent_refused"}} {float(len(answers))}' in metrics


async def test_a_route_to_an_agent_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    routes = [{"match": {"chat_id": "room"}, "agent": "ghost"}]
    home = write_home(tmp_path / "home", settings(nowhere, nowhere, routes=routes), SECRETS)
    async with gateways(tmp_path) as nursery:
        with pytest.raises(NotUp, match="ghost") as death:
            await nursery.start(["-m", "serai", "--home", str(home), "up", "--port", "0"])
    assert death.value.code == 1
    assert "routes[0].agent" in death.value.errors
    assert not list(home.rglob("*ghost*"))
    assert not (home / "state.db").exists()
