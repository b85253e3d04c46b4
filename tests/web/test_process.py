"""The web chat of a real gateway, started as people start it, and killed (SPEC 5.6)."""

import asyncio
from itertools import chain, repeat
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import pytest

from tests.patience import PATIENCE_S
from tests.process.gateway import gateways
from tests.process.home import write_home
from tests.process.model import Asked, Reply, stub_model
from tests.web.stage import Browser, Page

pytestmark = pytest.mark.slow

COMMAND = ("-m", "serai", "--home")
SAID = "Bread takes flour, water, salt and time."


async def test_a_gateway_that_is_killed_in_the_middle_of_an_answer_gives_it_whole_and_once(tmp_path: Path) -> None:
    wait, page_state = [0.0], Page()
    holds = chain([4 * PATIENCE_S], repeat(0.0))  # the first answer stops behind its first piece

    async def script(asked: Asked) -> Reply:
        wait[0] = next(holds)
        return SAID if "bread" in asked.user_text else "?"

    async with (
        stub_model(script, lambda: wait[0]) as model,
        gateways(tmp_path) as nursery,
        aiohttp.ClientSession() as session,
    ):
        home = str(write_home(tmp_path / "home", {"model": {"name": "m", "base_url": model}}, {}))
        gateway = await nursery.start([*COMMAND, home, "up", "--port", "0"])
        page = Browser(session, gateway.url)
        assert (await page.get("/")).status == 200
        assert (await page.send("How do I bake bread?")).status == 202
        async with page.events(page_state) as watching:
            await watching.until(lambda page: 0 < len(page.drafts.get("message-1", "")) < len(SAID))
            await gateway.kill()
            await watching.ended()
        wait[0] = 0.0
        port = gateway.url.rpartition(":")[2]
        again = await nursery.start([*COMMAND, home, "up", "--port", port])
        assert again.url == gateway.url
        async with page.events(page_state) as watching:
            seen = await watching.until(lambda page: page.said)
            await watching.until(lambda page: page.messages["message-1"]["state"] == "done")
            await asyncio.sleep(0.3)
        assert seen.said == [SAID]
        assert (await page.send("How do I bake bread?")).json["state"] == "done"
        assert [one["text"] for one in (await page.get("/web/chats/chat-0001")).json["data"]] == [
            "How do I bake bread?",
            SAID,
        ]


async def test_the_address_that_up_prints_is_the_page(tmp_path: Path) -> None:
    async with gateways(tmp_path) as nursery:
        model = {"model": {"name": "m", "base_url": "http://127.0.0.1:9"}}
        home = str(write_home(tmp_path / "home", model, {}))
        gateway = await nursery.start([*COMMAND, home, "up", "--port", "0"])
        printed = ""
        assert gateway.process.stdout is not None
        while "  open" not in printed:
            printed = (await gateway.process.stdout.readline()).decode()
        assert printed.split() == ["open", f"{gateway.url}/"]
        body = await asyncio.to_thread(lambda: urlopen(f"{gateway.url}/", timeout=PATIENCE_S).read())
        assert b"<title>Serai</title>" in body
        await gateway.stop()
