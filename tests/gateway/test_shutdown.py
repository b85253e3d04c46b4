"""A gateway that stops begins nothing any more, and leaves everything as the next process needs it (SPEC 15)."""

import asyncio
from pathlib import Path

from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, JOB = AgentId("ops"), JobId("0123456789ab")


def stage(model: ScriptedModel) -> Stage:
    files = MemoryJobs()
    files.put(Path("/nonexistent/ops/cron"), Job(JOB, "every 2s", "look around"))
    return Stage(model, snapshot("ops"), files=files)


@virtual_time
async def test_a_slot_that_waits_for_the_run_before_it_is_not_claimed_when_that_ends() -> None:
    model = ScriptedModel(lambda _: "done", delay=5)
    one = stage(model)
    async with one.running(schedules=True, grace=60):
        await asyncio.sleep(4.5)  # one run is under way, and the next slot is due
    rows = await one.jobs.history(OPS, JOB)
    assert [row.state for row in rows] == ["ok"]
    assert len(model.requests) == 1


@virtual_time
async def test_a_run_that_does_not_end_in_time_is_given_back() -> None:
    model = ScriptedModel(lambda _: "done", delay=500)
    one = stage(model)
    async with one.running(schedules=True, grace=10):
        await asyncio.sleep(4.5)
    assert [row.state for row in await one.jobs.history(OPS, JOB)] == ["running"]
    assert one.lanes.in_flight == 0
    assert (await one.store.unfinished(one.clock.now())).lanes


@virtual_time
async def test_a_message_that_comes_at_the_last_moment_is_stored_for_the_next_process() -> None:
    model = ScriptedModel(lambda _: "hello", delay=5)
    one = Stage(model, snapshot("main", "ops"))
    async with one.running(grace=60):
        await one.fake.says("hi", chat="a")
        await asyncio.sleep(2)
        asyncio.get_running_loop().call_later(1, lambda: asyncio.ensure_future(one.fake.says("me too", chat="b")))
    assert len(model.requests) == 1
    assert [sent.text for sent in one.fake.sent] == ["hello"]
    assert len((await one.store.unfinished(one.clock.now() + 10)).lanes) == 1
    again = Stage(model, snapshot("main", "ops"), store=one.store)
    async with again.running(recover=True):
        await asyncio.sleep(30)
    assert len(model.requests) == 2
