"""/api/sessions: what a key may see, name, copy, delete, and say there (SPEC 11.6, 11.7, 16.3)."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.api.call import SESSION_CALLS
from tests.api.hosted import LAB, OPERATOR, SECOND, whole


def ids(listed: Any) -> list[str]:
    assert set(listed) == {"object", "data", "has_more", "next"}
    assert listed["object"] == "list"
    return [one["id"] for one in listed["data"]]


async def test_a_session_is_listed_found_and_read(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        await gateway.says("again", "trip")
        (listed,) = (await gateway.get("/api/sessions"))["data"]
        assert await gateway.get("/api/sessions/trip") == listed
        messages = (await gateway.get("/api/sessions/trip/messages"))["data"]
    shown = {name: listed[name] for name in ("object", "id", "key", "agent", "platform", "state", "messages")}
    assert shown == {
        "object": "session",
        "id": "trip",
        "key": "agent:ops:api_server:dm:trip",
        "agent": "ops",
        "platform": "api_server",
        "state": "open",
        "messages": 4,
    }
    assert [(one["n"], one["role"], one["text"]) for one in messages] == [
        (0, "user", "hello"),
        (1, "assistant", "ops at your service"),
        (2, "user", "again"),
        (3, "assistant", "ops at your service"),
    ]


async def test_lists_come_in_pages_without_a_loss_and_without_a_double(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        made = [await gateway.says("hello", f"s{number}") for number in range(7)]
        pages, after = [], ""
        while True:
            page = await gateway.get(f"/api/sessions?limit=3{after}")
            pages.append(ids(page))
            if not page["has_more"]:
                break
            after = f"&before={page['next']}"
        assert page["next"] is None
        assert [len(one) for one in pages] == [3, 3, 1]
        assert [name for one in pages for name in one] == made[::-1]
        first = await gateway.get("/api/sessions/s0/messages?limit=1")
        rest = await gateway.get(f"/api/sessions/s0/messages?limit=9&after={first['next']}")
    assert [one["n"] for one in first["data"] + rest["data"]] == [0, 1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_lists_are_filtered(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "of-ops")
        await gateway.says("hello", "of-lab", key=LAB)
        chat = gateway.hosted.connection()
        await chat.says("hello", chat="ops-room")
        await chat.answer()
        everything = await gateway.get("/api/sessions", OPERATOR)
        assert len(ids(everything)) == 3
        assert ids(await gateway.get("/api/sessions?agent=lab", OPERATOR)) == ["of-lab"]
        assert ids(await gateway.get("/api/sessions?platform=api_server&agent=ops", OPERATOR)) == ["of-ops"]
        assert len(ids(await gateway.get("/api/sessions?platform=webhook", OPERATOR))) == 1
        assert ids(await gateway.get("/api/sessions?state=closed", OPERATOR)) == []
        assert len(ids(await gateway.get("/api/sessions?state=open", OPERATOR))) == 3
        assert ids(await gateway.get("/api/sessions?agent=lab")) == []
        assert ids(await gateway.get("/api/sessions?platform=webhook")) == []


async def test_what_is_anothers_is_not_there(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "mine")
        chat = gateway.hosted.connection()
        await chat.says("hello", chat="ops-room")
        await chat.answer()
        (of_chat,) = ids(await gateway.get("/api/sessions?platform=webhook", OPERATOR))
        for key in (SECOND, LAB):
            assert ids(await gateway.get("/api/sessions", key)) == []
            for method, path, body in SESSION_CALLS:
                found = await gateway.code(method, f"/api/sessions/mine{path}", body, key)
                assert found == (404, "session_not_found")
        for method, path, body in SESSION_CALLS:
            assert await gateway.code(method, f"/api/sessions/{of_chat}{path}", body) == (404, "session_not_found")
            unknown = await gateway.code(method, f"/api/sessions/nothing{path}", body, OPERATOR)
            assert unknown == (404, "session_not_found")
        label = "/api/sessions/agent:ops:api_server:dm:mine"
        assert await gateway.code("GET", label) == (404, "session_not_found")
        assert (await gateway.get("/api/sessions/mine", OPERATOR))["title"] is None
        assert (await gateway.get(f"/api/sessions/{of_chat}", OPERATOR))["owner"] == ""


async def test_a_key_that_lost_its_agent_lost_the_sessions_too(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "mine")
        config = (gateway.hosted.home.path / "config.yaml").read_text()
        gateway.hosted.home.configure(config.replace("key_env: OPS, agents: [ops]", "key_env: OPS, agents: [lab]"))
        assert (await gateway.call("POST", "/api/reload", key=OPERATOR))[0] == 200
        assert ids(await gateway.get("/api/sessions")) == []
        assert await gateway.code("GET", "/api/sessions/mine") == (404, "session_not_found")


async def test_a_session_is_named_and_its_name_taken_away(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        assert (await gateway.call("PATCH", "/api/sessions/trip", {"title": " To Paris "}))[1]["title"] == "To Paris"
        assert (await gateway.get("/api/sessions/trip"))["title"] == "To Paris"
        for empty in (None, "  "):
            assert (await gateway.call("PATCH", "/api/sessions/trip", {"title": empty}))[1]["title"] is None
        assert await gateway.code("PATCH", "/api/sessions/trip", {}) == (400, "missing_required_parameter")
        assert await gateway.code("PATCH", "/api/sessions/trip", {"title": "x" * 201}) == (400, "invalid_value")
        assert await gateway.code("PATCH", "/api/sessions/trip", {"title": "", "x": 1}) == (400, "unknown_parameter")


async def test_a_copy_goes_its_own_way(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        await gateway.call("PATCH", "/api/sessions/trip", {"title": "Paris"})
        status, copy = await gateway.call("POST", "/api/sessions/trip/fork", {"session_id": "other"})
        assert (status, copy["id"], copy["title"], copy["messages"]) == (201, "other", "Paris", 2)
        _, named = await gateway.call("POST", "/api/sessions/trip/fork", {"title": "Rome"})
        assert named["id"].startswith("ses_")
        assert named["title"] == "Rome"
        await gateway.says("on", "other")
        assert (await gateway.get("/api/sessions/other"))["messages"] == 4
        assert (await gateway.get("/api/sessions/trip"))["messages"] == 2
        taken = await gateway.code("POST", "/api/sessions/trip/fork", {"session_id": "other"})
        assert taken == (409, "session_exists")
        wrong = await gateway.code("POST", "/api/sessions/trip/fork", {"session_id": "a b"})
        assert wrong == (400, "invalid_value")


async def test_an_operators_copy_of_a_chat_is_the_operators(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        chat = gateway.hosted.connection()
        await chat.says("hello", chat="ops-room")
        await chat.answer()
        (of_chat,) = ids(await gateway.get("/api/sessions", OPERATOR))
        refused = await gateway.code("POST", f"/api/sessions/{of_chat}/chat", {"message": "hello"}, OPERATOR)
        assert refused == (409, "session_of_chat")
        _, copy = await gateway.call("POST", f"/api/sessions/{of_chat}/fork", key=OPERATOR)
        status, answer = await gateway.call(
            "POST", f"/api/sessions/{copy['id']}/chat", {"message": "and you?"}, OPERATOR
        )
        assert (status, answer["message"]["content"]) == (200, "ops at your service")
        assert (copy["owner"], copy["platform"]) == ("operator", "api_server")
        assert (await gateway.get(f"/api/sessions/{of_chat}", OPERATOR))["messages"] == 2


async def test_a_deleted_session_is_gone_and_its_id_is_free(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("a secret", "trip")
        status, gone = await gateway.call("DELETE", "/api/sessions/trip")
        assert (status, gone) == (200, {"object": "session.deleted", "id": "trip", "deleted": True})
        assert await gateway.code("GET", "/api/sessions/trip") == (404, "session_not_found")
        assert await gateway.code("DELETE", "/api/sessions/trip") == (404, "session_not_found")
        (day,) = (await gateway.get("/api/usage?by=day"))["data"]
        assert day["turns"] == 1
        await gateway.says("hello", "trip", SECOND)
        (asked, _) = (await gateway.get("/api/sessions/trip/messages", SECOND))["data"]
    assert asked["text"] == "hello"
    stored = b"".join(file.read_bytes() for file in (tmp_path / "home").glob("state.db*"))
    assert b"hello" in stored
    assert not await _holds(tmp_path / "home" / "state.db", "a secret")


async def test_what_a_chat_was_sent_goes_with_its_session(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        chat = gateway.hosted.connection()
        await chat.says("a secret", chat="ops-room")
        await chat.answer()
        (session,) = ids(await gateway.get("/api/sessions", OPERATOR))
        while (await gateway.get("/api/deliveries", OPERATOR))["data"][0]["state"] != "sent":
            await asyncio.sleep(0.01)
        assert (await gateway.call("DELETE", f"/api/sessions/{session}", key=OPERATOR))[0] == 200
        (left,) = (await gateway.get("/api/deliveries", OPERATOR))["data"]
        assert (left["state"], left["text"]) == ("sent", "")
        await chat.says("and now?", chat="ops-room")
        await chat.answer()
        (fresh,) = ids(await gateway.get("/api/sessions", OPERATOR))
        assert fresh != session
    assert not await _holds(tmp_path / "home" / "state.db", "a secret")


async def test_what_runs_in_a_deleted_session_is_cancelled_and_its_caller_told(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        gateway.model.go.clear()
        running = asyncio.create_task(gateway.call("POST", "/api/sessions/trip/chat", {"message": "first"}))
        await gateway.model.holds(2)
        waiting = asyncio.create_task(gateway.call("POST", "/api/sessions/trip/chat", {"message": "second"}))
        await _accepted(tmp_path / "home" / "state.db", 3)
        assert (await gateway.call("DELETE", "/api/sessions/trip"))[0] == 200
        for status, document in await asyncio.gather(running, waiting):
            assert (status, document["error"]["code"]) == (503, "run_cancelled")
        gateway.model.go.set()
        assert await gateway.says("hello", "trip") == "trip"
        assert (await gateway.get("/api/sessions/trip"))["messages"] == 2


async def test_what_is_said_in_a_session_is_answered_whole_and_streamed(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        status, answer = await gateway.call("POST", "/api/sessions/trip/chat", {"message": "and you?"})
        events = await gateway.events("POST", "/api/sessions/trip/chat", {"message": "hm", "stream": True})
        assert (await gateway.get("/api/sessions/trip"))["messages"] == 6
    assert status == 200
    assert (answer["object"], answer["session_id"], answer["agent"]) == ("session.answer", "trip", "ops")
    assert answer["message"] == {"role": "assistant", "content": "ops at your service"}
    assert answer["usage"]["total_tokens"] == 0
    assert [event["type"] for event in events] == ["message.delta", "run.completed"]
    assert events[0]["delta"] == "ops at your service"
    assert events[1]["output"] == "ops at your service"


@pytest.mark.parametrize("stream", [False, True])
async def test_who_goes_away_ends_the_turn(stream: bool, tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        gateway.model.go.clear()
        body = {"message": "and you?", "stream": stream}
        asking = asyncio.create_task(gateway.call("POST", "/api/sessions/trip/chat", body))
        await gateway.model.holds(2)
        asking.cancel()
        while await _state(tmp_path / "home" / "state.db") != "cancelled":
            await asyncio.sleep(0.01)
        gateway.model.go.set()
        assert (await gateway.call("POST", "/api/sessions/trip/chat", {"message": "again"}))[0] == 200


async def test_an_operator_speaks_in_the_name_of_the_sessions_own_key(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "trip")
        status, _ = await gateway.call("POST", "/api/sessions/trip/chat", {"message": "psst"}, OPERATOR)
        assert status == 200
        assert (await gateway.get("/api/sessions/trip"))["messages"] == 4


async def test_queries_are_strict(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for query, code in [
            ("limit=0", "invalid_value"),
            ("limit=1001", "invalid_value"),
            ("limit=x", "invalid_value"),
            ("limit=1&limit=2", "invalid_value"),
            ("state=ajar", "invalid_value"),
            ("before=yesterday", "invalid_value"),
            ("before=nan:x", "invalid_value"),
            ("befor=1", "unknown_parameter"),
        ]:
            assert await gateway.code("GET", f"/api/sessions?{query}") == (400, code), query


async def _state(database: Path) -> str:
    """How the latest turn is."""
    with sqlite3.connect(database) as db:
        state: str = db.execute("SELECT state FROM turn ORDER BY id DESC").fetchone()[0]
        return state


async def _holds(database: Path, text: str) -> bool:
    """Whether any row holds a text."""
    with sqlite3.connect(database) as db:
        return any(text in line for line in db.iterdump())


async def _accepted(database: Path, count: int) -> None:
    while True:
        with sqlite3.connect(database) as db:
            if db.execute("SELECT count(*) FROM input").fetchone()[0] >= count:
                return
        await asyncio.sleep(0.01)
