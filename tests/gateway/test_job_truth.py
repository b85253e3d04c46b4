"""What is told of jobs is so: of answers that reached nobody, of times that are over, of agents that are stopped
(SPEC 7.6, 9, 10)."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from serai.core.delivery import NewDelivery, Target
from serai.core.error import SendPermanent, SendTemporary
from serai.core.ids import Account, AgentId, DeliveryId, JobId
from serai.core.job import Job
from serai.core.source import ChatType
from serai.ports.job_book import JobView
from serai.ports.jobs import BadJob
from serai.testing.clock import EPOCH, virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, JOB = AgentId("ops"), JobId("0123456789ab")
CRON = Path("/nonexistent/ops/cron")


def stage(*jobs: Job) -> Stage:
    files = MemoryJobs()
    files.put(CRON, *jobs)
    return Stage(ScriptedModel(lambda _: "all quiet"), snapshot("ops"), files=files)


def job(schedule: str = "every 1h", **changes: object) -> Job:
    return replace(Job(JOB, schedule, "look around"), **changes)  # type: ignore[arg-type]


def iso(seconds: float) -> str:
    """So many seconds after the test's beginning, as people write it."""
    return datetime.fromtimestamp(EPOCH + seconds, UTC).isoformat()


def plan(schedule: str, **fields: object) -> Mapping[str, Any]:
    return {"schedule": schedule, "prompt": "look around", **fields}


async def ran(one: Stage) -> JobView:
    """The job after a run of it that was asked for."""
    await asyncio.sleep(1)
    await one.jobs.run(OPS, JOB)
    await asyncio.sleep(5)
    return await one.jobs.one(OPS, JOB)


@virtual_time
async def test_an_answer_with_no_place_to_go_is_trouble_though_its_run_went_well() -> None:
    with capture_logs() as logs:
        async with stage(job(deliver=("origin",))).running(schedules=True) as one:
            view = await ran(one)
    assert view.last is not None
    assert view.last.state == "ok"
    assert view.last.fault == ("not delivered: origin: no delivery target: there is no chat that it came from")
    assert view.trouble == f"last run Tue 2023-11-14 22:13:21 (UTC): {view.last.fault}"
    assert one.meter.undelivered == {"ops": 1}
    [told] = [entry for entry in logs if entry["log_level"] == "warning" and entry.get("job") == JOB]
    assert "no delivery target" in str(told)


@virtual_time
async def test_an_answer_that_a_chat_refuses_is_trouble_and_names_the_chat() -> None:
    async with stage(job(deliver=("fake:a", "fake:b"))).running(schedules=True) as one:
        one.fake.fails(SendPermanent("the chat is gone"))
        view = await ran(one)
    assert view.last is not None
    [lost] = {"fake:a", "fake:b"} - {f"fake:{sent.target.chat_id}" for sent in one.fake.sent}
    assert view.last.fault == f"not delivered: {lost}: the chat is gone"
    assert (view.trouble or "").endswith(f": {view.last.fault}")


@virtual_time
async def test_an_answer_that_arrives_or_is_to_go_nowhere_is_no_trouble() -> None:
    async with stage(job(deliver=("fake:a", "local"))).running(schedules=True) as one:
        view = await ran(one)
    assert view.last is not None
    assert (view.last.fault, view.trouble, one.meter.undelivered) == (None, None, {})


@virtual_time
async def test_a_time_that_is_over_is_refused_with_the_time_that_it_is() -> None:
    async with stage(job("0 9 * * *"), job(iso(-600), id=JobId("f" * 12), enabled=False)).running(
        schedules=True
    ) as one:
        await asyncio.sleep(5)
        now = r"is over: it is Tue 2023-11-14 22:13:25 \(UTC\) now"
        for fields in (plan("2020-01-01T00:00"), plan(iso(-121))):
            with pytest.raises(BadJob, match=now):
                await one.jobs.add(OPS, fields)
        with pytest.raises(BadJob, match=r"now: Wed 2023-11-15 07:13:25 \(Asia/Tokyo\)|\(Asia/Tokyo\) now"):
            await one.jobs.add(OPS, plan("2023-11-15T07:00", timezone="Asia/Tokyo"))
        with pytest.raises(BadJob, match=now) as refused:
            await one.jobs.change(OPS, JOB, {"schedule": "2020-01-01T00:00"})
        with pytest.raises(BadJob, match=now):
            await one.jobs.change(OPS, JobId("f" * 12), {"enabled": True})
        await one.jobs.change(OPS, JobId("f" * 12), {"prompt": "something else"})
        assert [problem.field for problem in refused.value.problems] == ["schedule"]
        assert [view.job.schedule for view in await one.jobs.all([OPS])] == ["0 9 * * *", iso(-600)]


