"""Hooks at their moments in a whole gateway: when each is called, and what its answer does (SPEC 8.1, 16.2)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from serai.core.error import MessageDropped, SendPermanent, SendTemporary, Unauthorised
from serai.core.event import TextDelta
from serai.core.ids import Account
from serai.core.message import Revision, ToolCall
from serai.core.reset import ResetPolicy
from serai.core.snapshot import Access, AccountSettings
from serai.plugin import DEADLINES
from serai.plugins.hooks import PluginHooks
from serai.ports.hooks import HookName
from serai.ports.model import ModelRequest
from serai.ports.scope import current_profile
from serai.testing.clock import virtual_time
from serai.testing.model import Fail, ScriptedModel
from tests.gateway.stage import Stage, routes, snapshot
from tests.gateway.test_chat import echo
from tests.gateway.test_runs import text
from tests.gateway.test_steps import AskingTool, FakeTool, call, crashed_during, told
from tests.patience import PATIENCE_S
from tests.plugins.made import HOOKS, Heard, listener, plugin

Answers = Mapping[HookName, Callable[[Mapping[str, Any]], Any]]


def hearing(**answers: Callable[[Mapping[str, Any]], Any]) -> tuple[PluginHooks, Heard]:
    """One plugin with all hooks, which answers as told, else nothing."""
    made, heard = listener(answers=answers)  # type: ignore[arg-type]
    return PluginHooks([("test", made)]), heard


def answering(**answers: Callable[[Mapping[str, Any]], Any]) -> PluginHooks:
    """One plugin with these hooks alone."""
    return PluginHooks([("test", plugin(answers, is_async=True))])  # type: ignore[arg-type]


@virtual_time
async def test_a_turn_is_told_from_its_first_moment_to_its_last() -> None:
    hooks, heard = hearing()
    model = ScriptedModel([call(), "done"])
    async with Stage(model, tools={"act": FakeTool()}, hooks=hooks).running() as stage:
        await stage.fake.says("go", chat="100", user="42", message="m1")
        await stage.fake.answer()
        await asyncio.sleep(1)
    assert heard.hooks()[:-2] == [
        "select_agent",
        "pre_gateway_dispatch",
        "on_session_start",
        "pre_llm_call",
        "post_llm_call",
        "pre_tool_call",
        "transform_tool_result",
        "post_tool_call",
        "pre_llm_call",
        "post_llm_call",
        "transform_llm_output",
    ]
    assert set(heard.hooks()[-2:]) == {"on_session_end", "on_delivery"}
    start, end, delivery = (heard.of(hook)[0] for hook in ("on_session_start", "on_session_end", "on_delivery"))
    assert (start["source"]["chat_id"], start["source"]["user_id"], start["source"]["message_id"]) == (
        "100",
        "42",
        "m1",
    )
    assert (end["outcome"], end["session_id"]) == ("done", start["session_id"])
    assert (delivery["state"], delivery["delivery_id"]) == ("sent", stage.fake.sent[0].id)
    assert {given.get("agent_id", "main") for _, given in heard.calls} == {"main"}
    assert {given["turn_id"] for _, given in heard.calls if "turn_id" in given} == {end["turn_id"]}


@virtual_time
async def test_a_session_begins_once_and_each_of_its_turns_ends() -> None:
    hooks, heard = hearing()
    async with Stage(ScriptedModel(["one", Fail("rejected"), "three"]), hooks=hooks).running() as stage:
        for _ in range(3):
            await stage.fake.says("hello")
            await stage.fake.answer()
    assert len(heard.of("on_session_start")) == 1
    assert [given["outcome"] for given in heard.of("on_session_end")] == ["done", "failed", "done"]
    assert len(heard.of("post_llm_call")) == 2, "a call that failed is not told"


@virtual_time
async def test_a_call_of_the_api_has_the_same_moments() -> None:
    hooks, heard = hearing(pre_gateway_dispatch=lambda given: given["text"].upper())
    async with Stage(ScriptedModel(echo), hooks=hooks).running() as stage:
        assert text(await (await stage.ask("hello", session="mine")).ended()) == "main heard: HELLO"
        await asyncio.sleep(1)
    assert [given["session_id"] for given in heard.of("on_session_start")] == ["mine"]
    assert heard.of("pre_gateway_dispatch")[0]["source"]["platform"] == "api_server"
    assert heard.of("on_session_end")[0]["outcome"] == "done"


@virtual_time
async def test_a_turn_that_is_stopped_has_ended_as_cancelled() -> None:
    hooks, heard = hearing()
    async with Stage(ScriptedModel(echo, delay=60), hooks=hooks).running() as stage:
        run = await stage.ask("hello")
        await asyncio.sleep(1)
        run.abandon()
        await stage.settled(run.id)
        await asyncio.sleep(1)
    assert [given["outcome"] for given in heard.of("on_session_end")] == ["cancelled"]


@virtual_time
async def test_a_plugin_may_change_what_was_written() -> None:
    hooks = answering(pre_gateway_dispatch=lambda given: given["text"].replace("4711", "****"))
    async with Stage(ScriptedModel(echo), hooks=hooks).running() as stage:
        await stage.fake.says("my number is 4711")
        assert (await stage.fake.answer()).text == "main heard: my number is ****"


@virtual_time
async def test_a_dropped_message_has_arrived_but_starts_no_turn_and_its_copy_asks_nobody() -> None:
    hooks, heard = hearing(pre_gateway_dispatch=lambda given: False if given["text"] == "spam" else None)
    model = ScriptedModel(echo)
    async with Stage(model, hooks=hooks).running() as stage:
        first = await stage.fake.says("spam", message="m1")
        copy = await stage.fake.says("spam", message="m1")
        await stage.fake.says("hello", message="m2")
        assert (await stage.fake.answer()).text == "main heard: hello"
        ended = await stage.store.outcome(first.input_id)
    assert (first.duplicate, copy.duplicate) == (False, True)
    assert copy.input_id == first.input_id
    assert [given["text"] for given in heard.of("pre_gateway_dispatch")] == ["spam", "hello"]
    assert len(model.requests) == 1
    assert ended is not None
    assert ended.fault is not None
    assert ended.fault.text == "dropped by the plugin `test`"
    assert stage.meter.refused == {"message_dropped": 1}


@virtual_time
async def test_a_call_of_the_api_that_is_dropped_is_refused() -> None:
    model = ScriptedModel(echo)
    async with Stage(model, hooks=answering(pre_gateway_dispatch=lambda _: False)).running() as stage:
        with pytest.raises(MessageDropped, match="the plugin `test` dropped this message"):
            await stage.ask("hello")
    assert model.requests == []


@virtual_time
async def test_a_stranger_is_refused_before_any_hook_of_an_agent() -> None:
    hooks, heard = hearing()
    access = Access(allow_users=frozenset({"42"}))
    config = snapshot(accounts={Account("fake"): AccountSettings(Account("fake"), access)})
    async with Stage(ScriptedModel(echo), config, hooks=hooks).running() as stage:
        with pytest.raises(Unauthorised):
            await stage.fake.says("let me in", user="666")
    assert heard.calls == []


@virtual_time
async def test_what_a_plugin_adds_is_seen_by_the_model_but_not_kept() -> None:
    model = ScriptedModel([call(), "done", "again"])
    hooks = answering(pre_llm_call=lambda given: f"It is call {len(given['messages'])}.")
    async with Stage(model, tools={"act": FakeTool()}, hooks=hooks).running() as stage:
        await (await stage.ask("go", session="s")).ended()
        await (await stage.ask("more", session="s")).ended()
    asked = [[m.text for m in request.messages if m.role == "user"] for request in model.requests]
    assert asked == [["go\n\nIt is call 2."], ["go\n\nIt is call 4."], ["go", "more\n\nIt is call 6."]]


@virtual_time
async def test_a_blocked_tool_does_not_run_and_the_model_is_told_why() -> None:
    tool = FakeTool()
    hooks, heard = hearing(pre_tool_call=lambda given: {"block": "not today"} if given["args"]["x"] == 1 else None)
    model = ScriptedModel([[call(1), call(2, arguments='{"x": 2}')], "done"])
    async with Stage(model, tools={"act": tool}, hooks=hooks).running() as stage:
        assert text(await (await stage.ask("go")).ended()) == "done"
    assert told(model.requests[-1]) == ["not today", "result 1"]
    assert [arguments for _, _, arguments in tool.calls] == [{"x": 2}]
    assert [(g["result"], g["status"]) for g in heard.of("post_tool_call")] == [
        ("not today", "blocked"),
        ("result 1", "done"),
    ]
    assert len(heard.of("transform_tool_result")) == 1


@virtual_time
async def test_a_tool_runs_with_the_arguments_and_tells_the_result_that_plugins_leave() -> None:
    tool = FakeTool(failure="no such file: /home/ada/a.txt")
    hooks, heard = hearing(
        pre_tool_call=lambda given: {"args": {"x": given["args"]["x"] + 1}},
        transform_tool_result=lambda given: given["result"].replace("/home/ada/", ""),
    )
    model = ScriptedModel([call(), "done"])
    async with Stage(model, tools={"act": tool}, hooks=hooks).running() as stage:
        await (await stage.ask("go")).ended()
    assert tool.calls == [("c1", "main", {"x": 2})]
    assert told(model.requests[-1]) == ["no such file: a.txt"]
    ran = heard.of("post_tool_call")[0]
    assert (ran["args"], ran["result"], ran["status"]) == ({"x": 2}, "no such file: a.txt", "failed")


@pytest.mark.parametrize("wish", [call(name="ghost"), call(arguments="{not json")])
@virtual_time
async def test_a_call_that_makes_no_sense_reaches_no_tool_and_no_hook_of_tools(wish: ToolCall) -> None:
    hooks, heard = hearing()
    async with Stage(ScriptedModel([wish, "sorry"]), tools={"act": FakeTool()}, hooks=hooks).running() as stage:
        assert text(await (await stage.ask("go")).ended()) == "sorry"
    assert not {hook for hook in heard.hooks() if "tool" in hook}


@virtual_time
async def test_the_answer_that_plugins_leave_is_what_people_get_and_what_is_remembered() -> None:
    model = ScriptedModel(echo)
    hooks = answering(transform_llm_output=lambda given: given["text"].replace("hello", "***"))
    async with Stage(model, hooks=hooks).running() as stage:
        await stage.fake.says("hello")
        assert (await stage.fake.answer()).text == "main heard: ***"
        await stage.fake.says("and now?")
        await stage.fake.answer()
    assert [m.text for m in model.requests[-1].messages[1:]] == ["hello", "main heard: ***", "and now?"]


@virtual_time
async def test_a_listener_is_not_told_words_that_a_plugin_may_still_change() -> None:
    hooks = answering(transform_llm_output=lambda given: given["text"].upper())
    async with Stage(ScriptedModel(["one two three"]), hooks=hooks).running() as stage:
        run = await stage.ask("hello", stream=True)
        events = [event async for event in run.events()]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["ONE TWO THREE"]


@virtual_time
async def test_after_a_crash_tool_hooks_are_not_called_again_and_the_changed_arguments_stay() -> None:
    fast, slow = FakeTool("fast"), FakeTool("slow", idempotent=True, delay=100)
    tools = {"fast": fast, "slow": slow}
    before, heard_before = hearing(pre_tool_call=lambda given: {"args": {"x": 7}})
    wishes = [call(1, "fast"), call(2, "slow")]
    run = await crashed_during(first := Stage(ScriptedModel([wishes]), tools=tools, hooks=before), seconds=50)
    after, heard = hearing(pre_tool_call=lambda given: {"args": {"x": 8}})
    second = Stage(ScriptedModel(["done"]), store=first.store, tools=tools, hooks=after)
    async with second.running(recover=True):
        await second.settled(run)
        await asyncio.sleep(1)
    assert [given["tool_name"] for given in heard_before.of("pre_tool_call")] == ["fast", "slow"]
    assert [given["tool_name"] for given in heard_before.of("post_tool_call")] == ["fast"]
    assert heard.of("pre_tool_call") == []
    assert [given["tool_name"] for given in heard.of("post_tool_call")] == ["slow"], "it has ended only now"
    assert [arguments for _, _, arguments in fast.calls + slow.calls] == [{"x": 7}] * 3
    assert "on_session_start" not in heard.hooks()


@virtual_time
async def test_after_a_crash_a_blocked_call_stays_blocked() -> None:
    slow = FakeTool("slow", delay=100)
    hooks = answering(pre_tool_call=lambda given: {"block": "no"} if given["tool_name"] == "act" else None)
    tools = {"act": FakeTool(), "slow": slow}
    first = Stage(ScriptedModel([[call(1), call(2, "slow")]]), tools=tools, hooks=hooks)
    run = await crashed_during(first, seconds=50)
    model = ScriptedModel(["done"])
    second = Stage(model, store=first.store, tools=tools)
    async with second.running(recover=True):
        await second.settled(run)
    assert tools["act"].calls == []
    assert told(model.requests[0])[0] == "no"


@virtual_time
async def test_a_session_that_expires_is_finalized_before_the_next_one_begins() -> None:
    hooks, heard = hearing()
    config = snapshot(reset=ResetPolicy("idle", idle_minutes=10))
    async with Stage(ScriptedModel(echo), config, hooks=hooks).running() as stage:
        await stage.fake.says("hello")
        await stage.fake.answer()
        await asyncio.sleep(11 * 60)
        await stage.fake.says("hello again")
        await stage.fake.answer()
    names = [hook for hook in heard.hooks() if hook.startswith("on_session") and hook != "on_session_end"]
    assert names == ["on_session_start", "on_session_finalize", "on_session_reset", "on_session_start"]
    old, new = (given["session_id"] for given in heard.of("on_session_start"))
    assert old != new
    assert heard.of("on_session_finalize") == [{"agent_id": "main", "session_id": old, "reason": "expired"}]
    assert heard.of("on_session_reset") == [{"agent_id": "main", "session_id": new, "old_session_id": old}]


@pytest.mark.parametrize("command", ["new", "stop"])
@virtual_time
async def test_a_command_that_closes_a_session_tells_both_ids_and_the_next_message_begins_the_fresh_one(
    command: str,
) -> None:
    bound = []
    hooks, heard = hearing(
        on_session_finalize=lambda _: bound.append(current_profile().id),
        on_session_reset=lambda _: bound.append(current_profile().id),
    )
    config = snapshot("ops", routes=routes(({"chat_id": "1"}, "ops")))
    async with Stage(ScriptedModel(echo), config, hooks=hooks).running() as stage:
        await stage.fake.says(f"/{command}")
        assert heard.calls[1:] == [], "there was no session to close"
        await stage.fake.answer()
        await stage.fake.says("hello")
        await stage.fake.answer()
        heard.calls.clear()
        await stage.fake.says(f"/{command}", message="again")
        await stage.fake.says(f"/{command}", message="again")
        closing = [given for hook, given in heard.calls if hook.startswith("on_session")]
        await stage.fake.says("hello again")
        await asyncio.sleep(5)
    old = closing[0]["session_id"]
    fresh = heard.of("on_session_start")[0]["session_id"]
    assert closing == [
        {"agent_id": "ops", "session_id": old, "reason": command},
        {"agent_id": "ops", "session_id": fresh, "old_session_id": old},
    ]
    assert bound == ["ops", "ops"]


@virtual_time
async def test_an_edit_does_not_go_round_the_plugins_that_see_messages() -> None:
    hooks = answering(pre_gateway_dispatch=lambda given: given["text"].replace("4711", "****"))
    async with Stage(ScriptedModel(echo, delay=5), hooks=hooks).running() as stage:
        await stage.fake.says("hello", chat="1")
        await stage.fake.says("number 1", chat="1", message="second")
        receipt = await stage.intake.receive(Revision(Account("fake"), "1", "second", "number 4711"))
        assert receipt.ignored
        await stage.fake.answer()
        assert (await stage.fake.answer()).text == "main heard: number 1"


@virtual_time
async def test_the_end_of_each_delivery_is_told_once_with_its_target() -> None:
    hooks, heard = hearing()
    async with Stage(ScriptedModel(echo), hooks=hooks).running() as stage:
        stage.fake.fails(SendTemporary("slow down", 1.0), SendTemporary("slow down", 1.0))
        await stage.fake.says("one", chat="a")
        await stage.fake.answer()
        stage.fake.fails(SendPermanent("gone"))
        await stage.fake.says("two", chat="b")
        await asyncio.sleep(10)
    ends = [(given["target"]["chat_id"], given["state"]) for given in heard.of("on_delivery")]
    assert ends == [("a", "sent"), ("b", "dead")], "a send that is tried again by itself has not ended"


@virtual_time
async def test_stopping_a_turn_that_is_already_being_told_as_ended_does_not_hold_up_the_next() -> None:
    hooks = answering(on_session_end=lambda _: asyncio.sleep(1.5))
    async with Stage(ScriptedModel(echo), hooks=hooks).running() as stage:
        first = await stage.ask("one", session="s")
        second = await stage.ask("two", session="s")
        assert text(await first.ended()) == "main heard: one"
        await stage.lanes.stop(first.id, "too late")
        assert text(await asyncio.wait_for(second.ended(), 3)) == "main heard: two"


@virtual_time
async def test_a_turn_whose_hooks_all_hang_is_answered_all_the_same() -> None:
    async def hang(_: Mapping[str, Any]) -> None:
        await asyncio.sleep(3600)

    made = plugin(dict.fromkeys(HOOKS, hang), is_async=True)
    tool = FakeTool()
    stage = Stage(ScriptedModel([call(), "done"]), tools={"act": tool}, hooks=PluginHooks([("hung", made)]))
    async with stage.running():
        began = stage.clock.now()
        await stage.fake.says("go")
        assert (await stage.fake.answer()).text == "done"
        assert stage.clock.now() - began <= sum(DEADLINES.values()) + DEADLINES["pre_llm_call"] + 2
    assert len(tool.calls) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_each_of_fifty_turns_of_five_agents_is_bound_to_its_own_agent_in_every_hook(is_async: bool) -> None:
    agents = [f"a{n}" for n in range(5)]
    seen: list[tuple[str, str, str]] = []

    def note(hook: HookName) -> Callable[[Mapping[str, Any]], None]:
        return lambda given: seen.append((hook, given["agent_id"], current_profile().id))

    hooks = [hook for hook in HOOKS if hook != "select_agent"]
    more: dict[HookName, int] = {"pre_llm_call": 100, "post_llm_call": 100, "on_delivery": 200}
    wanted = {hook: more.get(hook, 50) for hook in hooks}
    made = plugin({hook: note(hook) for hook in hooks}, is_async=is_async)
    config = snapshot(*agents, routes=routes(*(({"user_id": agent}, agent) for agent in agents)))

    async def model(request: ModelRequest) -> ToolCall | str:
        await asyncio.sleep(0.01)
        return call() if request.messages[-1].role == "user" else f"{request.agent} answers"

    stage = Stage(ScriptedModel(model), config, tools={"act": AskingTool()}, hooks=PluginHooks([("note", made)]))
    chats = [(f"chat {n}", agents[n % 5]) for n in range(50)]
    async with stage.running():
        for said, answers in (("go", 1), ("/approve", 2), ("/new", 1)):
            await asyncio.gather(*(stage.fake.says(said, chat=chat, user=user) for chat, user in chats))
            for _ in range(len(chats) * answers):
                await asyncio.wait_for(stage.fake.answer(), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            while len(seen) < sum(wanted.values()):
                await asyncio.sleep(0.01)
    assert {(agent, bound) for _, agent, bound in seen} == {(agent, agent) for agent in agents}
    assert Counter(hook for hook, _, _ in seen) == wanted
    assert {d.text for d in stage.fake.sent} > {f"{agent} answers" for agent in agents}


@virtual_time
async def test_where_no_plugin_has_a_hook_nothing_of_the_plugins_is_touched() -> None:
    class Untouchable(PluginHooks):
        def __getattribute__(self, name: str) -> Any:
            assert name in ("used", "__class__"), f"{name} was touched"
            return frozenset()

    config = snapshot(reset=ResetPolicy("idle", idle_minutes=1))
    stage = Stage(ScriptedModel([call(), "one", "two"]), config, tools={"act": FakeTool()}, hooks=Untouchable([]))
    async with stage.running():
        await stage.fake.says("go")
        assert (await stage.fake.answer()).text == "one"
        await asyncio.sleep(120)
        assert text(await (await stage.ask("more")).ended()) == "two"
        await stage.fake.says("/new")
        await stage.fake.answer()
