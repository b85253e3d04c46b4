"""POST /api/deliveries with an Idempotency-Key: asked for again, nothing is sent twice (SPEC 11.7)."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

from serai.core.error import StorageFailed
from tests.api.hosted import CONFIG, KEYS, OPERATOR, Whole, whole
from tests.app.stage import SECRETS, Held, Home, hosting
from tests.stores.test_sqlite import memory_store

BODY = {"target": ["webhook:ops-room", "nowhere:1"], "text": "hello", "agent": "ops"}


async def posted(gateway: Whole, name: str, body: object = BODY, key: str = OPERATOR) -> tuple[int, Any]:
    """The answer to a request with that Idempotency-Key."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    async with (
        aiohttp.ClientSession(gateway.hosted.url, headers=headers) as client,
        client.post("/api/deliveries", json=body) as response,
    ):
        return response.status, await response.json()


async def sent(gateway: Whole) -> int:
    return len((await gateway.get("/api/deliveries", OPERATOR))["data"])


async def test_a_repeat_gets_the_first_answer_and_sends_nothing(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        first, *others = await asyncio.gather(*[posted(gateway, "morning") for _ in range(3)])
        again = await posted(gateway, "morning")
        assert await sent(gateway) == 1
        anew = await posted(gateway, "evening")
        assert await sent(gateway) == 2
    assert first[0] == 202
    assert [*others, again] == [first] * 3
    assert anew[1]["data"][0]["deliveries"] != first[1]["data"][0]["deliveries"]


async def test_another_body_is_409_and_another_keys_is_another_request(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await posted(gateway, "morning")
        status, refused = await posted(gateway, "morning", {**BODY, "text": "bye"})
        assert (status, refused["error"]["code"]) == (409, "idempotency_conflict")
        assert refused["error"]["param"] == "Idempotency-Key"
        local, _ = await posted(gateway, "morning", {**BODY, "text": "bye"}, gateway.hosted.token)
        assert local == 202
        assert await sent(gateway) == 2
        wrong, told = await posted(gateway, "with spaces")
        assert (wrong, told["error"]["code"]) == (400, "invalid_header")


async def test_a_repeat_gets_the_first_answer_from_the_next_gateway_for_24_hours(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        first = await posted(gateway, "morning")
    async with whole(tmp_path) as gateway:
        assert await posted(gateway, "morning") == first
        assert await sent(gateway) == 1
    with closing(sqlite3.connect(tmp_path / "home" / "state.db")) as db:
        assert db.execute("SELECT count(*) FROM idem").fetchone() == (1,)
        db.execute("UPDATE idem SET expires_at = expires_at - 86400")
        db.commit()
    async with whole(tmp_path) as gateway:
        assert await posted(gateway, "morning") != first
        assert await sent(gateway) == 2


async def test_a_request_that_could_not_be_stored_may_be_sent_again(tmp_path: Path) -> None:
    store = memory_store()
    deliver = store.deliver

    async def full(*_: object, **__: object) -> bytes | None:
        store.deliver = deliver  # type: ignore[method-assign]
        raise StorageFailed("the disk is full")

    store.deliver = full  # type: ignore[method-assign]
    home = Home(tmp_path / "home")
    home.configure(CONFIG)
    home.write(SECRETS + KEYS, ".env")
    async with hosting(home, Held(), lambda: store) as hosted:
        gateway = Whole(hosted, Held())
        status, failed = await posted(gateway, "morning")
        assert (status, failed["error"]["code"]) == (503, "storage_failed")
        stored = await posted(gateway, "morning")
        assert await posted(gateway, "morning") == stored
        assert stored[1]["data"][0]["deliveries"] == [(await hosted.connection().answer()).id]