@virtual_time
async def test_a_time_that_has_just_been_runs_at_once_and_only_once() -> None:
    async with stage(job(iso(-60), id=JobId("f" * 12))).running(schedules=True) as one:
        await asyncio.sleep(5)
        view = await one.jobs.add(OPS, plan(iso(-60)), "app", wanted=JOB)
        assert view.state in ("waiting", "running")
        await asyncio.sleep(20)
        await one.jobs.change(OPS, JOB, {"enabled": False})
        await one.jobs.change(OPS, JOB, {"enabled": None})
        await asyncio.sleep(20)
        for id in (JOB, JobId("f" * 12)):
            assert [row.state for row in await one.jobs.history(OPS, id)] == ["ok"]
            assert (await one.jobs.one(OPS, id)).state == "done"


@virtual_time
async def test_the_same_plan_again_is_found_though_its_time_is_over_by_now() -> None:
    async with stage().running(schedules=True) as one:
        await one.jobs.add(OPS, plan(iso(10)), "app", wanted=JOB)
        await asyncio.sleep(600)
        again = await one.jobs.add(OPS, plan(iso(10)), "app", wanted=JOB)
        assert (again.job.id, again.state) == (JOB, "done")


@virtual_time
async def test_jobs_of_a_stopped_agent_are_off_for_the_reason_that_it_is_stopped() -> None:
    jobs = (job(), job(id=JobId("a" * 12), enabled=False), job(iso(-600), id=JobId("b" * 12)))
    async with stage(*jobs).running(schedules=True) as one:
        await asyncio.sleep(5)
        one.state.stop([OPS])
        views = await one.jobs.all([OPS])
        assert [view.state for view in views] == ["off", "paused", "done"]
        assert (views[0].next_at, views[0].upcoming) == (None, ())
        assert "is stopped" in (views[0].off or "")
        assert "is stopped" in views[0].standing
        assert dict(one.jobs.counts()) == {(OPS, "off"): 1, (OPS, "paused"): 1, (OPS, "done"): 1}
        assert (await one.jobs.add(OPS, plan("every 2h"))).state == "off"
        one.state.stop([])
        assert (await one.jobs.one(OPS, JOB)).state == "scheduled"


@pytest.mark.parametrize(
    ("place", "chat_type", "label"),
    [
        ("fake:g3", "dm", "agent:ops:fake:dm:g3"),
        ("fake:g3:t9", "thread", "agent:ops:fake:thread:g3:t9"),
    ],
)
@virtual_time
async def test_what_a_job_says_joins_the_conversation_of_its_very_thread(
    place: str, chat_type: ChatType, label: str
) -> None:
    async with stage(job(deliver=(place,))).running(schedules=True) as one:
        config = snapshot("ops", default_agent=OPS)
        one.state.swap(config, one.state.secrets)
        await one.fake.says("hello", chat="g3")
        await one.fake.says("hello", chat="g3", chat_type="thread", thread="t9", mentioned=True)
        await asyncio.sleep(5)
        before = labels(one)
        await ran(one)
        assert labels(one) - before == {f"agent:ops:cron:dm:{JOB}"}
        assert label in before
        assert one.fake.sent[-1].target.chat_type == chat_type


def labels(one: Stage) -> set[str]:
    return {label for (label,) in one.store._read.execute("SELECT label FROM lane")}


@virtual_time
async def test_what_was_said_before_its_agent_was_stopped_is_still_delivered() -> None:
    async with stage().running() as one:
        one.fake.fails(SendTemporary("not now"))
        new = NewDelivery(DeliveryId("d"), Target("fake", "1", agent_id=OPS), "done")
        await one.store.deliver([new], one.clock.now())
        one.engine.wake("chat:fake:default:1")
        await asyncio.sleep(0.1)
        one.state.stop([OPS])
        await asyncio.sleep(30)
        assert [sent.text for sent in one.fake.sent] == ["done"]
        assert one.outbox.platform(Account("fake")) is one.fake
