"""The API's way in: keys, sessions, idempotency, leaving (SPEC 11.1 to 11.3, 11.7)."""

import asyncio

import pytest

from serai.core.error import Unauthorised, UnknownAgent
from serai.core.event import RunEvent, TextDelta, TurnEnded
from serai.core.ids import AgentId
from serai.core.principal import Principal
from serai.gateway.request.run import Run
from serai.ports.store.arrival import IdempotencyConflict, SessionTaken
from serai.testing.clock import virtual_time
from serai.testing.model import Fail, ScriptedModel
from tests.gateway.stage import Stage, snapshot
from tests.gateway.test_chat import echo

OPS_KEY = Principal("ops-key", frozenset({AgentId("ops")}))
OTHER_KEY = Principal("other-key", frozenset({AgentId("ops")}))


def text(ended: TurnEnded) -> str:
    assert ended.answer is not None, ended
    return ended.answer.text


async def rest(run: Run) -> list[RunEvent]:
    """Everything that a run still tells, in batches."""
    events: list[RunEvent] = []
    while not (events and isinstance(events[-1], TurnEnded)):
        events += await run.batch(15)
    return events


@virtual_time
async def test_a_call_is_answered_by_the_agent_it_names() -> None:
    async with Stage(ScriptedModel(echo), snapshot("ops")).running() as stage:
        run = await stage.ask("hello", "ops")
        assert text(await run.ended()) == "ops heard: hello"
        assert (run.agent, run.replayed) == ("ops", False)
        assert text(await run.ended()) == "ops heard: hello"


@virtual_time
async def test_a_stream_tells_each_piece_and_then_the_end() -> None:
    async with Stage(ScriptedModel(["one two three"])).running() as stage:
        run = await stage.ask("hello", stream=True)
        events = [event async for event in run.events()]
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["one ", "two ", "three"]
    assert isinstance(events[-1], TurnEnded)


@virtual_time
async def test_a_stream_in_batches_leaves_nothing_out() -> None:
    async with Stage(ScriptedModel(["one two three"])).running() as stage:
        run = await stage.ask("hello", stream=True)
        events = await rest(run)
        assert text(await run.ended()) == "one two three"
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["one ", "two ", "three"]


@virtual_time
async def test_a_batch_is_empty_while_the_model_thinks_and_a_repeated_call_has_its_end_at_once() -> None:
    async with Stage(ScriptedModel(["hello"], delay=20)).running() as stage:
        run = await stage.ask("hello", stream=True, idempotency="k1")
        again = await stage.ask("hello", stream=True, idempotency="k1")
        assert await asyncio.gather(run.batch(15), again.batch(15)) == [[], []]
        told, repeated = await asyncio.gather(rest(run), rest(again))
        assert told == repeated
        later = await stage.ask("hello", stream=True, idempotency="k1")
        assert await later.batch(15) == told[-1:]


@virtual_time
async def test_a_key_reaches_its_agents_only() -> None:
    model = ScriptedModel(echo)
    async with Stage(model, snapshot("ops")).running() as stage:
        with pytest.raises(Unauthorised):
            await stage.ask("hello", "main", principal=OPS_KEY)
        with pytest.raises(Unauthorised):
            await stage.ask("hello", principal=OPS_KEY)
        with pytest.raises(UnknownAgent):
            await stage.ask("hello", "ghost")
        assert text(await (await stage.ask("hello", "ops", principal=OPS_KEY)).ended())
    assert [r.agent for r in model.requests] == ["ops"]


@virtual_time
async def test_a_call_without_a_session_remembers_nothing() -> None:
    model = ScriptedModel(echo)
    async with Stage(model).running() as stage:
        for _ in range(2):
            await (await stage.ask("hello")).ended()
    assert [len(r.messages) for r in model.requests] == [2, 2]


@virtual_time
async def test_a_named_session_remembers_and_stays_with_its_agent() -> None:
    model = ScriptedModel(echo)
    async with Stage(model, snapshot("ops")).running() as stage:
        await (await stage.ask("one", "ops", session="mine")).ended()
        run = await stage.ask("two", session="mine")
        assert (run.agent, run.session) == ("ops", "mine")
        await run.ended()
        with pytest.raises(SessionTaken):
            await stage.ask("three", "main", session="mine")
    assert [m.text for m in model.requests[-1].messages[1:]] == ["one", "ops heard: one", "two"]


@virtual_time
async def test_a_call_without_a_session_can_be_continued_under_the_id_it_was_told() -> None:
    model = ScriptedModel(echo)
    async with Stage(model).running() as stage:
        first = await stage.ask("one")
        await first.ended()
        for words in ("two", "three"):
            run = await stage.ask(words, session=first.session)
            await run.ended()
            assert run.session == first.session
    assert [m.text for m in model.requests[-1].messages[1:]] == [
        "one",
        "main heard: one",
        "two",
        "main heard: two",
        "three",
    ]


@virtual_time
async def test_a_session_of_another_key_does_not_exist() -> None:
    async with Stage(ScriptedModel(echo), snapshot("ops")).running() as stage:
        await (await stage.ask("secret", "ops", principal=OPS_KEY, session="mine")).ended()
        with pytest.raises(SessionTaken):
            await stage.ask("tell me", "ops", principal=OTHER_KEY, session="mine")


