"""What goes wrong around schedules costs no slot and no place, and nobody else anything (SPEC 9.1, 9.3)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from serai.core.cron import CronPolicy
from serai.core.error import StorageFailed
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.core.snapshot import stopped_text
from serai.ports.slots import JobRunning, Sighting, SlotRow
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, LAB, JOB, OTHER = AgentId("ops"), AgentId("lab"), JobId("0123456789ab"), JobId("f" * 12)
CRON, LAB_CRON = Path("/nonexistent/ops/cron"), Path("/nonexistent/lab/cron")


def job(schedule: str = "every 1h", **changes: object) -> Job:
    return replace(Job(JOB, schedule, "look around"), **changes)  # type: ignore[arg-type]


def stage(*jobs: Job, files: MemoryJobs | None = None, **config: object) -> Stage:
    files = files or MemoryJobs()
    files.put(CRON, *jobs)
    files.scripts["hangs.sh"] = None
    return Stage(ScriptedModel(lambda _: "done"), snapshot("ops", "lab", **config), files=files)


def reload(one: Stage, **changes: object) -> None:
    one.state.swap(replace(one.state.configured, **changes), one.state.secrets)  # type: ignore[arg-type]


def profiles(one: Stage, **schedules: str | None) -> dict[str, Any]:
    agents = dict(one.state.configured.agents)
    for agent, off in schedules.items():
        agents[AgentId(agent)] = replace(agents[AgentId(agent)], schedules=off)
    return {"agents": MappingProxyType(agents)}


async def history(one: Stage, agent: AgentId = OPS, name: JobId = JOB) -> list[SlotRow]:
    return list(reversed(await one.jobs.history(agent, name)))


async def states(one: Stage, agent: AgentId = OPS, name: JobId = JOB) -> list[str]:
    return [row.state for row in await history(one, agent, name)]


@virtual_time
async def test_jobs_go_on_when_the_clock_is_set_back_by_hours() -> None:
    one = stage(job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(5 * 3600 + 60)
        one.clock._start -= 3 * 3600
        await asyncio.sleep(3 * 3600 + 60)
        assert await states(one) == ["ok"] * 5  # those hours were before, and are not run twice
        await asyncio.sleep(2 * 3600)
        assert await states(one) == ["ok"] * 7


@virtual_time
async def test_slots_that_were_missed_under_a_wrong_clock_run_when_it_is_right_again() -> None:
    one = stage(job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(60)
        one.clock._start += 30 * 86400 + 2000
        await asyncio.sleep(60)
        assert await states(one) == ["missed"]
        one.clock._start -= 30 * 86400 + 2000
        await asyncio.sleep(3 * 3600)
        assert await states(one) == ["ok"] * 3


class _Unowned(MemoryJobs):
    """One directory cannot be written to."""

    async def own(self, cron: Path, store: str) -> str:
        if cron == LAB_CRON:
            raise StorageFailed("the disk is read-only")
        return await super().own(cron, store)


@virtual_time
async def test_an_agent_whose_directory_cannot_be_written_to_holds_up_no_other() -> None:
    files = _Unowned()
    files.put(LAB_CRON, job("every 1m"))
    one = stage(job("every 1m"), files=files)
    async with one.running(schedules=True):
        await asyncio.sleep(130)
        assert await states(one) == ["ok", "ok"]
        assert (await one.jobs.one(LAB, JOB)).off == "the disk is read-only"


@virtual_time
async def test_a_changed_file_is_taken_over_although_the_store_failed_at_first() -> None:
    one = stage()
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        see, failures = one.store.slots.see, [1, 2, 3]

        async def fails(directory: str, sightings: Sequence[Sighting]) -> None:
            if failures:
                failures.pop()
                raise StorageFailed("the disk is full")
            await see(directory, sightings)

        one.store.slots.see = fails  # type: ignore[method-assign]
        one.files.put(CRON, job("every 1m"))
        await asyncio.sleep(100)
        assert await states(one) == ["ok"]


@virtual_time
async def test_files_are_looked_at_while_the_store_cannot_write_and_what_that_cost_is_told() -> None:
    one = stage(job("every 1m", script="hangs.sh"))
    async with one.running(schedules=True):
        began = float(int(one.clock.now()))
        await asyncio.sleep(70)
        miss = one.store.slots.miss

        async def fails(*_: object) -> None:
            raise StorageFailed("the disk is full")

        one.store.slots.miss = fails  # type: ignore[method-assign]
        await asyncio.sleep(180)
        one.files.put(CRON, job("every 1m", script="hangs.sh"), job("every 30s", id=OTHER))
        await asyncio.sleep(45)
        assert await states(one, OPS, OTHER) == ["ok"]
        one.store.slots.miss = miss  # type: ignore[method-assign]
        await asyncio.sleep(10)  # until the next slot takes the place of the one that waits
        missed = [(row.at - began, row.until - began, row.reason) for row in await history(one) if row.until]
    assert missed == [
        (120, 120, "the run before was still under way"),
        (180, 180, "the store could not be written"),
        (240, 240, "the run before was still under way"),
    ]


@virtual_time
async def test_a_slot_that_cannot_be_noted_holds_up_no_other_job() -> None:
    one = stage(job("every 1m", script="hangs.sh"), job("every 199s", id=OTHER))  # due between two looks

    async def fails(*_: object) -> None:
        raise StorageFailed("the disk is full")

    async with one.running(schedules=True):
        one.store.slots.miss = fails  # type: ignore[method-assign]
        await asyncio.sleep(205)
        [row] = await history(one, OPS, OTHER)
    assert row.claimed_at is not None
    assert row.claimed_at - row.at < 0.5


@virtual_time
async def test_what_was_missed_while_an_agent_was_stopped_says_so_though_the_disk_was_full() -> None:
    one = stage(job("every 1h"))
    miss = one.store.slots.miss

    async def fails(*_: object) -> None:
        raise StorageFailed("the disk is full")

    async with one.running(schedules=True):
        await asyncio.sleep(60)
        one.state.stop(frozenset({OPS}))
        one.store.slots.miss = fails  # type: ignore[method-assign]
        await asyncio.sleep(4 * 3600)
        one.store.slots.miss = miss  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert {row.reason for row in await history(one)} == {stopped_text(OPS)}


@virtual_time
async def test_an_agent_that_is_taken_away_while_the_disk_is_full_holds_up_no_others_files() -> None:
    hanging = job("every 50m", script="hangs.sh")
    one = stage(hanging, cron=CronPolicy(max_parallel_jobs=1))
    one.files.put(LAB_CRON, job("every 1h"))

    async def fails(*_: object) -> None:
        raise StorageFailed("the disk is full")

    async with one.running(schedules=True):
        await asyncio.sleep(3610)
        assert (await one.jobs.one(LAB, JOB)).state == "waiting"
        miss = one.store.slots.miss
        one.store.slots.miss = fails  # type: ignore[method-assign]
        agents = dict(one.state.configured.agents)
        del agents[LAB]
        reload(one, agents=MappingProxyType(agents))
        one.files.put(CRON, hanging, job("every 9h", id=OTHER))
        await asyncio.sleep(10)
        assert (await one.jobs.one(OPS, OTHER)).state == "scheduled"
        one.store.slots.miss = miss  # type: ignore[method-assign]
        await asyncio.sleep(10)
        [gap] = await one.store.slots.history(str(LAB_CRON), JOB)
        assert gap.state == "missed"


@virtual_time
async def test_jobs_that_are_taken_away_just_before_they_are_due_do_not_run() -> None:
    names = [JobId(f"{n:012x}") for n in range(60)]
    one = stage(*(job("every 60s", id=name) for name in names))
    async with one.running(schedules=True):
        await asyncio.sleep(59.5)
        one.files.put(CRON)
        await asyncio.sleep(5)
        one.files.put(CRON, *(job("every 60s", id=name) for name in names))
        await asyncio.sleep(5)
        assert [await states(one, OPS, name) for name in names] == [["missed"]] * 60


class _Slow(MemoryJobs):
    """Making a directory one's own takes a while."""

    async def own(self, cron: Path, store: str) -> str:
        await asyncio.sleep(1)
        return await super().own(cron, store)


