"""Secrets on their way through a turn: each text is cleaned once, where it passes (SPEC 14, 16.4)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from serai.core.call_id import shown
from serai.core.delivery import Delivery, Enclosure, Target
from serai.core.error import SendTemporary
from serai.core.event import ApprovalRequested, TextDelta, ToolStarted
from serai.core.ids import AgentId, DeliveryId
from serai.core.message import InputBody, Message, ToolCall
from serai.core.redact import MARK, Redactor
from serai.core.redact_message import clean_delivery, clean_message
from serai.gateway.request.trail import Trail, recorded
from serai.gateway.state import State
from serai.ports.model import ModelReply
from serai.ports.platform import Capabilities, Growth
from serai.testing.clock import virtual_time
from serai.testing.model import Entry, Fail, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.gateway.stage import NoSecrets, Stage, snapshot
from tests.gateway.test_client_tools import OFFERED, answer, ask, brought, question, result
from tests.gateway.test_growth import tool as saying
from tests.gateway.test_hooks import hearing
from tests.gateway.test_runs import text
from tests.gateway.test_steps import AskingTool, FakeTool, call, told

SECRET, LATER = "fake key of ops", "fake-key-of-lab"
TOLD = f"It is {SECRET}, I think."
CLEAN = f"It is {MARK}, I think."


class Known(NoSecrets):
    """Secrets of which the values alone matter."""

    def __init__(self, *values: str) -> None:
        self._values = values

    def values(self) -> Sequence[str]:
        return self._values


class Counting(Redactor):
    """Remembers what it was given to look at."""

    __slots__ = ("seen",)

    def __init__(self, values: Sequence[str]) -> None:
        super().__init__(values)
        self.seen: list[str] = []

    def clean(self, text: str) -> str:
        self.seen.append(text)
        return super().clean(text)


def staged(script: Sequence[Entry], **parts: object) -> Stage:
    return Stage(ScriptedModel(script), state=State(snapshot(), Known(SECRET)), **parts)  # type: ignore[arg-type]


@virtual_time
async def test_a_secret_cut_by_the_models_pieces_is_not_told_to_those_who_listen() -> None:
    async with staged([TOLD]).running() as stage:
        run = await stage.ask("tell", stream=True)
        events = [event async for event in run.events()]
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    assert pieces[:2] == ["It ", "is "], "what is no secret is told at once"
    assert "".join(pieces) == CLEAN


@virtual_time
async def test_the_answer_is_clean_and_the_history_has_what_the_model_said() -> None:
    model = ScriptedModel([TOLD, "bye"])
    async with Stage(model, state=State(snapshot(), Known(SECRET))).running() as stage:
        run = await stage.ask(f"{SECRET}?", session="mine")
        assert text(await run.ended()) == CLEAN
        exchange = await stage.store.exchange(run.id, "local", AgentId("main"))
        assert exchange is not None
        await (await stage.ask("again", session="mine")).ended()
    assert [one.text for one in exchange.answered()] == [TOLD]
    assert [one.text for one in model.requests[1].messages[1:]] == [f"{MARK}?", CLEAN, "again"]


@virtual_time
async def test_what_a_tool_came_upon_is_clean_for_the_model_its_record_and_plugins() -> None:
    hooks, heard = hearing()
    tool = FakeTool(failure=f"no such file: {SECRET}")
    model = ScriptedModel([call(1), TOLD])
    stage = Stage(model, tools={"act": tool}, hooks=hooks, state=State(snapshot(), Known(SECRET)))
    async with stage.running():
        run = await stage.ask("go")
        await run.ended()
        steps = await stage.store.records.steps(run.id)
    assert told(model.requests[1]) == [f"no such file: {MARK}"]
    assert [given["result"] for given in heard.of("post_tool_call")] == [f"no such file: {MARK}"]
    assert [given["text"] for given in heard.of("post_llm_call")][-1] == CLEAN
    assert SECRET.encode() not in b"".join(step.result for step in steps if step.kind == "tool")


@virtual_time
async def test_a_long_session_is_looked_at_once() -> None:
    state = State(snapshot(), Known(SECRET))
    counting = state.redactor = Counting([SECRET])
    model = ScriptedModel([f"answer {n}" for n in range(6)])
    async with Stage(model, state=state).running() as stage:
        for n in range(5):
            await (await stage.ask(f"question {n}", session="mine")).ended()
        counting.seen.clear()
        await (await stage.ask("last", session="mine")).ended()
    assert not [one for one in counting.seen if one.startswith("question")]
    assert len(model.requests[-1].messages) == 12


@virtual_time
async def test_a_new_secret_is_taken_out_of_what_is_remembered() -> None:
    model = ScriptedModel([f"{LATER} one", "two", "three"])
    async with Stage(model, state=State(snapshot(), Known(SECRET))).running() as stage:
        for n in range(2):
            await (await stage.ask(f"question {n} {LATER}", session="mine")).ended()
        stage.state.swap(snapshot(), Known(LATER))
        await (await stage.ask("last", session="mine")).ended()
    assert LATER in repr(model.requests[1].messages)
    assert LATER not in repr(model.requests[2].messages)
    assert stage.state.clean(f"{SECRET} {LATER}") == f"{MARK} {MARK}", "the former ones stay known"


def test_a_configuration_without_new_secrets_leaves_what_is_remembered() -> None:
    state = State(snapshot(), Known(SECRET))
    former = state.redactor
    state.swap(snapshot(), Known(SECRET))
    assert state.redactor is former


@virtual_time
async def test_a_growing_answer_shows_no_part_of_a_secret() -> None:
    fake = FakePlatform(capabilities=Capabilities(4096, growth=Growth(interval_s=0.1)))
    model = ScriptedModel([TOLD], word_s=1.0)
    async with Stage(model, platforms=[fake], state=State(snapshot(), Known(SECRET))).running():
        await fake.says("tell me")
        await fake.answer()
        await asyncio.sleep(20)
    assert fake.sent[-1].text == CLEAN
    assert not [one.text for one in fake.attempts if "fake" in one.text]


@virtual_time
async def test_a_text_is_cleaned_before_it_is_cut() -> None:
    fake = FakePlatform(capabilities=Capabilities(text_limit=12))
    async with Stage(ScriptedModel([TOLD]), platforms=[fake], state=State(snapshot(), Known(SECRET))).running():
        await fake.says("tell me")
        await fake.answer()
        await asyncio.sleep(5)
    assert not [one.text for one in fake.attempts if "fake" in one.text or "ops" in one.text]


@virtual_time
async def test_a_failure_is_told_without_the_secret() -> None:
    async with staged([Fail("rejected", f"no such key: {SECRET}")]).running() as stage:
        await stage.fake.says("tell me")
        assert (await stage.fake.answer()).text == f"Sorry, I could not answer: no such key: {MARK}."


@virtual_time
async def test_a_delivery_made_before_a_secret_was_known_is_sent_without_it() -> None:
    async with staged([f"{LATER} it is"]).running() as stage:
        stage.fake.fails(SendTemporary("not now"))
        await stage.fake.says("tell me")
        while not stage.fake.attempts:
            await asyncio.sleep(0.01)
        stage.state.swap(snapshot(), Known(LATER))
        assert (await stage.fake.answer()).text == f"{MARK} it is"


@virtual_time
async def test_people_are_asked_without_the_secret_and_the_call_runs_as_it_was_made() -> None:
    wish = ToolCall("c1", "act", f'{{"x": "{SECRET}"}}')
    tool = AskingTool()
    async with staged([wish, "done"], tools={"act": tool}).running() as stage:
        body = InputBody(Message("user", "go"), stream=True, approvable=True)
        run = await ask(stage, body)
        events = []
        async for event in run.events():
            events.append(event)
            if isinstance(event, ApprovalRequested):
                await stage.approvals.answer(event.approval, "once", "ops")
    (asked,) = [event for event in events if isinstance(event, ApprovalRequested)]
    assert SECRET not in asked.arguments + asked.question
    assert tool.calls[0][2] == {"x": SECRET}


@virtual_time
async def test_a_tool_called_by_the_name_of_a_secret_is_not_named() -> None:
    async with staged([ToolCall("c1", SECRET, "{}"), "done"]).running() as stage:
        events = [event async for event in (await stage.ask("go", stream=True)).events()]
    assert [event.name for event in events if isinstance(event, ToolStarted)] == [MARK]


@virtual_time
async def test_a_client_gets_its_calls_clean_and_the_agents_own_work_is_found_again() -> None:
    wish = ToolCall("w1", "weather", f'{{"city":"{SECRET}"}}')
    model = ScriptedModel([call(1), [call(2), wish], "Done."])
    stage = Stage(model, tools={"act": FakeTool()}, state=State(snapshot(), Known(SECRET)))
    async with stage.running():
        first = await ask(stage, question())
        (got,) = (await answer(first)).tool_calls
        assert got.arguments == f'{{"city":"{MARK}"}}'
        again = InputBody(result(shown(first.id, "w1"), SECRET), brought(first, got), client=OFFERED)
        assert (await answer(await ask(stage, again))).text == "Done."
    assert told(model.requests[-1]) == ["result 1", "result 2", MARK]


@virtual_time
async def test_a_run_that_is_followed_from_its_record_says_its_answer_once() -> None:
    script: list[ModelReply | str] = [saying(call(1), text=TOLD), f"{TOLD} That is all."]
    async with staged(script, tools={"act": FakeTool()}).running() as stage:
        run = await stage.ask("go", stream=True)
        ended = await run.ended()
        steps = await stage.store.records.steps(run.id)
    trail = Trail([*recorded(steps, (), stage.state.redactor), ended])
    said = [event.text async for event in trail.follow() if isinstance(event, TextDelta)]
    assert said == [CLEAN, f"{CLEAN} That is all."]


@pytest.mark.parametrize(
    "message",
    [
        Message("user", SECRET),
        Message("assistant", "", tool_calls=(ToolCall(SECRET, SECRET, f'{{"x": "{SECRET}"}}'),)),
        Message("tool", SECRET, tool_call_id=SECRET, name=SECRET),
    ],
)
def test_all_of_a_message_is_cleaned(message: Message) -> None:
    assert SECRET not in repr(clean_message(Redactor([SECRET]), message))
    assert clean_message(Redactor([LATER]), message) is message


def test_the_name_of_a_file_is_cleaned() -> None:
    made = Delivery(DeliveryId("d"), Target("fake", "1"), AgentId("main"), "here")
    file = replace(made, enclosure=Enclosure("/w/x", f"{SECRET}.txt", "text/plain"))
    cleaned = clean_delivery(Redactor([SECRET]), file)
    assert cleaned.enclosure is not None
    assert (cleaned.text, cleaned.enclosure.name, cleaned.enclosure.path) == ("here", f"{MARK}.txt", "/w/x")
    assert clean_delivery(Redactor([SECRET]), made) is made
