"""Callers who go away, changes while a slot waits, requests that come too early: nothing is lost (SPEC 9.3)."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.gateway.schedule.entry import Entry
from serai.ports.slots import JobRunning, SlotRow
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, CRON = AgentId("ops"), Path("/nonexistent/ops/cron")
FIRST, SECOND, THIRD = (JobId(f"{n:012x}") for n in (1, 2, 3))


class SlowFolders(MemoryJobs):
    """Where a job works is found out in half a second, once it is `slow`."""

    slow = False

    async def work_place(self, home: Path, workdir: str) -> str:
        if self.slow:
            await asyncio.sleep(0.5)
        return await super().work_place(home, workdir)


def job(id: JobId, schedule: str, **changes: object) -> Job:
    return replace(Job(id, schedule, "look around"), **changes)  # type: ignore[arg-type]


def stage(*jobs: Job, parallel: int = 1, files: MemoryJobs | None = None) -> Stage:
    files = files or MemoryJobs()
    files.put(CRON, *jobs)
    files.scripts["hangs.sh"] = None
    policy = CronPolicy(max_parallel_jobs=parallel)
    return Stage(ScriptedModel(lambda _: "done"), snapshot("ops", cron=policy), files=files)


def entry(one: Stage, id: JobId) -> Entry:
    found = one.schedules.scheduler._agenda.entry(OPS, id)
    assert found is not None
    return found


async def gives_up(work: asyncio.Task[Any], after: float) -> None:
    """Its caller goes away."""
    await asyncio.sleep(after)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def history(one: Stage, id: JobId) -> list[SlotRow]:
    return list(await one.jobs.history(OPS, id))


async def accepts_late(one: Stage, seconds: float) -> None:
    """From now on, the store takes so long to say that it has accepted something."""
    accept = one.store.accept

    async def late(*given: Any) -> Any:
        done = await accept(*given)
        await asyncio.sleep(seconds)
        return done

    one.store.accept = late  # type: ignore[method-assign]


@virtual_time
async def test_a_job_that_is_new_is_planned_although_whoever_looked_for_it_went_away() -> None:
    hanging, waiting = job(FIRST, "every 1m", script="hangs.sh"), job(SECOND, "every 5m", workdir="w")
    files = SlowFolders()
    async with stage(hanging, waiting, files=files).running(schedules=True) as one:
        await asyncio.sleep(310)
        files.slow = True
        files.put(CRON, hanging, waiting, job(THIRD, "every 2m"))
        await gives_up(asyncio.create_task(one.schedules.scheduler.look()), after=0.2)
        await asyncio.sleep(10)
        assert entry(one, THIRD).plan > 0


@virtual_time
async def test_a_run_that_was_asked_for_is_followed_although_whoever_asked_went_away() -> None:
    async with stage(job(FIRST, "every 9h")).running(schedules=True) as one:
        await asyncio.sleep(5)
        await accepts_late(one, 0.2)
        await gives_up(asyncio.create_task(one.jobs.run(OPS, FIRST)), after=0.1)
        await asyncio.sleep(5)
        assert [row.output is not None for row in await history(one, FIRST)] == [True]
        assert one.meter.jobs[OPS, "done"] == 1


@virtual_time
async def test_a_run_that_goes_on_keeps_its_place_although_another_was_asked_for_too_early() -> None:
    async with stage(job(FIRST, "every 9h", script="hangs.sh")).running(schedules=True) as one:
        await asyncio.sleep(5)
        await one.jobs.run(OPS, FIRST)
        await asyncio.sleep(5)
    again = Stage(ScriptedModel(lambda _: "done"), one.state.configured, files=one.files, store=one.store, seed=8)
    await again.schedules.scheduler.look()
    accept = again.store.accept

    async def slow(*given: Any) -> Any:
        await asyncio.sleep(0.2)
        return await accept(*given)

    again.store.accept = slow  # type: ignore[method-assign]
    asked = asyncio.create_task(again.jobs.run(OPS, FIRST))
    await asyncio.sleep(0.05)
    async with again.running(schedules=True):
        await asyncio.sleep(1)
        assert isinstance(asked.exception(), JobRunning)
        with pytest.raises(JobRunning):
            await again.jobs.run(OPS, FIRST)
        [row] = await history(again, FIRST)
        assert row.run is not None
        await again.lanes.stop(row.run, "stopped")
        await asyncio.sleep(10)
        await again.jobs.run(OPS, FIRST)


@virtual_time
async def test_a_slot_that_waits_runs_although_its_zone_is_now_written_out() -> None:
    hanging, waiting = job(FIRST, "* * * * *", script="hangs.sh"), job(SECOND, "*/10 * * * *")
    async with stage(hanging, waiting).running(schedules=True) as one:
        await asyncio.sleep(60)
        while entry(one, SECOND).due is None:
            await asyncio.sleep(5)
        written = replace(waiting, timezone=one.state.snapshot.cron.zone_name)
        one.files.put(CRON, hanging, written)
        await asyncio.sleep(5)
        assert await history(one, SECOND) == []
        one.files.put(CRON, written)
        await asyncio.sleep(4)
        [running] = [row for row in await one.store.slots.history(str(CRON), FIRST) if row.state == "running"]
        assert running.run is not None
        await one.lanes.stop(running.run, "stopped")
        await asyncio.sleep(20)
        assert [row.state for row in await history(one, SECOND)] == ["ok"]


@virtual_time
async def test_nothing_is_left_of_a_job_that_is_removed_while_its_slot_waits() -> None:
    jobs = job(FIRST, "every 1m", script="hangs.sh"), job(SECOND, "every 5m")
    async with stage(*jobs).running(schedules=True) as one:
        await asyncio.sleep(310)
        assert entry(one, SECOND).due is not None
        await one.jobs.remove(OPS, SECOND)
        await asyncio.sleep(5)
        assert await one.store.slots.history(str(CRON), SECOND) == []
