"""Tools, steps and what a crash leaves of them (SPEC 5.3)."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from serai.core.error import ToolFailed
from serai.core.ids import AgentId, InputId
from serai.core.message import ToolCall
from serai.core.profile import Endpoint
from serai.ports.model import ModelRequest, ToolSpec
from serai.ports.scope import current_profile
from serai.ports.tool import ToolContext
from serai.testing.clock import virtual_time
from serai.testing.model import Fail, Reply, ScriptedModel
from tests.gateway.stage import Stage, snapshot
from tests.gateway.test_runs import text


@dataclass
class FakeTool:
    """A tool that remembers its calls; it can be slow, wait until `go` is set, or fail."""

    name: str = "act"
    idempotent: bool = False
    delay: float = 0.0
    go: asyncio.Event | None = None
    failure: str | None = None
    calls: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, "acts", {"type": "object", "properties": {}})

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        assert current_profile() is context.profile
        self.calls.append((context.call_id, context.profile.id, arguments))
        await asyncio.sleep(self.delay)
        if self.go is not None:
            await self.go.wait()
        if self.failure:
            raise ToolFailed(self.failure)
        return f"result {len(self.calls)}"


class AskingTool(FakeTool):
    """One that needs an approval, unless its arguments are harmless."""

    def question(self, arguments: Mapping[str, Any]) -> str | None:
        return None if arguments.get("harmless") else f"act on {arguments.get('x')}"


def call(number: int = 1, name: str = "act", arguments: str = '{"x": 1}') -> ToolCall:
    return ToolCall(f"c{number}", name, arguments)


def told(request: ModelRequest) -> list[str]:
    """What the model was told about its calls."""
    return [message.text for message in request.messages if message.role == "tool"]


@virtual_time
async def test_the_model_gets_the_results_of_its_calls_in_order() -> None:
    tool = FakeTool()
    model = ScriptedModel([[call(1), call(2)], call(3), "done"])
    async with Stage(model, tools={"act": tool}).running() as stage:
        ended = await (await stage.ask("go")).ended()
    assert text(ended) == "done"
    assert told(model.requests[-1]) == ["result 1", "result 2", "result 3"]
    assert tool.calls == [(f"c{n}", "main", {"x": 1}) for n in (1, 2, 3)]
    assert ended.answer is not None
    assert ended.answer.usage.output_tokens == 2 + 1 + 1


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (call(name="ghost"), "There is no tool named `ghost`."),
        (call(arguments="{not json"), "The arguments are not a JSON object"),
        (call(arguments="[1]"), "The arguments are not a JSON object"),
    ],
)
@virtual_time
async def test_a_call_that_makes_no_sense_is_explained_to_the_model(wish: ToolCall, expected: str) -> None:
    model = ScriptedModel([wish, "sorry"])
    async with Stage(model, tools={"act": FakeTool()}).running() as stage:
        assert text(await (await stage.ask("go")).ended()) == "sorry"
    assert told(model.requests[-1])[0].startswith(expected)


@virtual_time
async def test_a_tool_that_fails_tells_the_model_why() -> None:
    model = ScriptedModel([call(), "I see"])
    async with Stage(model, tools={"act": FakeTool(failure="the disk is full")}).running() as stage:
        await (await stage.ask("go")).ended()
    assert told(model.requests[-1]) == ["the disk is full"]


@virtual_time
async def test_a_tool_with_a_bug_ends_its_own_turn_only() -> None:
    class Broken(FakeTool):
        async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
            raise ZeroDivisionError

    model = ScriptedModel([call(), "fine"])
    async with Stage(model, tools={"act": Broken()}).running() as stage:
        ended = await (await stage.ask("go")).ended()
        assert ended.fault is not None
        assert (ended.state, ended.fault.status) == ("failed", 500)
        assert text(await (await stage.ask("go")).ended()) == "fine"


@virtual_time
async def test_a_model_that_never_stops_calling_tools_is_stopped() -> None:
    model = ScriptedModel(lambda _: call())
    async with Stage(model, tools={"act": FakeTool()}).running() as stage:
        ended = await (await stage.ask("go")).ended()
    assert ended.state == "failed"
    assert len(model.requests) == 40


@virtual_time
async def test_after_a_crash_a_completed_call_is_not_run_again() -> None:
    tool, slow = FakeTool(), FakeTool("slow", delay=100)
    first = Stage(ScriptedModel([[call(1), call(2, "slow")]]), tools={"act": tool, "slow": slow})
    run = await crashed_during(first, seconds=50)
    model = ScriptedModel(["done"])
    second = Stage(model, store=first.store, tools={"act": tool, "slow": slow})
    async with second.running(recover=True):
        await second.settled(run)
    assert len(tool.calls) == 1
    assert len(slow.calls) == 1, "it is not known whether it took effect"
    assert told(model.requests[0])[0] == "result 1"
    assert "interrupted" in told(model.requests[0])[1]


@virtual_time
async def test_after_a_crash_an_idempotent_call_is_repeated_under_its_id() -> None:
    slow = FakeTool("slow", idempotent=True, delay=100)
    first = Stage(ScriptedModel([call(1, "slow")]), tools={"slow": slow})
    run = await crashed_during(first, seconds=50)
    model = ScriptedModel(["done"])
    second = Stage(model, store=first.store, tools={"slow": slow})
    async with second.running(recover=True):
        await second.settled(run)
    assert [c[0] for c in slow.calls] == ["c1", "c1"]
    assert told(model.requests[0]) == ["result 2"]


@virtual_time
async def test_a_turn_that_dies_three_times_is_failed_and_its_people_are_told() -> None:
    stage = Stage(ScriptedModel(lambda _: "never", delay=1000))
    await frozen(stage)
    await stage.fake.says("hello")
    for _ in range(2):
        stage = Stage(ScriptedModel(lambda _: "never", delay=1000), store=stage.store)
        await frozen(stage, recover=True)
    model = ScriptedModel([])
    last = Stage(model, store=stage.store)
    async with last.running(recover=True):
        assert "interrupted 3 times" in (await last.fake.answer()).text
    assert model.requests == []


async def frozen(stage: Stage, *, recover: bool = False) -> None:
    """Starts a gateway that is never stopped: another takes over while this one still believes in its turns."""
    _frozen.append(stage.running(recover=recover))
    await _frozen[-1].__aenter__()
    await asyncio.sleep(1)


_frozen: list[AbstractAsyncContextManager[Stage]] = []
"""Keeps the frozen ones from being collected, which would stop them in an orderly way."""


async def crashed_during(stage: Stage, seconds: float) -> InputId:
    """Asks, and leaves the gateway behind after `seconds`: nothing is given back."""
    await frozen(stage)
    run = await stage.ask("go", idempotency="k")
    await asyncio.sleep(seconds)
    return run.id


@virtual_time
async def test_a_replaced_worker_neither_starts_nor_finishes_anything() -> None:
    tool = FakeTool()
    stale = Stage(ScriptedModel([call(1), "late"], delay=10), tools={"act": tool})
    run = await crashed_during(stale, seconds=5)
    current = Stage(ScriptedModel(["from the new worker"], delay=60), store=stale.store)
    async with current.running(recover=True):
        await current.settled(run)
    assert tool.calls == [], "the start of a tool is fenced"
    ended = await current.store.outcome(run)
    assert ended is not None
    assert text(ended) == "from the new worker"
    assert stale.meter.fenced == 1


@virtual_time
async def test_a_shutdown_gives_the_turn_back_and_the_next_process_goes_on() -> None:
    first = Stage(ScriptedModel(["never"], delay=1000))
    async with first.running():
        run = await first.ask("hello", idempotency="k")
        await asyncio.sleep(1)
    assert await first.store.outcome(run.id) is None
    second = Stage(ScriptedModel(["resumed"]), store=first.store)
    async with second.running(recover=True):
        await second.settled(run.id)
        ended = await second.store.outcome(run.id)
    assert ended is not None
    assert text(ended) == "resumed"


@virtual_time
async def test_the_next_model_is_tried_when_one_fails_for_good() -> None:
    config = snapshot()
    main = config.agents[AgentId("main")]
    spare = Endpoint("spare", "http://127.0.0.1:2/v1")
    config = replace(config, agents={main.id: replace(main, models=(*main.models, spare))})

    def model(request: ModelRequest) -> Reply:
        return "from the spare" if request.endpoint.name == "spare" else Fail("rejected")

    scripted = ScriptedModel(model)
    async with Stage(scripted, config).running() as stage:
        assert text(await (await stage.ask("hello")).ended()) == "from the spare"
    assert [r.endpoint.name for r in scripted.requests] == ["m-main", "spare"]
