"""An agent that plans for itself, through the whole: tool, file, run, answer (SPEC 7.4, 9.4)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.ids import AgentId, JobId
from serai.core.message import ToolCall
from serai.core.principal import Principal
from serai.gateway.schedule.jobs import OWNED_MOST
from serai.ports.job_book import JobBook
from serai.ports.jobs import BadJob
from serai.ports.model import ModelRequest
from serai.ports.tool import Toolbox
from serai.testing.clock import virtual_time
from serai.testing.model import Reply, ScriptedModel
from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox
from tests.gateway.stage import Stage, routes, snapshot

OPS, MAIN = AgentId("ops"), AgentId("main")
PLAN = {"schedule": "every 1h", "prompt": "look around"}


def toolbox(book: Callable[[], JobBook]) -> Toolbox:
    return BuiltinToolbox(AgentThreads(), book)


def planning(arguments: dict[str, object]) -> Callable[[ModelRequest], Reply]:
    """A model that plans when it is told to, and answers else."""

    def answer(request: ModelRequest) -> Reply:
        last = request.messages[-1]
        if last.role == "user" and last.text == "plan":
            return ToolCall("c1", "cron_add", json.dumps(arguments))
        return f"done: {last.text}"

    return answer


def stage(model: ScriptedModel) -> Stage:
    config = snapshot("ops", routes=routes(({"chat_id": "room"}, "ops")))
    tools = frozenset({"cron", "memory"})
    agents = {name: replace(one, toolsets=tools) for name, one in config.agents.items()}
    return Stage(model, replace(config, agents=agents), toolbox=toolbox)


def offered(request: ModelRequest) -> set[str]:
    return {spec.name.partition("_")[0] for spec in request.tools}


@virtual_time
async def test_what_an_agent_plans_runs_as_itself_without_the_toolset_and_answers_in_the_chat() -> None:
    model = ScriptedModel(planning(PLAN))
    async with stage(model).running(schedules=True) as one:
        await one.fake.says("plan", chat="room", chat_type="group", mentioned=True)
        await asyncio.sleep(3700)
        [view] = await one.jobs.all([OPS])
        assert await one.jobs.all([MAIN]) == []
        said = [(sent.target.chat_id, sent.target.agent_id, sent.text) for sent in one.fake.sent]
    assert view.job.origin is not None
    assert (view.job.origin.chat_id, view.job.deliver, view.runs) == ("room", None, 1)
    assert said[0][2].startswith(f"done: Made: `{view.job.id}`")
    assert said[1:] == [("room", "ops", "done: look around")]
    asked, _, run = model.requests
    assert {request.agent for request in model.requests} == {"ops"}
    assert offered(asked) == {"cron", "memory"}
    assert offered(run) == {"memory"}


@virtual_time
async def test_a_turn_of_the_api_plans_for_no_chat() -> None:
    async with stage(ScriptedModel(planning(PLAN))).running(schedules=True) as one:
        run = await one.ask("plan", "ops")
        await one.settled(run.id)
        await asyncio.sleep(3700)
        [view] = await one.jobs.all([OPS])
        assert view.job.origin is None
        assert view.last is not None
        assert view.last.state == "ok"
        assert one.fake.sent == []
        assert [text for (cron, *_), text in one.files.outputs.items() if cron == Path("/nonexistent/ops/cron")]


@virtual_time
async def test_a_schedule_that_cannot_be_is_told_to_the_model() -> None:
    async with stage(ScriptedModel(planning({**PLAN, "schedule": ""}))).running(schedules=True) as one:
        await one.fake.says("plan", chat="room", chat_type="group", mentioned=True)
        await asyncio.sleep(5)
        assert "wrong arguments for `cron_add`" in one.fake.sent[0].text
        assert await one.jobs.all([OPS]) == []


@virtual_time
async def test_a_model_that_names_a_time_that_is_over_is_told_what_time_it_is() -> None:
    async with stage(ScriptedModel(planning({**PLAN, "schedule": "2020-01-01T09:00"}))).running(
        schedules=True
    ) as one:
        await one.fake.says("plan", chat="room", chat_type="group", mentioned=True)
        await asyncio.sleep(5)
        assert "`2020-01-01T09:00` is over: it is Tue 2023-11-14 22:13:20" in one.fake.sent[0].text
        assert await one.jobs.all([OPS]) == []


@virtual_time
async def test_what_an_agent_plans_for_an_api_key_belongs_to_that_key() -> None:
    model = ScriptedModel(planning(PLAN))
    async with stage(model).running(schedules=True) as one:
        await (await one.ask("plan", "ops", principal=Principal("app"))).ended()
        await (await one.ask("plan", "main")).ended()
        [theirs] = await one.jobs.all([OPS])
        [local] = await one.jobs.all([MAIN])
    assert (theirs.owner, local.owner) == ("app", "")


@virtual_time
async def test_an_api_key_has_no_more_jobs_of_an_agent_than_it_may() -> None:
    async with stage(ScriptedModel([])).running(schedules=True) as one:
        for n in range(OWNED_MOST):
            await one.jobs.add(OPS, {"schedule": "30m", "prompt": str(n)}, "app", wanted=JobId(f"{n:012x}"))
        with pytest.raises(BadJob, match="remove some first"):
            await one.jobs.add(OPS, {"schedule": "30m", "prompt": "x"}, "app", wanted=JobId("f" * 12))
        await one.jobs.add(OPS, {"schedule": "30m", "prompt": "x"}, "other", wanted=JobId("e" * 12))


@virtual_time
async def test_in_chats_nothing_is_planned_more_often_than_once_a_minute() -> None:
    model = ScriptedModel(planning({**PLAN, "schedule": "every 59s"}))
    async with stage(model).running(schedules=True) as one:
        await one.fake.says("plan", chat="room", chat_type="group", mentioned=True)
        await one.fake.answer()
        refused = [m.text for request in model.requests for m in request.messages if m.role == "tool"]
        assert "once a minute" in refused[-1]
        assert await one.jobs.all([OPS]) == []


@virtual_time
async def test_what_is_planned_in_a_chat_is_not_made_more_frequent_than_once_a_minute() -> None:
    job = JobId("0123456789ab")
    model = ScriptedModel(
        [ToolCall("c1", "cron_change", json.dumps({"id": job, "schedule": "every 1s"})), "done", "never"]
    )
    async with stage(model).running(schedules=True) as one:
        origin = {"platform": "fake", "chat_id": "room", "chat_type": "group"}
        await one.jobs.add(OPS, {"schedule": "every 1h", "prompt": "x", "origin": origin}, wanted=job)
        await one.fake.says("faster", chat="room", chat_type="group", mentioned=True)
        await one.fake.answer()
        assert "once a minute" in str(model.requests[-1].messages)
        assert (await one.jobs.one(OPS, job)).job.schedule == "every 1h"
