"""GET /api/events: what happens, told to whoever may know it (SPEC 11.6, 11.7)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from serai.core.activity import Configured
from serai.gateway.activity import Activity
from tests.api.hosted import LAB, OPERATOR, OPS, SECOND, Whole, whole
from tests.api.test_jobs import made


class Reader:
    """Reads a stream event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.last = ""

    async def next(self) -> Any:
        """The next event's data, whose `type` is its name."""
        name = ""
        while line := (await self._response.content.readline()).decode():
            if line.startswith("id: "):
                self.last = line[4:].strip()
            elif line.startswith("event: "):
                name = line[7:].strip()
            elif line.startswith("data: "):
                data = json.loads(line[6:])
                assert data["type"] == name
                return data
        return None


@asynccontextmanager
async def reading(gateway: Whole, key: str, last: str | None = None) -> AsyncIterator[Reader]:
    headers = {"Authorization": f"Bearer {key}", **({"Last-Event-ID": last} if last else {})}
    async with (
        aiohttp.ClientSession(gateway.hosted.url, headers=headers) as client,
        client.get("/api/events") as response,
    ):
        assert response.status == 200
        assert await response.content.readline() == b"retry: 1000\n"
        yield Reader(response)


async def until(reader: Reader, kind: str) -> Any:
    """The next event of that kind."""
    while (one := await reader.next())["type"] != kind:
        pass
    return one


async def test_a_turn_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway, reading(gateway, OPS) as reader:
        await gateway.says("hello", "trip")
        began, ended = await reader.next(), await reader.next()
    assert (began["type"], began["agent"], began["session"], began["attempt"]) == ("turn.started", "ops", "trip", 1)
    assert (ended["type"], ended["state"], ended["run"], ended["model"]) == ("turn.ended", "done", began["run"], "m")
    assert ended["error"] is None


