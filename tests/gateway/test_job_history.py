"""What runs of jobs say joins the histories of the chats that hear it (SPEC 9.4)."""

import asyncio
from dataclasses import replace
from pathlib import Path

from serai.core.delivery import Target
from serai.core.ids import JobId
from serai.core.job import Job
from serai.core.lane import LanePolicy
from serai.core.reset import ResetPolicy
from serai.ports.model import ModelRequest
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

CRON = Path("/nonexistent/main/cron")
PLANNED = Job(JobId("0123456789ab"), "61m", "report")


def stage(model: ScriptedModel, job: Job, **config: object) -> Stage:
    files = MemoryJobs()
    files.put(CRON, job)
    return Stage(model, snapshot(**config), files=files)


def texts(request: ModelRequest) -> list[str]:
    return [message.text for message in request.messages if message.role != "system"]


@virtual_time
async def test_chats_with_one_history_together_hear_a_job_once() -> None:
    model = ScriptedModel(["the report", "as I said"])
    job = replace(PLANNED, deliver=("fake:a", "fake:b"))
    async with stage(model, job, lanes=LanePolicy(dm_scope="agent")).running(schedules=True) as one:
        await asyncio.sleep(3700)
        assert sorted(sent.target.chat_id for sent in one.fake.sent) == ["a", "b"]
        await one.fake.says("what was it?", chat="a")
        await asyncio.sleep(5)
    assert texts(model.requests[-1]) == ["the report", "what was it?"]


@virtual_time
async def test_a_conversation_that_goes_on_while_a_job_speaks_is_not_begun_afresh() -> None:
    async def slowly(_: ModelRequest) -> str:
        await asyncio.sleep(200)
        return "second answer"

    model = ScriptedModel(["first answer", slowly, "the report", "third answer"])
    job = replace(PLANNED, origin=Target("fake", "42"))
    async with stage(model, job, reset=ResetPolicy("idle", idle_minutes=60)).running(schedules=True) as one:
        await one.fake.says("first", chat="42")
        await asyncio.sleep(3590)
        await one.fake.says("second", chat="42")
        await asyncio.sleep(400)
        await one.fake.says("third", chat="42")
        await asyncio.sleep(5)
    assert sorted(texts(model.requests[-1])) == sorted(
        ["first", "first answer", "the report", "second", "second answer", "third"]
    )


@virtual_time
async def test_undo_takes_back_the_last_question_and_not_what_a_job_has_said_since() -> None:
    model = ScriptedModel(["first answer", "second answer", "the report", "third answer", "fourth answer"])
    async with stage(model, replace(PLANNED, origin=Target("fake", "42"))).running(schedules=True) as one:
        for text in ("first", "second"):
            await one.fake.says(text, chat="42")
            await asyncio.sleep(5)
        await asyncio.sleep(3700)
        for text in ("/undo", "third", "fourth"):
            await one.fake.says(text, chat="42")
            await asyncio.sleep(5)
    kept = ["first", "first answer", "the report", "third"]
    assert [texts(request) for request in model.requests[-2:]] == [kept, [*kept, "third answer", "fourth"]]
