"""What is owed to jobs that are new, changed, paused or away for a while (SPEC 9.1, 9.3)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.ports.jobs import ForeignJobs
from serai.ports.slots import SlotRow
from serai.testing.clock import EPOCH, virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, LAB, JOB, OTHER = AgentId("ops"), AgentId("lab"), JobId("0123456789ab"), JobId("f" * 12)
CRON, LAB_CRON = Path("/nonexistent/ops/cron"), Path("/nonexistent/lab/cron")


def job(schedule: str = "every 1h", **changes: object) -> Job:
    return replace(Job(JOB, schedule, "look around"), **changes)  # type: ignore[arg-type]


def at(seconds: float) -> str:
    """A fixed time so many seconds after the beginning."""
    return f"{datetime.fromtimestamp(int(EPOCH + seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"


def stage(*jobs: Job, files: MemoryJobs | None = None, **config: object) -> Stage:
    files = files or MemoryJobs()
    files.put(CRON, *jobs)
    return Stage(ScriptedModel(lambda _: "done"), snapshot("ops", "lab", **config), files=files)


def again(one: Stage) -> Stage:
    """The next process."""
    return Stage(
        ScriptedModel(lambda _: "done"), one.state.configured, files=one.files, store=one.store, seed=8, start=EPOCH
    )


def reload(one: Stage, **changes: object) -> None:
    one.state.swap(replace(one.state.configured, **changes), one.state.secrets)  # type: ignore[arg-type]


async def history(one: Stage, agent: AgentId = OPS) -> list[SlotRow]:
    return list(reversed(await one.jobs.history(agent, JOB)))


async def states(one: Stage, agent: AgentId = OPS) -> list[str]:
    return [row.state for row in await history(one, agent)]


@virtual_time
async def test_a_time_that_came_before_the_gateway_runs_late() -> None:
    await asyncio.sleep(34)
    one = stage(job(at(25)))
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.at) == ("ok", EPOCH + 25)


@virtual_time
async def test_a_time_that_came_between_two_looks_at_the_files_runs_late() -> None:
    one = stage()
    async with one.running(schedules=True):
        for n in range(1, 6):
            await asyncio.sleep(60.3)
            one.files.put(CRON, job(at(one.clock.now() - EPOCH - 1 + n / 5), id=JobId(f"{n:012x}")))
            await asyncio.sleep(5)
            assert len(await one.jobs.history(OPS, JobId(f"{n:012x}"))) == 1


@virtual_time
async def test_a_time_that_was_too_long_ago_is_recorded_as_missed() -> None:
    await asyncio.sleep(3600)
    one = stage(job(at(1800)))
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.reason) == ("missed", "its time was over before it was first seen")
        assert (await one.jobs.one(OPS, JOB)).state == "done"


@virtual_time
async def test_an_old_file_neither_runs_nor_tells_of_what_was_over_for_days() -> None:
    await asyncio.sleep(3 * 86400)
    one = stage(job(at(1800)))
    async with one.running(schedules=True):
        await asyncio.sleep(60)
        assert await history(one) == []


@virtual_time
async def test_a_job_that_is_moved_to_another_agent_runs_there_although_its_time_has_just_come() -> None:
    one = stage()
    async with one.running(schedules=True):
        await asyncio.sleep(100)
        one.files.put(LAB_CRON, job(at(95)))
        await asyncio.sleep(5)
        assert await states(one, LAB) == ["ok"]


@virtual_time
async def test_a_time_that_has_run_does_not_run_again_when_its_file_is_restored() -> None:
    one = stage(job(at(60)))
    async with one.running(schedules=True):
        await asyncio.sleep(70)
        one.files.put(CRON)
        await asyncio.sleep(5)
        one.files.put(CRON, job(at(60)))
        await asyncio.sleep(60)
        assert await states(one) == ["ok"]


@virtual_time
async def test_a_time_that_came_while_its_job_was_paused_is_not_made_up_for() -> None:
    one = stage(job(at(60)))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
        await one.jobs.change(OPS, JOB, {"enabled": False})
        await asyncio.sleep(80)
        await one.jobs.change(OPS, JOB, {"enabled": None})
        await asyncio.sleep(60)
        assert await history(one) == []


@virtual_time
async def test_a_time_may_be_put_off_after_it_has_run() -> None:
    one = stage(job(at(60)))
    async with one.running(schedules=True):
        await asyncio.sleep(70)
        one.files.put(CRON, job(at(70)))
        await asyncio.sleep(10)
        assert [row.at - EPOCH for row in await history(one)] == [60, 70]


@virtual_time
async def test_pausing_a_job_begins_no_new_count_of_its_runs() -> None:
    one = stage(job("every 2s", repeat=3))
    async with one.running(schedules=True):
        await asyncio.sleep(60)
        for change in (False, None):
            await one.jobs.change(OPS, JOB, {"enabled": change})
            await asyncio.sleep(60)
            assert (await one.jobs.one(OPS, JOB)).runs == 3
        assert await states(one) == ["ok"] * 3
        assert (await one.jobs.one(OPS, JOB)).state == "done"


@virtual_time
async def test_a_job_that_is_paused_between_its_runs_goes_on_counting_also_after_a_restart() -> None:
    one = stage(job("every 1m", repeat=3))
    async with one.running(schedules=True):
        await asyncio.sleep(65)
        await one.jobs.change(OPS, JOB, {"enabled": False})
    one = again(one)
    async with one.running(schedules=True):
        await one.jobs.change(OPS, JOB, {"enabled": None})
        await asyncio.sleep(600)
        assert await states(one) == ["ok"] * 3


@virtual_time
async def test_what_ran_once_does_not_run_again_when_it_is_resumed() -> None:
    one = stage(job("30m"))
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        await one.jobs.change(OPS, JOB, {"enabled": False})
        await asyncio.sleep(60)
        await one.jobs.change(OPS, JOB, {"enabled": None})
        assert (await one.jobs.one(OPS, JOB)).state == "done"
        assert one.jobs.counts() == {(OPS, "done"): 1}
        await asyncio.sleep(3600)
        assert await states(one) == ["ok"]
        await one.jobs.change(OPS, JOB, {"schedule": "40m"})
        await asyncio.sleep(2460)
        assert await states(one) == ["ok", "ok"]


@virtual_time
async def test_another_way_to_write_a_schedule_is_no_change() -> None:
    one = stage(job("every 2m", repeat=2))
    async with one.running(schedules=True):
        await asyncio.sleep(125)
        for text in ("every 2M", "every 120 seconds", "Every 2m"):
            await one.jobs.change(OPS, JOB, {"schedule": text})
            await asyncio.sleep(20)
        await asyncio.sleep(600)
        assert [round(row.at - EPOCH) for row in await history(one)] == [120, 240]


@virtual_time
async def test_another_zone_of_the_gateway_begins_no_new_count_of_runs() -> None:
    one = stage(job("* * * * *", repeat=2))
    async with one.running(schedules=True):
        await asyncio.sleep(65)
        reload(one, cron=CronPolicy("Europe/Berlin"))
        await asyncio.sleep(600)
        assert await states(one) == ["ok", "ok"]


@virtual_time
async def test_a_schedule_that_is_changed_while_its_job_is_paused_counts_its_own_runs() -> None:
    one = stage(job("every 1m", repeat=2))
    async with one.running(schedules=True):
        await asyncio.sleep(200)
        await one.jobs.change(OPS, JOB, {"enabled": False})
        await one.jobs.change(OPS, JOB, {"schedule": "every 2m"})
        assert (await one.jobs.one(OPS, JOB)).runs == 0
        await one.jobs.change(OPS, JOB, {"enabled": None})
        await asyncio.sleep(600)
        assert await states(one) == ["ok"] * 4


@virtual_time
async def test_what_was_due_while_the_agent_was_not_configured_says_so() -> None:
    one = stage(job("every 10m"))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
        agents = one.state.configured.agents
        reload(one, agents=MappingProxyType({id: profile for id, profile in agents.items() if id != OPS}))
        await asyncio.sleep(3 * 3600 + 450)
        reload(one, agents=agents)
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.reason) == ("missed", "the agent was not configured then")


@virtual_time
async def test_what_was_due_while_the_job_was_in_no_file_says_so() -> None:
    one = stage(job("every 10m"))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
        one.files.put(CRON)
        await asyncio.sleep(3 * 3600 + 450)
        one.files.put(CRON, job("every 10m"))
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.reason) == ("missed", "the job was not in a jobs file that could be read")


@virtual_time
async def test_what_was_due_while_schedules_were_off_says_why() -> None:
    one = stage(job("every 10m"))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
        agents = one.state.configured.agents
        off = replace(agents[OPS], schedules="the agent `lab` runs them")
        reload(one, agents=MappingProxyType({**agents, OPS: off}))
        await asyncio.sleep(3 * 3600 + 450)
        reload(one, agents=agents)
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.reason) == ("missed", "the agent `lab` runs them")


@pytest.mark.parametrize("period", [59, 60], ids=["before-the-next-look", "at-the-next-look"])
@virtual_time
async def test_what_waits_while_another_gateway_has_the_directory_says_so(period: int) -> None:
    one = stage(job(f"every {period}s"))
    async with one.running(schedules=True):
        await asyncio.sleep(period - 0.5)
        await one.files.adopt(CRON, "another store")
        await asyncio.sleep(300)
        [row] = await history(one)
        assert (row.state, row.until) == ("missed", row.at)
        assert "another gateway schedules this directory" in (row.reason or "")


@virtual_time
async def test_a_folder_without_jobs_that_another_gateway_schedules_is_not_written_to() -> None:
    one = stage()
    await one.files.own(CRON, "another store")
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        with pytest.raises(ForeignJobs, match="serai cron adopt ops"):
            await one.jobs.add(OPS, {"schedule": "every 1h"})
        assert one.files.folders[CRON].jobs == ()
        await one.jobs.adopt(OPS)
        await one.jobs.add(OPS, {"schedule": "every 1h"})


@virtual_time
async def test_what_an_earlier_version_remembered_goes_on_as_it_was() -> None:
    one = stage(job("30m"), job("0 9 * * *", id=OTHER, repeat=5))
    async with one.running(schedules=True):
        await asyncio.sleep(86400)
    await one.store._writer.run(
        lambda db: db.execute("UPDATE job SET written = ''"), sync=True
    )  # it knew no such thing
    before = await one.store.slots.marks(str(CRON))
    assert [before[id].runs for id in (JOB, OTHER)] == [1, 1]
    one = again(one)
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        after = await one.store.slots.marks(str(CRON))
        assert after == {id: replace(mark, written=after[id].written) for id, mark in before.items()}
        assert [after[id].written for id in (JOB, OTHER)] == ["30m", "0 9 * * *"]
        for change in (False, None):
            await one.jobs.change(OPS, JOB, {"enabled": change})
            await one.jobs.change(OPS, OTHER, {"enabled": change})
        assert (await one.jobs.one(OPS, OTHER)).runs == 1
        await asyncio.sleep(3600)
        assert await states(one) == ["ok"]
