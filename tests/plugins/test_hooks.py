"""Each hook, asked by itself: order, deadlines, and what harms nobody (SPEC 8.1, 16.2)."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from serai.core.delivery import Delivery, Target
from serai.core.ids import AgentId, ApprovalId, DeliveryId, SessionId, TurnId
from serai.core.message import Image, Message, ToolCall, Usage
from serai.core.profile import AgentProfile
from serai.core.source import Source
from serai.plugin import DEADLINES, hookimpl
from serai.plugins.hooks import PluginHooks
from serai.ports.binding import use_profile
from serai.ports.hooks import Blocked, Choice, Dropped, HookName, Moment
from serai.ports.scope import current_profile
from tests.patience import PATIENCE_S
from tests.plugins.made import HOOKS, listener, plugin

OPS = AgentId("ops")
PROFILE = AgentProfile(OPS, Path("/nonexistent"))
SESSION = SessionId("ses_1")
AT = Moment(OPS, SESSION, TurnId(7))
CHAT = Source("fake", chat_id="100", user_id="42")
HISTORY = (Message("system", "You are Ops."), Message("user", "hello"))
ASKED = ApprovalId("K7M2PQ9X")
DELIVERY = Delivery(DeliveryId("dlv_1"), Target("fake", "100", agent_id=OPS), OPS, "hi")
QUICK: Final = dict.fromkeys(DEADLINES, 1.0)
"""Deadlines for tests in which something hangs: far more than what does not hang needs."""

ASK: Mapping[HookName, Callable[[PluginHooks], Awaitable[Any]]] = {
    "select_agent": lambda hooks: hooks.select_agent(CHAT, "main"),
    "pre_gateway_dispatch": lambda hooks: hooks.pre_gateway_dispatch(OPS, CHAT, "hello"),
    "on_session_start": lambda hooks: hooks.on_session_start(OPS, SESSION, CHAT),
    "on_session_end": lambda hooks: hooks.on_session_end(OPS, SESSION, TurnId(7), "done"),
    "on_session_finalize": lambda hooks: hooks.on_session_finalize(OPS, SESSION, "expired"),
    "on_session_reset": lambda hooks: hooks.on_session_reset(OPS, SessionId("ses_2"), SESSION),
    "pre_llm_call": lambda hooks: hooks.pre_llm_call(AT, "m", HISTORY),
    "post_llm_call": lambda hooks: hooks.post_llm_call(AT, "m", "hi", Usage(3, 1)),
    "pre_tool_call": lambda hooks: hooks.pre_tool_call(AT, "act", {"x": 1}),
    "post_tool_call": lambda hooks: hooks.post_tool_call(AT, "act", {"x": 1}, "done it", "done", 0.25),
    "transform_tool_result": lambda hooks: hooks.transform_tool_result(OPS, "act", {"x": 1}, "done it"),
    "transform_llm_output": lambda hooks: hooks.transform_llm_output(OPS, SESSION, "hi"),
    "pre_approval_request": lambda hooks: hooks.pre_approval_request(OPS, SESSION, ASKED, "act", {"x": 1}),
    "post_approval_response": lambda hooks: hooks.post_approval_response(OPS, SESSION, ASKED, "once", "fake:42"),
    "on_delivery": lambda hooks: hooks.on_delivery(DELIVERY, "sent"),
}
"""How the gateway asks each hook."""

TOLD: Mapping[HookName, Mapping[str, Any]] = {
    "select_agent": {"source": CHAT.mapping(), "route_match": "main"},
    "pre_gateway_dispatch": {"agent_id": "ops", "source": CHAT.mapping(), "text": "hello"},
    "on_session_start": {"agent_id": "ops", "session_id": "ses_1", "source": CHAT.mapping()},
    "on_session_end": {"agent_id": "ops", "session_id": "ses_1", "turn_id": 7, "outcome": "done"},
    "on_session_finalize": {"agent_id": "ops", "session_id": "ses_1", "reason": "expired"},
    "on_session_reset": {"agent_id": "ops", "session_id": "ses_2", "old_session_id": "ses_1"},
    "pre_llm_call": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "turn_id": 7,
        "model": "m",
        "messages": [{"role": "system", "content": "You are Ops."}, {"role": "user", "content": "hello"}],
    },
    "post_llm_call": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "turn_id": 7,
        "model": "m",
        "text": "hi",
        "usage": {"input_tokens": 3, "output_tokens": 1, "cached_tokens": 0, "reasoning_tokens": 0},
    },
    "pre_tool_call": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "turn_id": 7,
        "tool_name": "act",
        "args": {"x": 1},
    },
    "post_tool_call": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "turn_id": 7,
        "tool_name": "act",
        "args": {"x": 1},
        "result": "done it",
        "status": "done",
        "duration_ms": 250.0,
    },
    "transform_tool_result": {"agent_id": "ops", "tool_name": "act", "args": {"x": 1}, "result": "done it"},
    "transform_llm_output": {"agent_id": "ops", "session_id": "ses_1", "text": "hi"},
    "pre_approval_request": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "approval_id": "K7M2PQ9X",
        "tool_name": "act",
        "args": {"x": 1},
    },
    "post_approval_response": {
        "agent_id": "ops",
        "session_id": "ses_1",
        "approval_id": "K7M2PQ9X",
        "choice": "once",
        "decided_by": "fake:42",
    },
    "on_delivery": {
        "agent_id": "ops",
        "delivery_id": "dlv_1",
        "target": {
            "platform": "fake",
            "chat_id": "100",
            "account": "default",
            "thread_id": None,
            "agent_id": "ops",
            "reply_to": (),
            "chat_type": "dm",
            "user_id": None,
        },
        "state": "sent",
    },
}
"""What a plugin is told then."""

GOOD: Mapping[HookName, tuple[Any, Any]] = {
    "select_agent": ("night", Choice("night", "good")),
    "pre_gateway_dispatch": ("good day", "good day"),
    "pre_llm_call": ("It is raining.", ["It is raining."]),
    "pre_tool_call": ({"args": {"x": 2}}, {"x": 2}),
    "transform_tool_result": ("changed", "changed"),
    "transform_llm_output": ("changed", "changed"),
}
"""A good answer of a hook, and what comes of it. What the other hooks answer is not used."""

NONSENSE: Mapping[HookName, Any] = {
    "select_agent": ["ops"],
    "pre_gateway_dispatch": 0,
    "pre_llm_call": {"text": "hello"},
    "pre_tool_call": {"args": {"x": {1, object()}}},
    "transform_tool_result": b"bytes",
    "transform_llm_output": True,
}


def failing(hook: HookName, how: str) -> Callable[[Mapping[str, Any]], Any]:
    def fail(given: Mapping[str, Any]) -> Any:
        for value in given.values():
            if isinstance(value, dict | list):
                value.clear()
        match how:
            case "raises":
                raise KeyError("oops")
            case "exits":
                sys.exit(3)
            case "hangs":
                return (
                    _hanging.wait(PATIENCE_S)
                    if threading.current_thread() is not threading.main_thread()
                    else _stubborn()
                )
            case _:
                return NONSENSE.get(hook, object())

    return fail


_hanging = threading.Event()


async def _stubborn() -> None:
    """Hangs, and does not listen when it is told to stop."""
    for _ in range(3):
        try:
            await asyncio.sleep(1.5)
        except asyncio.CancelledError:
            continue


@pytest.fixture(autouse=True)
def released() -> Any:
    """Lets hanging threads go when their test is over."""
    _hanging.clear()
    yield
    _hanging.set()


def test_every_hook_that_is_called_is_tried_here() -> None:
    assert set(ASK) == set(TOLD) == set(HOOKS)


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("hook", HOOKS)
async def test_a_plugin_is_told_exactly_what_is_promised(hook: HookName, is_async: bool) -> None:
    told, heard = listener(hook, is_async=is_async)
    hooks = PluginHooks([("told", told)])
    assert hooks.used == {hook}
    await ASK[hook](hooks)
    assert heard.calls == [(hook, TOLD[hook])]


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("how", ["raises", "exits", "talks nonsense"])
@pytest.mark.parametrize("hook", HOOKS)
async def test_a_plugin_that_misbehaves_harms_nothing_and_the_next_is_asked(
    hook: HookName, how: str, is_async: bool
) -> None:
    answer, outcome = GOOD.get(hook, (None, None))
    good, heard = listener(hook, answers={hook: lambda _: answer}, is_async=is_async)
    bad = plugin({hook: failing(hook, how)}, is_async=is_async)
    hooks = PluginHooks([("bad", bad), ("good", good)])
    with structlog.testing.capture_logs() as logs:
        assert await ASK[hook](hooks) == outcome
    assert heard.calls == [(hook, TOLD[hook])], "what the bad one did to its arguments is not seen by the next"
    if how != "talks nonsense":
        assert [(log["hook"], log["plugin"]) for log in logs] == [(hook, "bad")]


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_a_plugin_that_hangs_in_a_hook_harms_nothing_and_the_next_is_asked(is_async: bool) -> None:
    """All hooks hang at once, so that this costs one deadline."""

    async def ask(hook: HookName) -> None:
        answer, outcome = GOOD.get(hook, (None, None))
        good, heard = listener(hook, answers={hook: lambda _: answer}, is_async=is_async)
        bad = plugin({hook: failing(hook, "hangs")}, is_async=is_async)
        assert await ASK[hook](PluginHooks([("bad", bad), ("good", good)], QUICK)) == outcome, hook
        assert heard.calls == [(hook, TOLD[hook])]

    with structlog.testing.capture_logs() as logs:
        await asyncio.gather(*(ask(hook) for hook in HOOKS))
    assert sorted((log["hook"], log["plugin"]) for log in logs) == sorted((hook, "bad") for hook in HOOKS)


@pytest.mark.parametrize("hook", sorted(NONSENSE.keys() - {"select_agent"}))
async def test_an_answer_that_makes_no_sense_is_logged_and_changes_nothing(hook: HookName) -> None:
    unasked = PluginHooks([])
    odd = PluginHooks([("odd", plugin({hook: lambda _: NONSENSE[hook]}))])
    with structlog.testing.capture_logs() as logs:
        assert await ASK[hook](odd) == await ASK[hook](unasked)
    assert [log["event"] for log in logs] == ["a hook's answer makes no sense"]


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_hook_may_take_fewer_arguments(hook: HookName) -> None:
    asked = []

    def brief() -> None:
        asked.append(hook)

    await ASK[hook](PluginHooks([("brief", type("Brief", (), {hook: staticmethod(hookimpl(brief))})())]))
    assert asked == [hook]


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook != "select_agent"])
async def test_the_agents_profile_is_bound_in_its_hooks(hook: HookName, is_async: bool) -> None:
    seen = []
    bound = plugin({hook: lambda _: seen.append(current_profile())}, is_async=is_async)
    with use_profile(PROFILE):
        await ASK[hook](PluginHooks([("bound", bound)]))
    assert seen == [PROFILE]


async def test_each_plugin_sees_a_text_as_the_one_before_left_it() -> None:
    loud = plugin({"pre_gateway_dispatch": lambda given: given["text"].upper()})
    polite = plugin({"pre_gateway_dispatch": lambda given: f"Please: {given['text']}"})
    in_order = PluginHooks([("loud", loud), ("polite", polite)])
    assert await in_order.pre_gateway_dispatch(OPS, CHAT, "hello") == "Please: HELLO"
    other_order = PluginHooks([("polite", polite), ("loud", loud)])
    assert await other_order.pre_gateway_dispatch(OPS, CHAT, "hello") == "PLEASE: HELLO"


async def test_after_a_message_was_dropped_nobody_else_is_asked() -> None:
    later, heard = listener("pre_gateway_dispatch")
    hooks = PluginHooks([("bin", plugin({"pre_gateway_dispatch": lambda _: False})), ("later", later)])
    assert await hooks.pre_gateway_dispatch(OPS, CHAT, "hello") == Dropped("bin")
    assert heard.calls == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"block": "not on a Sunday"}, "not on a Sunday"),
        ({"block": "no", "args": {}}, "no"),
        ({"block": True}, "This call is not allowed here."),
        ({"block": " "}, "This call is not allowed here."),
    ],
)
async def test_a_blocked_call_is_blocked_however_the_reason_is_told(answer: object, reason: str) -> None:
    later, heard = listener("pre_tool_call")
    hooks = PluginHooks([("guard", plugin({"pre_tool_call": lambda _: answer})), ("later", later)])
    assert await hooks.pre_tool_call(AT, "act", {}) == Blocked("guard", reason)
    assert heard.calls == []


async def test_texts_that_plugins_add_are_all_added_in_their_order() -> None:
    plugins = [(text, plugin({"pre_llm_call": lambda _, text=text: text})) for text in ("one", " ", "two")]
    assert await PluginHooks(plugins).pre_llm_call(AT, "m", HISTORY) == ["one", "two"]


async def test_messages_are_told_in_the_shape_of_the_openai_chat_api() -> None:
    told, heard = listener("pre_llm_call")
    messages = (
        Message("user", "look", images=(Image("https://example.org/a.png"),)),
        Message("assistant", tool_calls=(ToolCall("c1", "act", '{"x": 1}'),)),
        Message("tool", "done", tool_call_id="c1", name="act"),
    )
    await PluginHooks([("told", told)]).pre_llm_call(AT, "m", messages)
    function = {"name": "act", "arguments": '{"x": 1}'}
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "auto"}}
    assert heard.of("pre_llm_call")[0]["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "look"}, picture]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "content": "done", "tool_call_id": "c1", "name": "act"},
    ]


async def test_a_stopped_turn_does_not_wait_for_its_hook() -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def patient() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    hooks = PluginHooks([("patient", plugin({"pre_llm_call": lambda _: patient()}, is_async=True))])
    turn = asyncio.create_task(hooks.pre_llm_call(AT, "m", HISTORY))
    await began.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    await asyncio.wait_for(stopped.wait(), PATIENCE_S)


async def test_a_plain_hook_that_hangs_again_and_again_does_not_use_up_the_threads() -> None:
    hooks = PluginHooks([("hung", plugin({"on_delivery": lambda _: _hanging.wait(30)}))], {"on_delivery": 0.05})
    before = threading.active_count()
    await asyncio.gather(*(hooks.on_delivery(DELIVERY, "sent") for _ in range(300)))
    assert threading.active_count() - before <= 128
    _hanging.set()


def test_a_hook_that_is_not_called_yet_is_named_in_the_log() -> None:
    class Early:
        @hookimpl
        def subagent_start(self) -> None: ...

    with structlog.testing.capture_logs() as logs:
        assert PluginHooks([("early", Early())]).used == frozenset()
    assert [(log["event"], log["hook"], log["plugin"]) for log in logs] == [
        ("a hook is not called yet", "subagent_start", "early")
    ]
