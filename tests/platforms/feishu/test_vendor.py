"""The fake platform serves the vendor's own Node client: only then does it mean something that the driver passes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.platforms.feishu.app import App
from tests.platforms.feishu.peer import FeishuPeer
from tests.platforms.feishu.state import Said
from tests.platforms.node import installed

SCRIPT: Final = Path(__file__).with_name("vendor.cjs")
APPS: Final = ("cli_0123456789abcde1", "cli_0123456789abcde2")
SECONDS: Final = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder with the vendor's client."""
    return installed("@larksuiteoapi/node-sdk", "1.74.0") / "node_modules"


class Vendor:
    """The client's process; what it tells, by name."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.heard: list[Any] = []

    async def until(self, name: str) -> dict[str, Any]:
        """What it tells until it tells of `name`."""
        told: dict[str, Any] = {}
        assert self._process.stdout
        async with asyncio.timeout(SECONDS):
            while name not in told:
                line = await self._process.stdout.readline()
                assert line, f"it ended; it had told {told}"
                what, value = json.loads(line)
                assert what != "failed", value
                told[what] = value
                if what == "heard":
                    self.heard.append(value)
        return told

    def ask(self, what: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(what.encode() + b"\n")


@asynccontextmanager
async def vendor(modules: Path) -> AsyncIterator[tuple[FeishuPeer, list[App], Vendor]]:
    """Two bots of the vendor's in one process, listening."""
    async with FeishuPeer() as peer:
        apps = [peer.app(app, "fake-secret") for app in APPS]
        process = await asyncio.create_subprocess_exec(
            "node",
            str(SCRIPT),
            peer.url,
            env={**os.environ, "NODE_PATH": str(modules), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            client = Vendor(process)
            await client.until("listening")
            async with asyncio.timeout(SECONDS):
                await asyncio.gather(*(app.state.ready.wait() for app in apps))
            yield peer, apps, client
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_two_bots_in_one_process_each_hear_their_own_and_acknowledge_it(modules: Path) -> None:
    async with vendor(modules) as (_, apps, client):
        for app, text in zip(apps, ("for the first", "for the second"), strict=True):
            assert await app.says(text, message=f"om_{app.app_id}"), "not acknowledged"
            await client.until("heard")
        assert client.heard == [
            [app.app_id, f"om_{app.app_id}", json.dumps({"text": text})]
            for app, text in zip(apps, ("for the first", "for the second"), strict=True)
        ]


async def test_an_event_in_pieces_is_put_together(modules: Path) -> None:
    async with vendor(modules) as (_, apps, client):
        assert await apps[0].push(apps[0].message("in pieces", message="om_1"), pieces=3)
        await client.until("heard")
        assert client.heard == [[APPS[0], "om_1", json.dumps({"text": "in pieces"})]]


async def test_a_pressed_button_is_answered_with_a_toast(modules: Path) -> None:
    async with vendor(modules) as (_, apps, _client):
        event = {"operator": {"open_id": "ou_42"}, "action": {"tag": "button", "value": {"value": "yes"}}}
        answer = await apps[0].answer(apps[0].envelope("card.action.trigger", event))
        assert answer == {"code": 200, "data": {"toast": {"type": "info", "content": "noted yes"}}}


async def test_every_call_that_the_driver_makes_is_answered_as_the_client_expects(modules: Path) -> None:
    async with vendor(modules) as (peer, _, client):
        peer.world.said["om_known"] = Said("oc_1", None, "ou_42")
        peer.world.chats["oc_1"], peer.world.users["ou_42"] = "ops", "Ada"
        client.ask("calls")
        told = await client.until("done")
    refused = {name: value for name, value in told.items() if isinstance(value, dict) and value.get("code")}
    assert not refused
    assert told["bot"]["app_name"] == "Bot"
    assert told["create"]["data"]["message_id"] == told["again"]["data"]["message_id"]
    assert told["reply"]["data"]["thread_id"] == "omt_om_known"
    assert told["resource"] == "bytes"
    assert told["convert"]["data"]["card_id"] == told["card"]["data"]["card_id"]
    assert (told["chat"]["data"]["name"], told["user"]["data"]["user"]["name"]) == ("ops", "Ada")
    texts = [posted.text for posted in peer.world.posted]
    assert texts == ["**hello**", "hello", "", "The end", "Allowed."]