@virtual_time
async def test_a_caller_who_goes_away_while_files_are_read_takes_no_job_along() -> None:
    one = stage(files=_Slow())
    async with one.running(schedules=True):
        await asyncio.sleep(4.5)
        task = asyncio.create_task(one.jobs.add(OPS, {"schedule": "every 1m"}))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.sleep(100)
        [made] = await one.jobs.all([OPS])
        assert await states(one, OPS, made.job.id) == ["ok"]


@virtual_time
async def test_schedules_can_be_moved_from_one_agent_of_a_home_to_the_other() -> None:
    one = stage(job("every 1m"))
    one.files.links[LAB_CRON] = CRON
    reload(one, **profiles(one, ops="lab runs them"))
    async with one.running(schedules=True):
        await asyncio.sleep(65)
        reload(one, **profiles(one, ops=None, lab="ops runs them"))
        await asyncio.sleep(60)
        assert [row.agent for row in await history(one)] == ["lab", "ops"]


@virtual_time
async def test_a_run_keeps_its_work_directory_over_a_restart() -> None:
    async def hangs(_request: object) -> str:
        await asyncio.Event().wait()
        return "never"

    one = stage(job("every 9h", workdir="site"), job("every 1h", id=OTHER, workdir="./site/"))
    for n in range(2):
        life = Stage(ScriptedModel(hangs), one.state.configured, files=one.files, store=one.store, seed=n)
        async with life.running(recover=n > 0, schedules=True):
            await asyncio.sleep(5)
            if n == 0:
                await life.jobs.run(OPS, JOB)
            await asyncio.sleep(3700)
            assert await states(life) == ["running"]
            assert "running" not in await states(life, OPS, OTHER)


