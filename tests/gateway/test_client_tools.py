"""Functions that the API's client brings along and runs itself (SPEC 11.3)."""

import asyncio

import pytest

from serai.core.call_id import shown
from serai.core.error import InvalidTools
from serai.core.ids import AgentId, SessionId
from serai.core.message import Answer, ClientTool, ClientTools, InputBody, Message, ToolCall, Usage
from serai.core.principal import LOCAL, Principal
from serai.core.source import Source
from serai.gateway.request.run import Ask, Run
from serai.ports.model import ModelReply, ModelRequest
from serai.testing.clock import virtual_time
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot
from tests.gateway.test_steps import FakeTool, call, told

WEATHER = ToolCall("w1", "weather", '{"city": "Rome"}')
OFFERED = ClientTools((ClientTool("weather", "tells it"),))


async def ask(
    stage: Stage,
    body: InputBody,
    *,
    session: str | None = None,
    agent: str = "main",
    principal: Principal = LOCAL,
) -> Run:
    name = SessionId(session) if session else None
    return await stage.runs.start(Ask(Source("api_server", agent_id=AgentId(agent)), body, principal, name))


async def answer(run: Run) -> Answer:
    ended = await run.ended()
    assert ended.answer is not None, ended
    return ended.answer


def question(text: str = "weather?", offered: ClientTools = OFFERED) -> InputBody:
    return InputBody(Message("user", text), client=offered)


def result(call_id: str, text: str = "sunny") -> Message:
    return Message("tool", text, tool_call_id=call_id)


def brought(run: Run, *calls: ToolCall) -> tuple[Message, Message]:
    """What a client without a session sends back: the question, and the calls as it was told them."""
    shown_calls = tuple(ToolCall(shown(run.id, one.id), one.name, one.arguments) for one in calls)
    return Message("user", "weather?"), Message("assistant", tool_calls=shown_calls)


def spoken(request: ModelRequest) -> list[tuple[str, str]]:
    """Role and text, calls by their ids, of everything after the system prompt."""
    return [(m.role, m.text or ",".join(one.id for one in m.tool_calls)) for m in request.messages[1:]]


@virtual_time
async def test_the_model_is_offered_both_kinds_of_tools() -> None:
    model = ScriptedModel(["no need"])
    async with Stage(model, tools={"act": FakeTool()}).running() as stage:
        await answer(await ask(stage, question()))
    assert [tool.name for tool in model.requests[0].tools] == ["act"]
    assert [tool.name for tool in model.requests[0].client_tools] == ["weather"]
    assert model.requests[0].client_tools[0].parameters == {"type": "object", "properties": {}}


@virtual_time
async def test_a_call_of_the_clients_tool_ends_the_turn() -> None:
    model = ScriptedModel([WEATHER])
    async with Stage(model).running() as stage:
        got = await answer(await ask(stage, question()))
    assert (got.tool_calls, got.text) == ((WEATHER,), "")


@virtual_time
async def test_a_session_goes_on_with_the_result() -> None:
    model = ScriptedModel([WEATHER, "It is sunny.", "Bye."])
    async with Stage(model).running() as stage:
        first = await ask(stage, question(), session="mine")
        await answer(first)
        second = InputBody(result(shown(first.id, "w1")), client=OFFERED)
        assert (await answer(await ask(stage, second, session="mine"))).text == "It is sunny."
        await answer(await ask(stage, InputBody(Message("user", "thanks")), session="mine"))
    assert spoken(model.requests[-1]) == [
        ("user", "weather?"),
        ("assistant", "w1"),
        ("tool", "sunny"),
        ("assistant", "It is sunny."),
        ("user", "thanks"),
    ]
    assert model.requests[1].messages[3].tool_call_id == "w1"


@virtual_time
async def test_own_tools_called_in_the_same_reply_are_run_and_their_results_kept_in_the_session() -> None:
    tool = FakeTool()
    model = ScriptedModel([[call(1), WEATHER, call(2)], "Done."])
    async with Stage(model, tools={"act": tool}).running() as stage:
        first = await ask(stage, question(), session="mine")
        assert (await answer(first)).tool_calls == (WEATHER,)
        assert len(tool.calls) == 2
        await answer(await ask(stage, InputBody(result(shown(first.id, "w1"))), session="mine"))
    assert told(model.requests[-1]) == ["result 1", "result 2", "sunny"]


@virtual_time
async def test_a_client_without_a_session_gets_the_agents_own_work_back_into_the_conversation() -> None:
    tool = FakeTool()
    model = ScriptedModel([call(1), [call(2), WEATHER], "Done."])
    async with Stage(model, tools={"act": tool}).running() as stage:
        first = await ask(stage, question())
        await answer(first)
        history = brought(first, WEATHER)
        again = InputBody(result(shown(first.id, "w1")), history, client=OFFERED)
        assert (await answer(await ask(stage, again))).text == "Done."
    assert spoken(model.requests[-1]) == [
        ("user", "weather?"),
        ("assistant", "c1"),
        ("tool", "result 1"),
        ("assistant", "c2,w1"),
        ("tool", "result 2"),
        ("tool", "sunny"),
    ]


