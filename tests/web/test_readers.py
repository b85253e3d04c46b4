"""Readers that are slow, silent or many (SPEC 5.8): none costs memory, none holds up another."""

import asyncio

import pytest

from serai.web import events
from serai.web.draft import Draft
from serai.web.room import Cursor, Room
from tests.patience import PATIENCE_S
from tests.web.stage import CHAT, Teller, browser, serving


async def test_a_reader_who_does_not_read_holds_up_nobody_and_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SLOW_S", 3.0)
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Tell me everything.")
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(f"GET /web/chats/{CHAT}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.read(1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with page.events() as watching:
            for _ in range(32):
                model.say("x" * 500_000)
                await asyncio.sleep(0)
            await watching.until(lambda page: len(page.drafts.get("message-1", "")) == 16_000_000)
            room = stage.site.hub._rooms[CHAT]
            async with asyncio.timeout(PATIENCE_S):
                while room.readers > 1:
                    await asyncio.sleep(0.05)
        writer.transport.abort()


async def test_a_silent_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PATIENCE_S", 0.05)
    async with serving() as stage, browser(stage) as page:
        await page.send("Hello.")
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(f"GET /web/chats/{CHAT}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            await reader.readuntil(b": keep-alive")
        writer.transport.abort()


async def test_who_has_left_is_forgotten() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Hello.")
        model.answer("Hello!")
        async with page.events() as watching:
            await watching.until(lambda page: page.said)
        async with asyncio.timeout(PATIENCE_S):
            while stage.site.hub._rooms:
                await asyncio.sleep(0.02)


def test_a_cursor_gets_whole_drafts_first_and_then_what_is_new_in_browser_units() -> None:
    room, draft, cursor = Room(), Draft("p1", 1, "main"), Cursor()
    draft.write("🙂")
    room.begin(draft)
    assert room.since(cursor) == [("drafts", [{"answers": "p1", "agent": "main", "text": "🙂", "tools": []}])]
    assert room.since(cursor) == []
    draft.write("a")
    draft.write("b")
    assert room.since(cursor) == [("delta", {"answers": "p1", "at": 2, "text": "ab"})]


def test_of_one_agent_only_the_oldest_draft_is_shown() -> None:
    room = Room()
    for n, agent in ((2, "main"), (1, "main"), (3, "ops")):
        room.begin(Draft(f"p{n}", n, agent))
    assert [draft.post for draft in room.shown()] == ["p1", "p3"]