@virtual_time
async def test_another_zone_of_the_gateway_does_not_run_finished_delays_again() -> None:
    one = stage(job("30m"), job("every 2h", id=OTHER))
    async with one.running(schedules=True):
        await asyncio.sleep(3600)
        reload(one, cron=CronPolicy("Europe/Berlin"))
        await asyncio.sleep(2 * 3600)
        assert await states(one) == ["ok"]
        assert await states(one, OPS, OTHER) == ["ok"]


@virtual_time
async def test_a_job_that_is_taken_away_while_it_waits_does_not_run_and_that_is_recorded() -> None:
    hanging = job("every 1h", id=OTHER, script="hangs.sh")
    one = stage(hanging, job("every 1h"), cron=CronPolicy(max_parallel_jobs=1))
    async with one.running(schedules=True):
        await asyncio.sleep(3610)
        assert (await one.jobs.one(OPS, JOB)).state == "waiting"
        one.files.put(CRON, hanging)
        await asyncio.sleep(5)
        one.files.put(CRON, hanging, job("every 1h"))
        await asyncio.sleep(5)
        [row] = await history(one)
        assert (row.state, row.reason) == ("missed", "the job was changed or taken away before it could begin")


@virtual_time
async def test_a_job_that_is_put_back_while_it_runs_holds_one_place_only() -> None:
    hanging = job("every 10m", script="hangs.sh")
    one = stage(hanging, cron=CronPolicy(max_parallel_jobs=2))
    async with one.running(schedules=True):
        await asyncio.sleep(601)
        one.files.put(CRON)
        await asyncio.sleep(5)
        one.files.put(CRON, hanging, job("every 1m", id=OTHER))
        await asyncio.sleep(1300)
        assert (await one.jobs.one(OPS, JOB)).state == "running"
        assert set(await states(one, OPS, OTHER)) == {"ok"}
        assert len(await states(one, OPS, OTHER)) == 21


@virtual_time
async def test_nobody_may_ask_for_a_run_in_a_work_directory_where_another_runs() -> None:
    one = stage(job("every 1h", script="hangs.sh", workdir="site"), job("every 9h", id=OTHER, workdir="site"))
    async with one.running(schedules=True):
        await asyncio.sleep(3610)
        with pytest.raises(JobRunning, match="same work directory"):
            await one.jobs.run(OPS, OTHER)


@virtual_time
async def test_a_job_with_more_repeats_owes_nothing_for_the_time_in_which_it_had_none() -> None:
    one = stage(job("every 1m", repeat=1))
    async with one.running(schedules=True):
        await asyncio.sleep(3600)
        one.files.put(CRON, job("every 1m", repeat=2))
        await asyncio.sleep(100)
        assert await states(one) == ["ok", "ok"]


class _Full(MemoryJobs):
    """One directory takes no output."""

    async def write_output(self, cron: Path, job: JobId, name: str, text: str) -> Path:
        if cron == CRON:
            raise StorageFailed("the disk is full")
        return await super().write_output(cron, job, name, text)


@virtual_time
async def test_a_directory_that_takes_no_output_keeps_nothing_of_the_others_from_being_kept() -> None:
    files = _Full()
    files.put(LAB_CRON, job("30m"))
    one = stage(job("every 10s"), files=files)
    async with one.running(schedules=True):
        await asyncio.sleep(1805)
        assert (await history(one, LAB))[0].output is not None
        assert len(await one.store.slots.left(1000)) > 100


@virtual_time
async def test_a_job_that_cannot_be_judged_holds_up_no_other_and_is_tried_again() -> None:
    one = stage(job("every 1m"), job("every 1m", id=OTHER))
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        entry = one.schedules.scheduler._agenda.entry(OPS, JOB)
        assert entry is not None
        right, entry.timetable = entry.timetable, None  # type: ignore[assignment]
        await asyncio.sleep(60)
        assert await states(one, OPS, OTHER) == ["ok"]
        entry.timetable = right
        await asyncio.sleep(5)
        assert await states(one) == ["ok"]


@virtual_time
async def test_what_was_due_while_another_gateway_had_the_directory_is_not_made_up_for() -> None:
    one = stage(job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(3610)
        await one.files.adopt(CRON, "another store")
        await asyncio.sleep(3 * 3600 + 600)
        await one.jobs.adopt(OPS)
        await asyncio.sleep(60)
        assert await states(one) == ["ok"]
        await asyncio.sleep(3600)
        assert await states(one) == ["ok", "ok"]
