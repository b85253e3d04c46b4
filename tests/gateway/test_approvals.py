"""People are asked whether a tool may run; the turn waits for them, whatever happens meanwhile (SPEC 6.5)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serai.core.approval import CHOICES, Approval, button_value, parse_button
from serai.core.delivery import Button, Delivery, Target
from serai.core.error import SendPermanent, Unauthorised
from serai.core.event import ApprovalAnswered, ApprovalRequested, RunEvent, ToolStarted
from serai.core.ids import Account, AgentId, ApprovalId, DeliveryId
from serai.core.live import LivePolicy
from serai.core.message import InputBody, Message, Revision
from serai.core.principal import LOCAL
from serai.core.snapshot import Access, AccountSettings
from serai.core.source import Source
from serai.gateway.approval.approvals import NotOpen
from serai.gateway.request.run import Ask, Run
from serai.ports.platform import Capabilities, Growth
from serai.testing.clock import virtual_time
from serai.testing.model import Entry, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life
from tests.conversations.script import Kill
from tests.gateway.mortal import lives
from tests.gateway.stage import Stage, snapshot
from tests.gateway.test_hooks import hearing
from tests.gateway.test_steps import AskingTool, FakeTool, call, told

TYPED = Capabilities(4096)
BUTTONS = Capabilities(4096, buttons=True, growth=Growth(1))
REFUSAL = "The people who were asked did not allow this call."


class Scene:
    """A chat with an agent that wants to act, and then says `done`."""

    def __init__(
        self,
        script: Sequence[Entry] | None = None,
        capabilities: Capabilities = TYPED,
        tool: FakeTool | None = None,
        **parts: Any,
    ) -> None:
        self.tool = tool or AskingTool()
        self.model = ScriptedModel([call(), "done"] if script is None else script)
        fake = FakePlatform(capabilities=capabilities)
        self.stage = Stage(self.model, tools={"act": self.tool}, platforms=[fake], **parts)
        self.fake = fake

    async def asked(self, text: str = "go", **place: Any) -> Delivery:
        """Says something, and returns the question."""
        await self.fake.says(text, **place)
        return await self.fake.answer()

    async def approval(self) -> Approval:
        (found,) = await self.stage.store.approvals(chat=(Account("fake"), "1"))
        return found


def admins(*names: str, **changes: Any) -> Any:
    return snapshot(live=LivePolicy(admins=frozenset(names), busy_mode="queue", **changes))


@virtual_time
async def test_a_tool_that_needs_an_approval_runs_once_it_is_allowed() -> None:
    scene = Scene()
    async with scene.stage.running():
        question = await scene.asked()
        name = (await scene.approval()).id
        assert question.text == (
            f"May I act on 1?\n\n/approve {name} allows it once; with `session` or `always` behind it, for longer."
            f"\n/deny {name} does not.\n\nWithout an answer it is denied in 10 minutes."
        )
        await asyncio.sleep(60)
        assert scene.tool.calls == []
        assert scene.stage.lanes.in_flight == 0, "a turn that waits takes nobody's place"
        await scene.fake.says(f"/approve {name}")
        assert [(await scene.fake.answer()).text for _ in "ab"] == ["Allowed once: act on 1.", "done"]
    assert len(scene.tool.calls) == 1
    assert told(scene.model.requests[-1]) == ["result 1"]


@virtual_time
async def test_a_tool_that_is_denied_does_not_run_and_the_model_is_told() -> None:
    scene = Scene()
    async with scene.stage.running():
        await scene.asked()
        await scene.fake.says("/deny")
        assert [(await scene.fake.answer()).text for _ in "ab"] == ["Denied: act on 1.", "done"]
    assert (scene.tool.calls, told(scene.model.requests[-1])) == ([], [REFUSAL])


@virtual_time
async def test_without_an_answer_in_time_it_is_denied() -> None:
    scene = Scene(config=admins(approval_s=30))
    async with scene.stage.running():
        assert "in 30 seconds" in (await scene.asked()).text
        name = (await scene.approval()).id
        began = scene.stage.clock.now()
        assert (await scene.fake.answer()).text == "done"
        assert scene.stage.clock.now() - began == pytest.approx(30, abs=0.1)
        await scene.fake.says(f"/approve {name}")
        assert (await scene.fake.answer()).text == "This was answered already: not answered in time."
    assert scene.tool.calls == []
    assert told(scene.model.requests[-1]) == ["Nobody answered in time whether this call is allowed, so it is not."]


@virtual_time
async def test_buttons_answer_where_the_platform_has_them_and_the_question_tells_the_outcome() -> None:
    scene = Scene(capabilities=BUTTONS)
    async with scene.stage.running():
        question = await scene.asked()
        assert [button.label for button in question.buttons] == [
            "Allow once",
            "Allow in this conversation",
            "Always allow",
            "Deny",
        ]
        assert "/approve" not in question.text
        receipt = await scene.fake.presses("Allow once")
        assert receipt.note == "Allowed once."
        assert (await scene.fake.answer()).text == "done"
        await asyncio.sleep(1)
        changed = scene.fake.sent[0]
        assert (changed.text, changed.buttons) == ("May I act on 1?\n\nAllowed once.", ())
        scene.fake.sent[0] = question
        assert (await scene.fake.presses("Deny")).note == "This was answered already: allowed once."
    assert len(scene.tool.calls) == 1


@virtual_time
async def test_a_question_that_cannot_be_changed_is_left_as_it_is() -> None:
    scene = Scene(capabilities=replace(BUTTONS, growth=None))
    async with scene.stage.running():
        await scene.asked()
        await scene.fake.presses("Deny")
        assert (await scene.fake.answer()).text == "done"
        await asyncio.sleep(60)
    assert [bool(sent.buttons) for sent in scene.fake.sent] == [True, False]
    scene = Scene(capabilities=BUTTONS)
    async with scene.stage.running():
        await scene.asked()
        scene.fake.fails_edits(SendPermanent("too old"))
        await scene.fake.presses("Deny")
        texts = {(await scene.fake.answer()).text for _ in "ab"}
    assert texts == {"May I act on 1?\n\nDenied.", "done"}


@virtual_time
async def test_for_this_conversation_and_always_last_as_long_as_they_say() -> None:
    acts: list[Entry] = [call(), "done"] * 6
    scene = Scene(acts, config=admins("fake:42"))
    async with scene.stage.running():
        await scene.asked()
        await scene.fake.says("/approve session")
        assert [(await scene.fake.answer()).text for _ in "ab"][1] == "done"
        assert (await scene.asked()).text == "done", "the same conversation"
        assert (await scene.asked("/new")).text == "A new conversation begins."
        assert "May I" in (await scene.asked()).text
        await scene.fake.says("/approve always")
        assert [(await scene.fake.answer()).text for _ in "ab"] == ["Always allowed: act on 1.", "done"]
        await scene.asked("/new")
        assert (await scene.asked()).text == "done", "another conversation"
        assert (await scene.asked(chat="2")).text == "done", "another chat"
        assert (await scene.asked("/deny act")).text == "main asks again before it uses act."
        assert "May I" in (await scene.asked()).text
    assert len(scene.tool.calls) == 5


@virtual_time
async def test_another_agent_is_not_allowed_what_one_is() -> None:
    config = replace(admins("fake:42"), agents=snapshot("ops").agents, routes=snapshot().routes)
    scene = Scene([call(), "done", call(), "done"], config=config)
    async with scene.stage.running():
        await scene.asked()
        await scene.fake.says("/approve always")
        assert [(await scene.fake.answer()).text for _ in "ab"][1] == "done"
        assert "May I" in (await scene.asked("@ops go")).text


@virtual_time
async def test_only_those_who_may_use_the_agent_answer() -> None:
    config = admins("fake:boss")
    main = replace(config.agents[AgentId("main")], allow=frozenset({"fake:friend"}))
    config = replace(config, agents={AgentId("main"): main})
    group: dict[str, Any] = {"chat": "1", "chat_type": "group", "mentioned": True}
    scene = Scene([call(), "done"] * 3, capabilities=BUTTONS, config=config)
    async with scene.stage.running():
        await scene.asked(user="asker", **group)
        note = "Only who asked, an admin, or somebody who may choose the agent can answer this."
        assert (await scene.fake.presses("Allow once", user="stranger")).note == note
        assert (await scene.asked("/approve", user="stranger", **group)).text == "Nothing waits for your answer here."
        name = (await scene.approval()).id
        assert (await scene.asked(f"/approve {name}", user="stranger", **group)).text == note
        always = "Only an admin, or somebody who may choose the agent, can always allow it."
        assert (await scene.fake.presses("Always allow", user="asker")).note == always
        assert scene.tool.calls == []
        assert (await scene.fake.presses("Allow once", user="asker")).note == "Allowed once."
        assert (await scene.fake.answer()).text == "done"
        for person in ("boss", "friend"):
            await scene.asked(user="asker", **group)
            assert (await scene.fake.presses("Deny", user=person)).note == "Denied."
            assert (await scene.fake.answer()).text == "done"


@virtual_time
async def test_an_admin_may_answer_from_elsewhere_and_who_is_not_admitted_may_not_at_all() -> None:
    account = AccountSettings(Account("fake"), Access(frozenset({"42", "boss"})), merge=False)
    config = replace(admins("fake:boss"), accounts={Account("fake"): account})
    scene = Scene(capabilities=BUTTONS, config=config)
    async with scene.stage.running():
        await scene.asked()
        assert (await scene.fake.presses("Allow once", user="mallory")).note == "You may not use this."
        name = (await scene.approval()).id
        await scene.fake.says(f"/approve {name.lower()}", chat="office", user="boss")
        assert {(await scene.fake.answer()).target.chat_id for _ in "ab"} == {"office", "1"}
    assert len(scene.tool.calls) == 1


@virtual_time
async def test_several_questions_of_a_chat_are_told_apart_by_their_ids() -> None:
    config = replace(admins("fake:42"), agents=snapshot("ops").agents)
    scene = Scene([call(), call(2, arguments='{"x": 2}'), "done", "done"], config=config)
    async with scene.stage.running():
        await scene.asked()
        await scene.asked("@ops go")
        listed = (await scene.asked("/approve")).text
        assert "May I act on 1? (main)" in listed
        assert "May I act on 2? (ops)" in listed
        await scene.fake.says("/deny NOSUCHID")
        assert (await scene.fake.answer()).text == "There is no question `NOSUCHID`."
        assert "Write /approve" in (await scene.asked("/approve a b c")).text
    assert scene.tool.calls == []


@virtual_time
async def test_stop_ends_a_turn_that_waits() -> None:
    scene = Scene([call(), "fresh"], capabilities=BUTTONS)
    async with scene.stage.running():
        receipt = await scene.fake.says("go")
        question = await scene.fake.answer()
        assert (await scene.asked("/stop")).text == "Stopped. The next message starts afresh."
        assert receipt.input_id
        await asyncio.sleep(1)
        ended = await scene.stage.store.outcome(receipt.input_id)
        assert ended is not None
        assert ended.state == "cancelled"
        assert (await scene.asked()).text == "fresh"
        scene.fake.sent[0] = question
        assert (await scene.fake.presses("Allow once")).note == "This is not needed any more."
    assert scene.tool.calls == []


@virtual_time
async def test_in_interrupt_mode_a_newer_message_ends_a_turn_that_waits() -> None:
    config = snapshot(live=LivePolicy(busy_mode="interrupt"))
    scene = Scene([call(), "fresh"], config=config)
    async with scene.stage.running():
        await scene.asked()
        assert (await scene.asked("never mind")).text == "fresh"
    assert scene.tool.calls == []


@virtual_time
async def test_what_is_said_meanwhile_joins_the_turn_when_it_goes_on() -> None:
    account = AccountSettings(Account("fake"), Access(open=True))
    config = replace(snapshot(live=LivePolicy(busy_mode="steer")), accounts={Account("fake"): account})
    scene = Scene(config=config)
    async with scene.stage.running():
        await scene.asked()
        await scene.fake.says("and be quick")
        await asyncio.sleep(5)
        await scene.fake.says("/approve")
        assert [(await scene.fake.answer()).text for _ in "ab"] == ["Allowed once: act on 1.", "done"]
    assert [one.text for one in scene.model.requests[-1].messages[-2:]] == ["result 1", "and be quick"]


@virtual_time
async def test_of_several_calls_only_those_wait_that_come_from_the_first_question_on() -> None:
    free = call(1, arguments='{"x": 1, "harmless": true}')
    last = call(3, arguments='{"x": 3, "harmless": true}')
    scene = Scene([[free, call(2, arguments='{"x": 2}'), last], "done"])
    async with scene.stage.running():
        await scene.asked()
        assert [name for name, *_ in scene.tool.calls] == ["c1"]
        await scene.fake.says("/deny")
        assert [(await scene.fake.answer()).text for _ in "ab"][1] == "done"
    assert [name for name, *_ in scene.tool.calls] == ["c1", "c3"]
    assert told(scene.model.requests[-1]) == ["result 1", REFUSAL, "result 2"]


@virtual_time
async def test_two_questions_of_one_answer_are_asked_one_after_another() -> None:
    scene = Scene([[call(1), call(2, arguments='{"x": 2}')], "done"])
    async with scene.stage.running():
        assert "act on 1" in (await scene.asked()).text
        await scene.fake.says("/approve")
        assert "act on 2" in [(await scene.fake.answer()).text for _ in "ab"][1]
        await scene.fake.says("/deny")
        assert [(await scene.fake.answer()).text for _ in "ab"][1] == "done"
    assert [name for name, *_ in scene.tool.calls] == ["c1"]


@virtual_time
async def test_plugins_are_told_of_the_question_and_of_the_answer() -> None:
    hooks, heard = hearing()
    scene = Scene(hooks=hooks)
    async with scene.stage.running():
        await scene.asked()
        name = (await scene.approval()).id
        await scene.fake.says("/approve")
        await scene.fake.answer()
        await scene.fake.answer()
        await asyncio.sleep(1)
    (asked,) = heard.of("pre_approval_request")
    assert (asked["approval_id"], asked["tool_name"], asked["args"]) == (name, "act", {"x": 1})
    (answered,) = heard.of("post_approval_response")
    assert (answered["approval_id"], answered["choice"], answered["decided_by"]) == (name, "once", "fake:42")


async def start(stage: Stage, *, approvable: bool) -> Run:
    body = InputBody(Message("user", "go"), stream=True, approvable=approvable)
    return await stage.runs.start(Ask(Source("api_server"), body, LOCAL))


@virtual_time
async def test_an_api_caller_who_cannot_be_asked_is_denied_at_once() -> None:
    scene = Scene()
    async with scene.stage.running():
        began = scene.stage.clock.now()
        await (await start(scene.stage, approvable=False)).ended()
        assert scene.stage.clock.now() == pytest.approx(began, abs=0.1)
    assert scene.tool.calls == []
    assert "nobody can be asked" in told(scene.model.requests[-1])[0]


@virtual_time
async def test_an_api_caller_is_told_and_answers() -> None:
    scene = Scene()
    async with scene.stage.running():
        run = await start(scene.stage, approvable=True)
        events: list[RunEvent] = []

        async def listen() -> None:
            events.extend([event async for event in run.events()])

        listening = asyncio.create_task(listen())
        await asyncio.sleep(5)
        (waiting,) = await scene.stage.approvals.waiting(run.id)
        assert (waiting.tool, waiting.question, waiting.run) == ("act", "act on 1", run.id)
        answered = await scene.stage.approvals.answer(waiting.id, "once", "ann")
        assert answered.id == waiting.id
        with pytest.raises(NotOpen, match="answered already: allowed once"):
            await scene.stage.approvals.answer(waiting.id, "deny", "ann")
        with pytest.raises(NotOpen, match="no question"):
            await scene.stage.approvals.answer(ApprovalId("NOSUCH"), "deny", "ann")
        await listening
    kinds = [type(event) for event in events]
    assert kinds[:3] == [ApprovalRequested, ApprovalAnswered, ToolStarted]
    assert len(scene.tool.calls) == 1


@virtual_time
async def test_an_api_call_that_waits_can_be_stopped() -> None:
    scene = Scene()
    async with scene.stage.running():
        run = await start(scene.stage, approvable=True)
        await asyncio.sleep(5)
        await scene.stage.lanes.stop(run.id, "stopped by its client")
        ended = await run.ended()
    assert (ended.state, ended.fault and ended.fault.text) == ("cancelled", "stopped by its client")
    assert scene.tool.calls == []


@virtual_time
async def test_a_removed_account_that_drains_takes_nothing_new_and_obeys_a_deletion() -> None:
    scene = Scene(["done"], capabilities=BUTTONS)
    async with scene.stage.running():
        state = scene.stage.state
        state.swap(replace(state.configured, accounts={}), state.secrets)
        with pytest.raises(Unauthorised, match="not configured any more"):
            await scene.fake.says("hello")
        gone = Revision(Account("fake"), "1", "m1", None)
        assert (await scene.fake.delivers(gone)).ignored
        scene.fake.sent.append(Delivery(*_question()))
        assert (await scene.fake.presses("Allow once")).note == "You may not use this."


def _question() -> tuple[Any, ...]:
    button = Button("Allow once", "approval:X:once")
    return (DeliveryId("d"), Target("fake", "1"), AgentId("main"), "?", 1, 0.0, 0.0, "sent", "r1", None, (button,))


async def ended(life: Life, seconds: float) -> bool:
    """Whether the process dies within that time."""
    await asyncio.wait({asyncio.create_task(life.over.wait())}, timeout=seconds)
    return life.over.is_set()


KILLS = [
    Kill("before", "suspend", 1),
    Kill("after", "suspend", 1),
    Kill("before", "order", 1),
    Kill("after", "order", 1),
    Kill("before", "record", 2),
    Kill("after", "record", 2),
    Kill("before", "record", 3),
    Kill("after", "record", 3),
    Kill("before", "finish", 1),
]


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill.side}-{kill.write}-{kill.nth}")
def test_a_kill_loses_no_question_and_no_answer_and_runs_no_tool_twice(kill: Kill, tmp_path: Path) -> None:
    """Record 2 is the start of the tool, 3 its end: a tool whose end is not stored was interrupted."""

    @virtual_time
    async def check() -> None:
        tool, peer = AskingTool(), FakePlatform(capabilities=TYPED)
        model = ScriptedModel(lambda request: "done" if told(request) else call())
        async with lives(tmp_path / "state.db", model, peer, tools={"act": tool}) as gateways:
            life = Life(kill)
            stage = await gateways.begin(life)
            await peer.says("go")
            if await ended(life, 5):
                stage = await gateways.begin(Life())
                await asyncio.sleep(30)
                await peer.says("/approve")
            else:
                approve = asyncio.create_task(peer.says("/approve", message="yes"))
                assert await ended(life, 30), "the point was not reached"
                approve.cancel()
                stage = await gateways.begin(Life())
                await peer.says("/approve", message="yes")
            await asyncio.sleep(60)
            assert await stage.store.approvals(chat=(Account("fake"), "1")) == []
        texts = [sent.text for sent in peer.sent]
        assert (texts[-1], texts.count("done")) == ("done", 1)
        assert len([text for text in texts if text.startswith("May I")]) == 1
        assert len(tool.calls) == (0 if kill == Kill("after", "record", 2) else 1)

    check()


@virtual_time
async def test_a_question_that_was_answered_while_the_gateway_was_down_too_long_is_denied(tmp_path: Path) -> None:
    tool, peer = AskingTool(), FakePlatform(capabilities=TYPED)
    model = ScriptedModel(lambda request: "done" if told(request) else call())
    async with lives(tmp_path / "state.db", model, peer, tools={"act": tool}) as gateways:
        life = Life()
        await gateways.begin(life)
        await peer.says("go")
        await peer.answer()
        life.over.set()
        await asyncio.sleep(700)
        await gateways.begin(Life())
        assert (await peer.answer()).text == "done"
    assert tool.calls == []


def test_every_choice_fits_a_button() -> None:
    for choice in CHOICES:
        value = button_value(ApprovalId("K7M2PQ9X"), choice)
        assert len(value) <= 60
        assert parse_button(value) == ("K7M2PQ9X", choice)
    for other in ("", "approval:x", "approval::once", "approval:x:perhaps", "vote:x:once"):
        assert parse_button(other) is None
