"""A real gateway whose files change under it (SPEC 2.5, 2.6, 7.6, 16.1)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.process.caller import Caller, client_session
from tests.process.gateway import GatewayProcess, gateways
from tests.process.home import write_env, write_home
from tests.process.model import Asked, stub_model
from tests.process.receiver import Receiver

pytestmark = pytest.mark.slow

KEY: Final = "fake-key-operator"
SECRET: Final = "whsec_ZmFrZS1rZXktd2ViaG9vaw=="
IN_FORCE_SECONDS: Final = 3.0
TURNS: Final = 50


@dataclass
class Scene:
    """A gateway, its model and its home. `keys` are the API keys that the model got, by the model's name."""

    home: Path
    config: dict[str, Any]
    keys: dict[str, list[str]] = field(default_factory=dict)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def answer(self, asked: Asked) -> str:
        name = asked.body["model"]
        self.keys.setdefault(name, []).append(asked.headers.get("authorization", "").removeprefix("Bearer "))
        self.asked += 1
        await self.go.wait()
        return f"{name} at your service"

    def write(self, **changes: Any) -> None:
        (self.home / "config.yaml").write_text(json.dumps({**self.config, **changes}, indent=1))


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """A home with the agents main and ops, whose model is this process."""
    one = Scene(folder / "home", {})
    async with stub_model(one.answer) as model:
        one.config = {
            "model": {"name": "m-main", "base_url": model},
            "agents": {"ops": {"model": "m-ops", "base_url": model, "api_key_env": "OPS_KEY"}},
            "routes": [{"match": {"chat_id": "room"}, "agent": "ops"}],
            "api_server": {"keys": [{"name": "operator", "key_env": "API_KEY", "agents": "*", "admin": True}]},
        }
        write_home(one.home, one.config, {"API_KEY": KEY})
        write_env(one.home / "agents" / "ops" / ".env", {"OPS_KEY": "fake-key-ops-1"})
        yield one


async def serai(home: Path, *arguments: str) -> tuple[int, str, str]:
    """A command of the same home: exit code, output, errors."""
    process = GatewayProcess(home / "command-errors.txt")
    (home / "command-errors.txt").write_text("")
    await process.spawn(["-m", "serai", "--home", str(home), *arguments], {})
    assert process.process.stdout is not None
    out = await process.process.stdout.read()
    return await process.ended(), out.decode(), process.errors()


def up(home: Path) -> list[str]:
    return ["-m", "serai", "--home", str(home), "up", "--port", "0"]


