"""Jobs run at their time, once, as their owner, and whoever should hear of it hears of it (SPEC 9)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serai.core.cron import CronPolicy
from serai.core.delivery import Target
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.ports.jobs import ForeignJobs, ScriptResult
from serai.ports.slots import SlotRow
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import Fail, ScriptedModel
from tests.gateway.stage import Stage, routes, snapshot

OPS, JOB = AgentId("ops"), JobId("0123456789ab")
CRON = Path("/nonexistent/ops/cron")
ROOM = Target("fake", "room", chat_type="group")


def job(schedule: str = "every 1h", **changes: object) -> Job:
    return replace(Job(JOB, schedule, "look around"), **changes)  # type: ignore[arg-type]


def stage(model: ScriptedModel, *jobs: Job) -> Stage:
    files = MemoryJobs()
    files.put(CRON, *jobs)
    return Stage(model, snapshot("ops"), files=files)


async def history(stage: Stage, agent: AgentId = OPS) -> list[SlotRow]:
    """The job's slots, the oldest first."""
    return list(reversed(await stage.jobs.history(agent, JOB)))


def states(rows: list[SlotRow]) -> list[str]:
    return [row.state for row in rows]


@virtual_time
async def test_a_job_runs_at_each_slot_as_a_turn_of_its_owner() -> None:
    model = ScriptedModel(lambda _: "all quiet")
    async with stage(model, job(model="m-special")).running(schedules=True) as one:
        began = one.clock.now()
        await asyncio.sleep(3 * 3600 + 60)
        rows = await history(one)
    assert states(rows) == ["ok"] * 3
    assert [round(row.at - began) for row in rows] == [3600, 7200, 10800]
    assert {row.agent for row in rows} == {"ops"}
    assert {request.endpoint.name for request in model.requests} == {"m-special"}
    assert len({row.session for row in rows}) == 3
    assert [message.text for message in model.requests[-1].messages if message.role == "user"] == ["look around"]


@virtual_time
async def test_what_a_run_leaves_is_kept_in_the_owners_folder() -> None:
    one = stage(ScriptedModel(["all quiet"]), job("30m"))
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        row = (await history(one))[0]
        at = datetime.fromtimestamp(row.at, UTC)
        assert row.output == f"{at:%Y-%m-%dT%H-%M-%SZ}.md"
        assert await one.jobs.output(OPS, JOB, row) == "all quiet\n"
    assert [key[0] for key in one.files.outputs] == [CRON]


@virtual_time
async def test_an_answer_goes_to_the_chat_and_joins_its_history() -> None:
    model = ScriptedModel(["the report", "as I said"])
    one = stage(model, job("30m", origin=ROOM))
    one.state.swap(replace(one.state.snapshot, routes=routes(({"chat_id": "room"}, "ops"))), one.state.secrets)
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        assert [(sent.target.chat_id, sent.text, sent.target.agent_id) for sent in one.fake.sent] == [
            ("room", "the report", "ops")
        ]
        view = await one.jobs.one(OPS, JOB)
        assert view.state == "done"
        assert view.last is not None
        assert view.last.state == "ok"
        await one.fake.says("what did you report?", chat="room", chat_type="group", mentioned=True)
        await asyncio.sleep(5)
    assert [message.text for message in model.requests[-1].messages if message.role == "assistant"] == ["the report"]


@virtual_time
async def test_silence_is_kept_and_not_sent_unless_it_must_be_told() -> None:
    model = ScriptedModel(lambda _: "[SILENT]")
    async with stage(model, job("30m", origin=ROOM)).running(schedules=True) as one:
        await asyncio.sleep(1860)
        assert one.fake.sent == []
        one.files.put(CRON, job("40m", origin=ROOM, silent_ok=False, name="watch"))
        await asyncio.sleep(2460)
        assert [sent.text for sent in one.fake.sent] == ["The job “watch” ran and has nothing to tell."]


