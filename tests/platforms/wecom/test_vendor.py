"""The peer that our driver is tested with is one that the vendor's own client takes for WeCom."""

import asyncio
import json
from pathlib import Path

import aiohttp

from tests.platforms.node import installed, run
from tests.platforms.wecom.peer import WecomPeer

SCRIPT = Path(__file__).parent / "vendor.cjs"


async def test_the_vendors_client_takes_the_peer_for_wecom() -> None:
    folder = installed("@wecom/aibot-node-sdk", "1.0.7")
    async with WecomPeer({"bot": "fake-secret"}) as peer:
        client = asyncio.create_task(run(folder, SCRIPT, peer.url, "bot", "fake-secret"))
        await asyncio.wait_for(peer.connected("bot"), 60)
        await peer.tell("bot", peer.message("hello", user="ada"))
        said = await asyncio.wait_for(peer.heard(4), 60)
        assert [(one.text, one.edits) for one in said[:2]] == [("a part of it all", 1), ("unasked", 0)]
        assert said[2].buttons == (("Yes", "yes"),)
        assert said[3].data == b"x" * 600_000
        await peer.press("bot", "Yes")
        await peer.tell("bot", peer.file("note.txt", b"a file's text"))
        await asyncio.wait_for(peer.heard(5), 60)
        async with aiohttp.ClientSession() as session, session.ws_connect(peer.url) as other:
            body = {"bot_id": "bot", "secret": "fake-secret"}
            await other.send_json({"cmd": "aibot_subscribe", "headers": {"req_id": "other"}, "body": body})
            lines = [json.loads(line) for line in (await client).splitlines()]
    assert {"heard": "hello"} in lines
    assert {"pressed": "yes", "card": "task-1"} in lines
    assert {"file": "a file's text"} in lines
    assert {"disconnected": True} in lines