async def until(holds: Any, seconds: float = IN_FORCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end, f"it did not come true within {seconds:g} s"
        await asyncio.sleep(0.1)


async def readiness(caller: Caller) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(await caller.get("/ready"))
    return found


async def test_files_change_under_a_gateway_at_work(tmp_path: Path) -> None:
    async with scene(tmp_path) as one, gateways(tmp_path) as nursery, client_session() as session:
        gateway = await nursery.start(up(one.home))
        caller = Caller(session, gateway.url, SECRET, KEY)
        room = {"X_Hermes_Chat_Id": "room"}

        running = [asyncio.create_task(caller.ask("hello", **room)) for _ in range(TURNS)]
        while one.asked < TURNS:
            await asyncio.sleep(0.02)
        one.write(routes=[{"match": {"chat_id": "room"}, "agent": "lab"}], agents={**one.config["agents"], "lab": {}})

        async def lab_is_there() -> bool:
            return "lab" in (await readiness(caller))["agents"]

        await until(lab_is_there)
        one.go.set()
        assert {answer.text for answer in await asyncio.gather(*running)} == {"m-ops at your service"}
        assert (await caller.ask("hello", **room)).document["model"] == "lab"
        assert (one.home / "agents" / "lab").is_dir()

        write_env(one.home / "agents" / "ops" / ".env", {"OPS_KEY": "fake-key-ops-2"})

        async def new_key_is_used() -> bool:
            await caller.ask("hello", "ops")
            return one.keys["m-ops"][-1] == "fake-key-ops-2"

        await until(new_key_is_used)
        assert set(one.keys["m-ops"][:TURNS]) == {"fake-key-ops-1"}
        assert "fake-key-ops" not in (one.home / "logs" / "serai.log").read_text()


async def test_a_webhook_account_comes_and_goes(tmp_path: Path) -> None:
    receiver = Receiver(SECRET)
    async with (
        scene(tmp_path) as one,
        receiver.serve() as callback,
        gateways(tmp_path) as nursery,
        client_session() as session,
    ):
        write_env(one.home / ".env", {"API_KEY": KEY, "HOOK": SECRET})
        gateway = await nursery.start(up(one.home))
        caller = Caller(session, gateway.url, SECRET, KEY)
        message = {"message_id": "1", "chat_id": "room", "user_id": "ada", "text": "hello"}
        assert (await caller.post(message)).status == 404
        one.write(platforms={"webhook": {"secret_env": "HOOK", "callback_url": callback, "open": True}})
        assert (await serai(one.home, "reload"))[1] == "account webhook added\n"

        async def is_taken() -> bool:
            return (await caller.post(message)).status == 202

        await until(is_taken)
        while not one.asked:
            await asyncio.sleep(0.02)
        one.write()
        assert (await serai(one.home, "reload"))[1] == "account webhook removed\n"
        assert (await caller.post({**message, "message_id": "2"})).status == 404
        assert "draining" in (await readiness(caller))["accounts"]["webhook"]
        one.go.set()
        await receiver.count(1)
        assert [(said.text, said.reply_to) for said in receiver.received] == [("m-ops at your service", ("1",))]

        async def is_gone() -> bool:
            return not (await readiness(caller))["accounts"]

        await until(is_gone)


async def test_a_broken_file_changes_nothing_and_is_named_until_it_is_mended(tmp_path: Path) -> None:
    async with scene(tmp_path) as one, gateways(tmp_path) as nursery, client_session() as session:
        one.go.set()
        gateway = await nursery.start(up(one.home))
        caller = Caller(session, gateway.url, SECRET, KEY)
        whole = (one.home / "config.yaml").read_text()
        for text in (whole[: len(whole) // 2], "", "agents: [", whole.replace('"agents"', '"agnets"')):
            (one.home / "config.yaml").write_text(text)

            async def is_named() -> bool:
                return bool((await readiness(caller))["configuration"]["problems"])

            await until(is_named)
            assert "config.yaml" in (await serai(one.home, "status"))[1]
            code, _, errors = await serai(one.home, "reload")
            assert code == 1
            assert "stays in force" in errors
            assert (await caller.ask("hello", "ops")).text == "m-ops at your service"
            (one.home / "config.yaml").write_text(whole)
            assert await serai(one.home, "reload") == (0, "nothing has changed\n", "")
            assert not await is_named()


async def test_a_stopped_agent_is_stopped_after_a_restart_too(tmp_path: Path) -> None:
    async with scene(tmp_path) as one, gateways(tmp_path) as nursery, client_session() as session:
        gateway = await nursery.start(up(one.home))
        caller = Caller(session, gateway.url, SECRET, KEY)
        running = asyncio.create_task(caller.ask("hello", "ops"))
        while not one.asked:
            await asyncio.sleep(0.02)
        assert (await serai(one.home, "agent", "stop", "ops"))[0] == 0
        assert (await running).code == "run_cancelled"
        assert (await caller.ask("hello", "ops")).code == "agent_refused"
        one.go.set()
        assert (await caller.ask("hello", "main")).text == "m-main at your service"
        await gateway.stop()

        gateway = await nursery.start(up(one.home))
        caller = Caller(session, gateway.url, SECRET, KEY)
        refused = await caller.ask("hello", "ops")
        assert (refused.status, refused.code) == (403, "agent_refused")
        assert "stopped" in (await serai(one.home, "agent", "list"))[1]
        assert (await serai(one.home, "agent", "start", "ops"))[0] == 0
        assert (await caller.ask("hello", "ops")).text == "m-ops at your service"
