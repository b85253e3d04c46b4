"""What is asked of jobs at moments that nobody has planned (SPEC 9)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.core.live import LivePolicy
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


@virtual_time
async def test_only_admins_have_something_done_more_often_than_once_a_minute() -> None:
    config = snapshot(live=LivePolicy(admins=frozenset({"fake:boss"}), busy_mode="queue"))
    async with Stage(ScriptedModel([]), config).running(schedules=True) as one:
        for user, schedule, planned in (
            ("42", "every 1s", False),
            ("42", "every 59 seconds", False),
            ("42", '"every 1s"', False),
            ("42", "every 1m", True),
            ("42", "30s", True),
            ("boss", "every 30s", True),
        ):
            await one.fake.says(f"/cron add {schedule} look around", user=user)
            told = (await one.fake.answer()).text
            assert told.startswith("Planned as") == planned, told
            assert ("once a minute" in told) != planned


@virtual_time
async def test_in_a_chat_without_an_id_nothing_is_planned() -> None:
    async with Stage(ScriptedModel([])).running(schedules=True) as one:
        await one.fake.says("/cron add 30m look around", chat="", user="")
        assert (await one.fake.answer()).text == "This chat has no id, so nothing could be sent here later."
        await one.fake.says("/cron add 30m look around", chat="", user="42")
        assert (await one.fake.answer()).text.startswith("Planned as")
