"""The peer that our driver is tested with is one that the vendor's own clients take for Slack."""

import asyncio
import json
from pathlib import Path

from tests.platforms.node import installed, run
from tests.platforms.slack.peer import App, SlackPeer

SCRIPT = Path(__file__).parent / "vendor.cjs"


async def test_the_vendors_clients_take_the_peer_for_slack() -> None:
    folder = installed("@slack/socket-mode", "3.1.0")
    app = App("vendor")
    async with SlackPeer(app) as peer:
        client = asyncio.create_task(run(folder, SCRIPT, peer.base_url, app.bot_token, app.app_token))
        await asyncio.wait_for(peer.connected("vendor"), 60)
        message = await peer.tell("vendor", peer.event("hello"))
        said = await asyncio.wait_for(peer.heard(2), 60)
        press = await peer.press("vendor", "Yes")
        lines = [json.loads(line) for line in (await client).splitlines()]
        await asyncio.wait_for(peer.acknowledges(message, press), 60)
    assert [(one.text, one.edits) for one in said] == [("all of it", 1), ("May I?", 0)]
    assert {"user": "UVENDOR"} in lines
    assert {"heard": "hello", "by": "Ada"} in lines
    assert {"pressed": "yes"} in lines
