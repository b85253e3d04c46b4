"""Runs that somebody asks for beside those of schedules, and jobs that share a folder (SPEC 9.3)."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.ports.jobs import ScriptResult
from serai.ports.slots import JobRunning
from serai.ports.store.arrival import Accepted, Arrival
from serai.ports.store.claim import ClaimOffer
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS = AgentId("ops")
CRON = Path("/nonexistent/ops/cron")
WORKSPACE = Path("/nonexistent/ops/workspace")


def job(number: int, schedule: str, **changes: object) -> Job:
    return replace(Job(JobId(f"{number:012x}"), schedule, "look around"), **changes)  # type: ignore[arg-type]


def stage(*jobs: Job, parallel: int) -> Stage:
    files = MemoryJobs()
    files.put(CRON, *jobs)
    files.scripts["hangs.sh"] = None
    policy = CronPolicy(max_parallel_jobs=parallel)
    return Stage(ScriptedModel(lambda _: "done"), snapshot("ops", cron=policy), files=files)


async def states(one: Stage, number: int) -> list[str]:
    return [row.state for row in await one.jobs.history(OPS, JobId(f"{number:012x}"))]


@virtual_time
async def test_runs_that_are_asked_for_are_bounded_and_keep_no_job_from_its_time() -> None:
    asked = [job(n, "every 9h", script="hangs.sh") for n in range(1, 6)]
    one = stage(*asked, job(9, "every 1m"), parallel=4)
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        for made in asked[:4]:
            await one.jobs.run(OPS, made.id)
        with pytest.raises(JobRunning, match="4 runs that somebody asked for are under way"):
            await one.jobs.run(OPS, asked[4].id)
        await asyncio.sleep(60)
        assert await states(one, 9) == ["ok"]


@virtual_time
async def test_runs_that_are_asked_for_are_bounded_over_a_restart() -> None:
    asked = [job(n, "every 9h", script="hangs.sh") for n in range(1, 3)]
    one = stage(*asked, job(9, "every 1m"), parallel=1)
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        await one.jobs.run(OPS, asked[0].id)
        await asyncio.sleep(5)
    life = Stage(ScriptedModel(lambda _: "done"), one.state.configured, files=one.files, store=one.store, seed=8)
    async with life.running(schedules=True):  # nobody takes the run up
        await asyncio.sleep(65)
        with pytest.raises(JobRunning, match="1 runs"):
            await life.jobs.run(OPS, asked[1].id)
        assert await states(life, 9) == ["ok"]


@virtual_time
async def test_full_places_of_schedules_keep_nobody_from_asking_for_a_run() -> None:
    one = stage(job(1, "every 10m", script="hangs.sh"), job(2, "every 9h"), parallel=1)
    async with one.running(schedules=True):
        await asyncio.sleep(605)
        assert await states(one, 1) == ["running"]
        await one.jobs.run(OPS, JobId(f"{2:012x}"))
        await asyncio.sleep(5)
        assert await states(one, 2) == ["ok"]


@pytest.mark.parametrize("other", ["link", str(WORKSPACE / "site"), "./site/"])
@virtual_time
async def test_jobs_whose_folders_are_one_run_one_after_another(other: str) -> None:
    one = stage(
        job(1, "30m", script="hangs.sh", workdir="site"), job(2, "30m", script="hangs.sh", workdir=other), parallel=4
    )
    one.files.links[WORKSPACE / "link"] = WORKSPACE / "site"
    async with one.running(schedules=True):
        await asyncio.sleep(1810)
        assert len(one.files.ran) == 1


class _Watched(MemoryJobs):
    """Notes for which homes scripts run, and where they would."""

    def __init__(self) -> None:
        super().__init__()
        self.homes: list[Path] = []
        self.places: list[str] = []

    async def work_place(self, home: Path, workdir: str) -> str:
        self.places.append(await super().work_place(home, workdir))
        return self.places[-1]

    async def run_script(self, cron: Path, home: Path, made: Job, environment: Mapping[str, str]) -> ScriptResult:
        self.homes.append(home)
        return await super().run_script(cron, home, made, environment)


@virtual_time
async def test_a_script_of_a_folder_that_is_a_link_works_in_the_home_of_its_agent() -> None:
    files = _Watched()
    files.links[CRON] = Path("/srv/cron")
    files.put(CRON, job(1, "30m", script="a.sh", workdir="site"))
    one = Stage(ScriptedModel(lambda _: "done"), snapshot("ops"), files=files)
    async with one.running(schedules=True):
        await asyncio.sleep(1810)
    assert files.homes == [CRON.parent]
    assert files.places == [str(WORKSPACE / "site")]


@virtual_time
async def test_a_claim_that_takes_long_counts_once_be_the_job_paused_and_resumed_meanwhile() -> None:
    one = stage(job(1, "every 1m", repeat=3), parallel=4)
    async with one.running(schedules=True):
        await asyncio.sleep(55)
        accept = one.store.accept

        async def slowly(arrival: Arrival, offer: ClaimOffer | None = None) -> Accepted:
            accepted = await accept(arrival, offer)
            await asyncio.sleep(10)
            return accepted

        one.store.accept = slowly  # type: ignore[method-assign]
        await asyncio.sleep(7)
        for enabled in (False, None):
            await one.jobs.change(OPS, JobId(f"{1:012x}"), {"enabled": enabled})
        assert (await one.jobs.one(OPS, JobId(f"{1:012x}"))).runs == 1
        await asyncio.sleep(10)
        assert (await one.jobs.one(OPS, JobId(f"{1:012x}"))).runs == 1
        await asyncio.sleep(600)
        assert await states(one, 1) == ["ok"] * 3