@virtual_time
async def test_a_failure_is_one_line_in_the_chat_and_in_the_history() -> None:
    model = ScriptedModel([Fail(400)])
    async with stage(model, job("30m", origin=ROOM, name="report")).running(schedules=True) as one:
        await asyncio.sleep(1900)
        [row] = await history(one)
        assert row.state == "failed"
        assert row.reason
        [sent] = one.fake.sent
    assert sent.text.startswith("The job “report” failed: ")
    assert "\n" not in sent.text


@pytest.mark.parametrize(
    ("output", "asked"),
    [("12 new mails", 1), ('nothing new\n{"wakeAgent": false}', 0), ('{"wakeAgent": true}', 1)],
)
@virtual_time
async def test_a_script_gives_the_model_its_output_or_lets_it_sleep(output: str, asked: int) -> None:
    model = ScriptedModel(lambda _: "noted")
    one = stage(model, job("30m", script="mails.py"))
    one.files.scripts["mails.py"] = ScriptResult(output)
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        assert states(await history(one)) == ["ok"]
    assert len(model.requests) == asked
    assert [name for name, _ in one.files.ran] == ["mails.py"]
    if asked:
        assert output in model.requests[0].messages[-1].text


@virtual_time
async def test_without_an_agent_the_script_speaks() -> None:
    model = ScriptedModel([])
    one = stage(model, job("30m", prompt="", script="disk.sh", no_agent=True, deliver=("fake:room",)))
    one.files.scripts["disk.sh"] = ScriptResult("disk is full\n")
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        assert [sent.text for sent in one.fake.sent] == ["disk is full"]
    assert model.requests == []


@virtual_time
async def test_a_script_that_fails_fails_the_run_without_a_model() -> None:
    model = ScriptedModel([])
    one = stage(model, job("30m", script="bad.sh"))
    one.files.scripts["bad.sh"] = ScriptResult("", "it ended with 3")
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
        [row] = await history(one)
    assert (row.state, row.reason) == ("failed", "it ended with 3")