@pytest.mark.parametrize("stranger", ["another key", "another agent", "changed"])
@virtual_time
async def test_nobody_else_gets_the_agents_own_work(stranger: str) -> None:
    model = ScriptedModel([[call(1), WEATHER], "Done."])
    async with Stage(model, snapshot("ops"), tools={"act": FakeTool()}).running() as stage:
        first = await ask(stage, question())
        await answer(first)
        wish = ToolCall("w1", "weather", "{}") if stranger == "changed" else WEATHER
        again = InputBody(result(shown(first.id, "w1")), brought(first, wish), client=OFFERED)
        other = Principal("other") if stranger == "another key" else LOCAL
        agent = "ops" if stranger == "another agent" else "main"
        await answer(await ask(stage, again, principal=other, agent=agent))
    assert spoken(model.requests[-1]) == [("user", "weather?"), ("assistant", "w1"), ("tool", "sunny")]


@virtual_time
async def test_a_client_that_passes_over_its_call_leaves_no_hole_in_the_history() -> None:
    model = ScriptedModel([WEATHER, "As you like.", "Bye."])
    async with Stage(model).running() as stage:
        await answer(await ask(stage, question(), session="mine"))
        await answer(await ask(stage, InputBody(Message("user", "never mind")), session="mine"))
        await answer(await ask(stage, InputBody(Message("user", "bye")), session="mine"))
    no_result = ("tool", "The client brought no result of this call.")
    assert spoken(model.requests[-1])[:4] == [
        ("user", "weather?"),
        ("assistant", "w1"),
        no_result,
        ("user", "never mind"),
    ]


@virtual_time
async def test_a_result_that_nobody_asked_for_is_refused_and_leaves_no_trace() -> None:
    model = ScriptedModel(["Hello.", "Bye."])
    async with Stage(model).running() as stage:
        await answer(await ask(stage, InputBody(Message("user", "hello")), session="mine"))
        ended = await (await ask(stage, InputBody(result("w9")), session="mine")).ended()
        await answer(await ask(stage, InputBody(Message("user", "bye")), session="mine"))
    assert ended.fault is not None
    assert (ended.fault.status, ended.fault.code) == (400, "no_tool_call")
    assert spoken(model.requests[-1]) == [("user", "hello"), ("assistant", "Hello."), ("user", "bye")]


@virtual_time
async def test_a_name_that_the_agent_has_itself_is_refused_before_anything_is_stored() -> None:
    model = ScriptedModel(["never"])
    async with Stage(model, tools={"weather": FakeTool("weather")}).running() as stage:
        with pytest.raises(InvalidTools, match="`weather` of its own"):
            await ask(stage, question(), session="mine")
        assert await stage.store.holder(SessionId("mine")) is None
    assert model.requests == []


@virtual_time
async def test_a_client_that_wants_its_function_called_is_not_served_by_the_agents_own() -> None:
    model = ScriptedModel([WEATHER])
    async with Stage(model, tools={"act": FakeTool()}).running() as stage:
        forced = ClientTools(OFFERED.tools, forced=True)
        await answer(await ask(stage, question(offered=forced)))
    assert (model.requests[0].tools, len(model.requests[0].client_tools)) == ((), 1)


@virtual_time
async def test_a_turn_that_hands_over_goes_on_after_a_restart_without_running_its_own_tool_again() -> None:
    tool, slow = FakeTool("act"), FakeTool("slow", delay=60)
    model = ScriptedModel([[call(1), call(2, "slow"), WEATHER]])
    first = Stage(model, tools={"act": tool, "slow": slow})
    async with first.running():
        run = await first.runs.start(
            Ask(Source("api_server"), question(), LOCAL, idempotency_key="k", route_digest="r", body_digest="b")
        )
        while not slow.calls:
            await asyncio.sleep(1)
    async with Stage(model, store=first.store, tools={"act": tool, "slow": slow}).running(recover=True) as second:
        await second.settled(run.id)
        ended = await second.store.outcome(run.id)
    assert ended is not None
    assert ended.answer is not None
    assert ended.answer.tool_calls == (WEATHER,)
    assert (len(tool.calls), len(slow.calls), len(model.requests)) == (1, 1, 1)


@virtual_time
async def test_words_said_with_the_call_are_part_of_the_answer() -> None:
    reply = ModelReply(Message("assistant", "One moment.", tool_calls=(WEATHER,)), Usage(), "m", "tool_calls")
    async with Stage(ScriptedModel([reply])).running() as stage:
        got = await answer(await ask(stage, question()))
    assert (got.text, got.finish_reason) == ("One moment.", "tool_calls")