async def test_another_key_of_the_agent_sees_that_it_works_but_not_on_what(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway, reading(gateway, SECOND) as second, reading(gateway, LAB) as lab:
        await gateway.says("hello", "trip", OPS)
        await gateway.says("hello", "other", LAB)
        began = await second.next()
        first_of_lab = await lab.next()
    assert (began["agent"], began["session"], began["run"]) == ("ops", None, None)
    assert (first_of_lab["agent"], first_of_lab["session"]) == ("lab", "other")


async def test_deliveries_and_changes_are_told_and_their_places_to_admins_alone(tmp_path: Path) -> None:
    async with (
        whole(tmp_path) as gateway,
        reading(gateway, OPERATOR) as operator,
        reading(gateway, OPS) as limited,
    ):
        chat = gateway.hosted.connection()
        await chat.says("hello", chat="ops-room")
        await chat.answer()
        seen = [await operator.next() for _ in range(3)]
        some = [await limited.next() for _ in range(3)]
        home = gateway.hosted.home
        config = (home.path / "config.yaml").read_text()
        home.configure(config + "default_agent: lab\n")
        await gateway.call("POST", "/api/reload", key=OPERATOR)
        home.configure("agents: [")
        await gateway.call("POST", "/api/reload", key=OPERATOR)
        await gateway.call("POST", "/api/agents/ops/stop", key=OPERATOR)
        # the gateway looks by itself, too, and what is refused is told for each look
        kinds = ("configuration.changed", "configuration.refused", "agent.switched")
        changed, refused, _ = [await until(operator, kind) for kind in kinds]
        assert await limited.next() == {"type": "agent.switched", "agent": "ops", "stopped": True}
    assert [one["type"] for one in seen] == ["turn.started", "turn.ended", "delivery"]
    assert (seen[2]["chat"], seen[2]["state"]) == ("ops-room", "sent")
    assert (seen[0]["session"] is None, some[0]["session"]) == (False, None)
    assert (some[2]["type"], some[2]["chat"], some[2]["id"]) == ("delivery", None, None)
    assert "default_agent" in " ".join(changed["changed"])
    assert refused["problems"]


async def test_a_reader_that_comes_back_goes_on_where_it_was(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        async with reading(gateway, OPS) as reader:
            await gateway.says("hello", "first")
            assert (await reader.next())["type"] == "turn.started"
            last = reader.last
        await gateway.says("hello", "second")
        async with reading(gateway, OPS, last) as reader:
            missed = [await reader.next() for _ in range(3)]
        wrong = await _status(gateway, "yesterday")
    assert [(one["type"], one["session"]) for one in missed] == [
        ("turn.ended", "first"),
        ("turn.started", "second"),
        ("turn.ended", "second"),
    ]
    assert wrong == 400


async def test_one_that_missed_too_much_is_told_so(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.says("hello", "first")
        async with reading(gateway, OPS, "1") as reader:
            assert [(await reader.next())["type"] for _ in range(2)] == ["events.lost", "turn.started"]


async def test_the_stream_ends_with_the_gateway(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway, reading(gateway, OPS) as reader:
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0)
        await gateway.hosted.stop()
        assert await waiting is None


async def test_the_run_of_a_job_is_told_with_the_job_to_whom_it_belongs(tmp_path: Path) -> None:
    async with (
        whole(tmp_path) as gateway,
        reading(gateway, OPERATOR) as operator,
        reading(gateway, OPS) as owner,
        reading(gateway, SECOND) as second,
    ):
        job = await made(gateway)
        _, run = await gateway.call("POST", f"/api/jobs/{job['id']}/run")
        for reader in (operator, owner):
            turn = [await reader.next() for _ in range(2)]
            assert [one["type"] for one in turn] == ["turn.started", "turn.ended"]
            assert {(one["job"], one["run"]) for one in turn} == {(job["id"], run["id"])}
            assert None not in {one["session"] for one in turn}
        hidden = [await second.next() for _ in range(2)]
        assert {(one["job"], one["run"], one["session"]) for one in hidden} == {(None, None, None)}
        await gateway.says("hello", "trip")
        assert (await owner.next())["job"] is None


async def test_a_missed_slot_is_told_to_whoever_may_see_the_job(tmp_path: Path) -> None:
    async with (
        whole(tmp_path) as gateway,
        reading(gateway, OPERATOR) as operator,
        reading(gateway, OPS) as owner,
        reading(gateway, SECOND) as second,
        reading(gateway, LAB) as lab,
    ):
        gateway.model.go.clear()
        job = await made(gateway, schedule="every 1s", name="Pulse")
        await gateway.model.holds(1)
        seen = [await until(owner, "job.missed")]
        while seen[-1]["reason"] != "the run before was still under way":  # some may be missed before
            seen.append(await until(owner, "job.missed"))
        assert [await until(operator, "job.missed") for _ in seen] == seen
        await gateway.call("DELETE", f"/api/jobs/{job['id']}")
        gateway.model.go.set()
        for reader, key in ((second, SECOND), (lab, LAB)):
            session, told = await gateway.says("hello", key=key), [await reader.next()]
            while told[-1].get("session") != session:
                told.append(await reader.next())
            assert "job.missed" not in {one["type"] for one in told}
    assert {(one["agent"], one["job"], one["name"]) for one in seen} == {("ops", job["id"], "Pulse")}
    assert all(0 < one["first"] <= one["last"] for one in seen)


def test_what_is_kept_is_bounded_and_numbered() -> None:
    activity = Activity(now=5.0, kept=3)
    first = activity.last
    for number in range(5):
        activity.tell(Configured((str(number),), ()))
    kept, lost = activity.since(first)
    assert [(number - first, happening.changed) for number, happening in kept] == [
        (3, ("2",)),
        (4, ("3",)),
        (5, ("4",)),
    ]
    assert lost
    assert activity.since(first + 2) == (kept, False)
    assert activity.since(activity.last) == ([], False)


async def _status(gateway: Whole, last: str) -> int:
    headers = {"Authorization": f"Bearer {OPS}", "Last-Event-ID": last}
    async with (
        aiohttp.ClientSession(gateway.hosted.url, headers=headers) as client,
        client.get("/api/events") as response,
    ):
        return response.status