@virtual_time
async def test_turns_of_one_session_wait_for_each_other() -> None:
    async with Stage(ScriptedModel(echo, delay=5)).running() as stage:
        began = stage.clock.now()
        runs = [await stage.ask(f"{n}", session="mine") for n in range(3)]
        assert [text(await run.ended()) for run in runs] == [f"main heard: {n}" for n in range(3)]
        assert stage.clock.now() - began == pytest.approx(15)


@virtual_time
async def test_a_repeated_request_gets_the_first_answer_without_asking_again() -> None:
    model = ScriptedModel(echo, delay=5)
    async with Stage(model).running() as stage:
        first = await stage.ask("hello", idempotency="k1")
        together = await stage.ask("hello", idempotency="k1")
        assert text(await first.ended()) == text(await together.ended())
        later = await stage.ask("hello", idempotency="k1")
        assert later.replayed
        assert later.id == first.id
        assert (later.session, later.created_at) == (first.session, first.created_at)
        assert text(await later.ended()) == "main heard: hello"
        with pytest.raises(IdempotencyConflict):
            await stage.ask("hello", idempotency="k1", body="another")
        await (await stage.ask("hello", idempotency="k1", principal=Principal("other"))).ended()
    assert len(model.requests) == 2


@virtual_time
async def test_the_permission_is_checked_again_when_a_request_is_repeated() -> None:
    async with Stage(ScriptedModel(echo), snapshot("ops")).running() as stage:
        await (await stage.ask("hello", "ops", principal=Principal("k"), idempotency="k1")).ended()
        with pytest.raises(Unauthorised):
            await stage.ask("hello", "ops", principal=Principal("k", frozenset({AgentId("main")})), idempotency="k1")


@virtual_time
async def test_a_caller_who_leaves_ends_the_turn_and_frees_its_place() -> None:
    model = ScriptedModel(echo, delay=1000)
    async with Stage(model).running() as stage:
        run = await stage.ask("hello")
        await asyncio.sleep(1)
        run.abandon()
        await stage.settled(run.id)
        outcome = await stage.store.outcome(run.id)
        await asyncio.sleep(0.1)
        assert stage.fair.in_flight == 0
    assert outcome is not None
    assert outcome.state == "cancelled"


@virtual_time
async def test_a_caller_who_leaves_before_the_turn_began_cancels_it_too() -> None:
    model = ScriptedModel(echo, delay=10)
    async with Stage(model).running() as stage:
        await stage.ask("first", session="mine")
        second = await stage.ask("second", session="mine")
        second.abandon()
        await stage.settled(second.id)
        await asyncio.sleep(60)
    assert len(model.requests) == 1


@virtual_time
async def test_a_caller_who_leaves_while_the_call_is_being_stored_blocks_nobody() -> None:
    model = ScriptedModel(echo, delay=10)
    async with Stage(model).running() as stage:
        calling = asyncio.create_task(stage.ask("hello", session="mine"))
        await asyncio.sleep(0)
        calling.cancel()
        began = stage.clock.now()
        assert text(await (await stage.ask("again", session="mine")).ended()) == "main heard: again"
        assert stage.clock.now() - began < 11
        await asyncio.wait_for(stage.fair.idle(), 1)


@virtual_time
async def test_a_stop_that_comes_while_the_end_is_being_stored_is_too_late() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        for pause in range(12):
            run = await stage.ask("hello", session="mine")
            for _ in range(pause):
                await asyncio.sleep(0)
            run.abandon()
            await stage.settled(run.id)
        assert text(await (await stage.ask("still here", session="mine")).ended()) == "main heard: still here"
        await asyncio.wait_for(stage.fair.idle(), 1)


@virtual_time
async def test_a_caller_with_an_idempotency_key_may_come_back_for_the_answer() -> None:
    model = ScriptedModel(echo, delay=10)
    async with Stage(model).running() as stage:
        run = await stage.ask("hello", idempotency="k1")
        run.abandon()
        await asyncio.sleep(60)
        again = await stage.ask("hello", idempotency="k1")
        assert text(await again.ended()) == "main heard: hello"
    assert len(model.requests) == 1


@virtual_time
@pytest.mark.parametrize(
    ("fail", "status", "calls"),
    [
        (Fail("rejected"), 502, 1),
        (Fail("failed"), 502, 3),
        (Fail("unreachable"), 503, 3),
        (Fail("timeout"), 504, 3),
        (Fail("limited", retry_after=30), 429, 1),
        (Fail("limited", retry_after=2), 429, 3),
    ],
)
async def test_an_upstream_failure_keeps_its_kind_within_its_budget(fail: Fail, status: int, calls: int) -> None:
    model = ScriptedModel(lambda _: fail)
    async with Stage(model).running() as stage:
        ended = await (await stage.ask("hello")).ended()
    assert ended.fault is not None
    assert (ended.state, ended.fault.status, ended.fault.retry_after) == ("failed", status, fail.retry_after)
    assert len(model.requests) == calls


@virtual_time
async def test_a_stream_that_has_begun_is_not_begun_again() -> None:
    model = ScriptedModel(lambda _: Fail("garbled", after="half an ans"))
    async with Stage(model).running() as stage:
        run = await stage.ask("hello", stream=True)
        events = [event async for event in run.events()]
    assert len(model.requests) == 1
    assert isinstance(events[-1], TurnEnded)
    assert events[-1].state == "failed"
