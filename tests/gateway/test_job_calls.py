"""What is asked of jobs at moments that nobody has planned (SPEC 9)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, JOB, OTHER = AgentId("ops"), JobId("0123456789ab"), JobId("f" * 12)
CRON = Path("/nonexistent/ops/cron")


def stage(*jobs: Job, agents: Iterable[str] = ("ops",)) -> Stage:
    files = MemoryJobs()
    files.put(CRON, *jobs)
    return Stage(ScriptedModel(lambda _: "done", delay=30), snapshot(*agents), files=files)


@virtual_time
async def test_a_run_that_is_asked_for_before_the_schedules_begin_leaves_its_work_directory_again() -> None:
    job = Job(JOB, "every 9h", "look around", workdir="site")
    one = stage(job, replace(job, id=OTHER))
    async with one.running():
        await one.jobs.run(OPS, JOB)
        async with one.running(schedules=True):
            await asyncio.sleep(60)
            await one.jobs.run(OPS, OTHER)
            await asyncio.sleep(60)
            assert [row.state for row in await one.jobs.history(OPS, OTHER)] == ["ok"]


@virtual_time
async def test_the_directory_of_an_agent_that_was_just_configured_can_be_adopted() -> None:
    one = stage(Job(JOB, "every 1m", "look around"), agents=())
    await one.files.own(CRON, "another store")
    async with one.running(schedules=True):
        await asyncio.sleep(1)
        fresh = MappingProxyType(dict(snapshot("ops").agents))
        one.state.swap(replace(one.state.configured, agents=fresh), one.state.secrets)
        await one.jobs.adopt(OPS)
        await asyncio.sleep(100)
        assert [row.state for row in await one.jobs.history(OPS, JOB)] == ["ok"]