@virtual_time
async def test_slots_of_a_downtime_are_recorded_as_missed_and_none_is_made_up_for() -> None:
    model = ScriptedModel(lambda _: "here")
    one = stage(model, job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(3700)
    await asyncio.sleep(5.5 * 3600)
    again = Stage(model, snapshot("ops"), files=one.files, store=one.store, seed=8)
    async with again.running(recover=True, schedules=True):
        await asyncio.sleep(600)
        assert states(await history(again)) == ["ok", "missed"]
        await asyncio.sleep(3600)
        rows = await history(again)
    assert states(rows) == ["ok", "missed", "ok"]
    assert rows[1].reason == "the gateway was not running"
    assert rows[1].until == rows[1].at + 4 * 3600


@virtual_time
async def test_a_slot_within_half_a_period_runs_late() -> None:
    model = ScriptedModel(lambda _: "late, but here")
    one = stage(model, job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
    await asyncio.sleep(3600 + 1500)
    again = Stage(model, snapshot("ops"), files=one.files, store=one.store, seed=8)
    async with again.running(recover=True, schedules=True):
        await asyncio.sleep(30)
        assert states(await history(again)) == ["ok"]


@virtual_time
async def test_a_job_never_overlaps_itself_and_holds_up_nobody_else() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 10m", script="hangs.sh"), job("every 10m", id=JobId("f" * 12)))
    one.files.scripts["hangs.sh"] = None
    async with one.running(schedules=True):
        await asyncio.sleep(3700)
        assert states(await history(one)) == ["missed", "running"][::-1]
        others = await one.jobs.history(OPS, JobId("f" * 12))
        assert len(others) == 6
        missed = (await history(one))[1]
    assert missed.reason == "the run before was still under way"
    assert len(one.files.ran) == 1


@virtual_time
async def test_what_a_sleeping_machine_missed_is_no_fault_of_the_run_that_it_slept_through() -> None:
    one = stage(ScriptedModel(lambda _: "done"), job("every 10m", script="hangs.sh"))
    one.files.scripts["hangs.sh"] = None
    async with one.running(schedules=True):
        await asyncio.sleep(700)
        one.clock.advance(2 * 3600)
        await asyncio.sleep(10)
        running, missed = await history(one)
    assert (running.state, missed.state) == ("running", "missed")
    assert missed.reason == "its time had passed when the gateway came to it"
    assert (missed.at - running.at, missed.until - running.at) == (600, 11 * 600)


@virtual_time
async def test_jobs_with_one_work_directory_run_one_after_another() -> None:
    jobs = [job("30m", id=JobId(f"{n:012x}"), script="slow.sh", workdir="site") for n in range(3)]
    one = stage(ScriptedModel(lambda _: "done"), *jobs)
    one.files.scripts["slow.sh"] = None
    async with one.running(schedules=True):
        await asyncio.sleep(1900)
        assert len(one.files.ran) == 1


@virtual_time
async def test_a_job_of_a_stopped_agent_does_not_run_and_that_is_recorded() -> None:
    one = stage(ScriptedModel([]), job("30m"))
    async with one.running(schedules=True):
        await asyncio.sleep(10)
        one.state.stop([OPS])
        await asyncio.sleep(1900)
        [row] = await history(one)
    assert row.state == "missed"
    assert "stopped" in (row.reason or "")


@virtual_time
async def test_a_changed_schedule_counts_from_when_it_is_seen() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 1h"))
    async with one.running(schedules=True):
        await asyncio.sleep(1800)
        one.files.put(CRON, job("every 50m"))
        await asyncio.sleep(2990)
        assert await history(one) == []
        await asyncio.sleep(20)
        assert states(await history(one)) == ["ok"]


@virtual_time
async def test_a_job_that_is_to_run_twice_runs_twice() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 1m", repeat=2))
    async with one.running(schedules=True):
        await asyncio.sleep(600)
        assert states(await history(one)) == ["ok", "ok"]
        assert (await one.jobs.one(OPS, JOB)).state == "done"


@virtual_time
async def test_a_directory_of_another_store_is_left_alone_until_it_is_adopted() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 1m"))
    await one.files.own(CRON, "another store")
    async with one.running(schedules=True):
        await asyncio.sleep(300)
        assert model.requests == []
        view = await one.jobs.one(OPS, JOB)
        assert view.state == "off"
        assert "serai cron adopt ops" in (view.off or "")
        await one.jobs.adopt(OPS)
        await asyncio.sleep(130)
        assert states(await history(one)) == ["ok", "ok"]


@virtual_time
async def test_a_directory_that_is_lost_between_two_looks_runs_nothing_more() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 59s"))
    async with one.running(schedules=True):
        await asyncio.sleep(58.5)
        await one.files.adopt(CRON, "another store")
        with pytest.raises(ForeignJobs):
            await one.jobs.run(OPS, JOB)
        await asyncio.sleep(300)
        assert model.requests == []
        assert states(await history(one)) == ["missed"]


@virtual_time
async def test_somebody_may_ask_for_a_run_now_beside_the_schedule() -> None:
    model = ScriptedModel(lambda _: "done")
    one = stage(model, job("every 1h", enabled=False))
    async with one.running(schedules=True):
        await asyncio.sleep(5)
        await one.jobs.run(OPS, JOB)
        await asyncio.sleep(5)
        [row] = await history(one)
    assert (row.state, row.manual) == ("ok", True)


@virtual_time
async def test_a_slot_that_waits_for_a_place_is_missed_where_its_agent_is_stopped_meanwhile() -> None:
    model = ScriptedModel([])
    one = stage(model, job("30m", id=JobId("f" * 12), script="hangs.sh"), job("31m"))
    one.files.scripts["hangs.sh"] = None
    one.state.swap(replace(one.state.snapshot, cron=CronPolicy(max_parallel_jobs=1)), one.state.secrets)
    async with one.running(schedules=True):
        await asyncio.sleep(1900)
        assert (await one.jobs.one(OPS, JOB)).state == "waiting"
        one.state.stop([OPS])
        one.state.swap(replace(one.state.configured, cron=CronPolicy(max_parallel_jobs=2)), one.state.secrets)
        await asyncio.sleep(10)
        [row] = await history(one)
    assert (row.state, row.until) == ("missed", row.at)
    assert "stopped" in (row.reason or "")
    assert model.requests == []
