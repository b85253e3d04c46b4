"""What is kept of runs, and what other jobs are given of it (SPEC 9.4, 9.5)."""

import asyncio
from dataclasses import replace
from pathlib import Path

from serai.core.delivery import Target
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.ports.jobs import ScriptResult
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import Fail, ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS, JOB = AgentId("ops"), JobId("0123456789ab")
CRON = Path("/nonexistent/ops/cron")
ROOM = Target("fake", "room", chat_type="group")


def job(schedule: str = "30m", **changes: object) -> Job:
    return replace(Job(JOB, schedule, "look around", origin=ROOM), **changes)  # type: ignore[arg-type]


def stage(model: ScriptedModel, made: Job, result: ScriptResult) -> Stage:
    files = MemoryJobs()
    files.put(CRON, made)
    files.scripts["mails.py"] = result
    return Stage(model, snapshot("ops"), files=files)


async def kept(one: Stage) -> list[str]:
    """What the job's runs have left, the oldest first, once half an hour is over."""
    async with one.running(schedules=True):
        await asyncio.sleep(1860)
    return [text for _, text in sorted(one.files.outputs.items())]


@virtual_time
async def test_of_a_run_without_its_model_what_the_script_wrote_is_kept_and_nothing_sent() -> None:
    wrote = 'nothing new since 9:00\n{"wakeAgent": false}\n'
    for no_agent in (False, True):
        one = stage(ScriptedModel([]), job(script="mails.py", no_agent=no_agent), ScriptResult(wrote))
        assert await kept(one) == [wrote]
        assert one.fake.sent == []


@virtual_time
async def test_what_a_failed_script_had_written_is_kept_behind_the_reason() -> None:
    one = stage(ScriptedModel([]), job(script="mails.py"), ScriptResult("half of it\n", "it ended with 3"))
    assert await kept(one) == ["(The run failed: it ended with 3)\n\nhalf of it\n"]
    assert [sent.text for sent in one.fake.sent] == ["The job “0123456789ab” failed: it ended with 3"]


@virtual_time
async def test_what_the_script_had_written_is_kept_where_the_model_fails() -> None:
    [text] = await kept(stage(ScriptedModel([Fail(400)]), job(script="mails.py"), ScriptResult("12 mails\n")))
    assert text.startswith("(The run failed: ")
    assert text.endswith("\n\n12 mails\n")


@virtual_time
async def test_a_job_is_given_the_latest_result_of_another_and_not_its_silence() -> None:
    model = ScriptedModel(["12 mails", "[SILENT]", Fail(400), "thanks"])
    other = job("every 9m", id=JobId("f" * 12), prompt="mails?")
    one = stage(model, job(context_from=(other.id,)), ScriptResult(""))
    one.files.put(CRON, other, job(context_from=(other.id,)))
    await kept(one)
    assert '<output name="ffffffffffff">\n12 mails\n</output>' in model.requests[-1].messages[-1].text


@virtual_time
async def test_a_script_is_not_told_a_name_that_no_system_takes() -> None:
    one = stage(ScriptedModel(["noted"]), job(script="mails.py", name="n" * 200_000), ScriptResult(""))
    await kept(one)
    [(_, environment)] = one.files.ran
    assert environment["SERAI_JOB_NAME"] == "n" * 1000
