"""From a chat's message to its answer, and nothing else (SPEC 5.1 to 5.4, 4.5)."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.error import SendPermanent, SendTemporary, SendUnknown, Unauthorised, UnknownAgent
from serai.core.ids import Account, AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.ports.model import ModelRequest
from serai.ports.platform import Capabilities
from serai.testing.clock import virtual_time
from serai.testing.model import Fail, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.gateway.stage import FakeHooks, Stage, routes, snapshot


def echo(request: ModelRequest) -> str:
    return f"{request.agent} heard: {request.messages[-1].text}"


@virtual_time
async def test_a_message_is_answered_in_its_chat_by_its_agent() -> None:
    config = snapshot("ops", routes=routes(({"chat_id": "100"}, "ops")))
    async with Stage(ScriptedModel(echo), config).running() as stage:
        await stage.fake.says("hello", chat="100", message="m1", thread="t1")
        await stage.fake.says("hi", chat="7")
        answers = {(d.target.chat_id, d.target.thread_id, d.text) for d in [await stage.fake.answer() for _ in "ab"]}
    assert answers == {("100", "t1", "ops heard: hello"), ("7", None, "main heard: hi")}
    assert stage.fake.sent[0].target.reply_to


@virtual_time
async def test_the_same_message_twice_is_answered_once() -> None:
    async with Stage(ScriptedModel(echo), hooks=FakeHooks("main")).running() as stage:
        first = await stage.fake.says("hello", message="m1")
        again = await stage.fake.says("hello", message="m1")
        await stage.fake.answer()
        late = await stage.fake.says("hello", message="m1")
        await asyncio.sleep(60)
    assert (first.duplicate, again.duplicate, late.duplicate) == (False, True, True)
    assert len(stage.fake.sent) == 1
    assert len(stage.hooks.asked) == 1, "a stored decision is never asked again"


@virtual_time
async def test_messages_of_a_chat_are_answered_one_after_another_in_order() -> None:
    model = ScriptedModel(echo, delay=5)
    async with Stage(model).running() as stage:
        began = stage.clock.now()
        for n in range(5):
            await stage.fake.says(f"number {n}")
        texts = [(await stage.fake.answer()).text for _ in range(5)]
        assert stage.clock.now() - began == pytest.approx(25)
    assert texts == [f"main heard: number {n}" for n in range(5)]
    assert len(model.requests[-1].messages) == 1 + 2 * 4 + 1, "each turn sees what was said before"


@virtual_time
async def test_many_chats_are_answered_side_by_side() -> None:
    async with Stage(ScriptedModel(echo, delay=5)).running() as stage:
        began = stage.clock.now()
        for n in range(300):
            await stage.fake.says("hello", chat=str(n))
        for _ in range(300):
            await stage.fake.answer()
        assert stage.clock.now() - began == pytest.approx(5)


@virtual_time
async def test_a_stranger_leaves_no_trace() -> None:
    access = Access(allow_users=frozenset({"42"}))
    config = snapshot(accounts={Account("fake"): AccountSettings(Account("fake"), access)})
    model = ScriptedModel(echo)
    async with Stage(model, config, hooks=FakeHooks("main")).running() as stage:
        with pytest.raises(Unauthorised):
            await stage.fake.says("let me in", user="666", user_name="42")
        await stage.fake.says("it is me", user="42")
        await stage.fake.answer()
    assert len(model.requests) == 1
    assert len(stage.hooks.asked) == 1
    assert stage.meter.refused == {"unauthorised": 1}


@virtual_time
async def test_no_setting_admits_nobody() -> None:
    config = snapshot(accounts={Account("fake"): AccountSettings(Account("fake"), Access())})
    async with Stage(ScriptedModel(echo), config).running() as stage:
        with pytest.raises(Unauthorised):
            await stage.fake.says("hello")


@virtual_time
async def test_a_message_for_an_unknown_agent_reaches_no_other() -> None:
    model = ScriptedModel(echo)
    async with Stage(model, hooks=FakeHooks("ghost")).running() as stage:
        with pytest.raises(UnknownAgent):
            await stage.fake.says("hello")
        await asyncio.sleep(60)
        known = await stage.store.look(Account("fake"), '["1", "m1"]', "1")
    assert model.requests == []
    assert known.input_id is None
    assert stage.fake.sent == []


@virtual_time
async def test_people_are_told_when_their_turn_fails_and_the_chat_goes_on() -> None:
    model = ScriptedModel([Fail("rejected", "the key was refused"), "better now"])
    async with Stage(model).running() as stage:
        await stage.fake.says("hello")
        assert "the key was refused" in (await stage.fake.answer()).text
        await stage.fake.says("again")
        assert (await stage.fake.answer()).text == "better now"
    assert [m.role for m in model.requests[-1].messages] == ["system", "user", "user"], "a failure is no answer"


@virtual_time
async def test_silence_is_kept_and_not_sent() -> None:
    async with Stage(ScriptedModel(["[SILENT]", " … ", "no_reply", "spoken"])).running() as stage:
        for n in range(4):
            await stage.fake.says(f"number {n}")
        assert (await stage.fake.answer()).text == "spoken"
    assert len(stage.fake.sent) == 1


@virtual_time
async def test_a_long_answer_comes_in_pieces_that_the_platform_takes() -> None:
    fake = FakePlatform(capabilities=Capabilities(text_limit=20))
    async with Stage(ScriptedModel(["one two three four five six seven"]), platforms=[fake]).running() as stage:
        await stage.fake.says("hello")
        pieces = [(await stage.fake.answer()).text for _ in range(2)]
    assert all(len(piece) <= 20 for piece in pieces)
    assert " ".join(pieces) == "one two three four five six seven"


@virtual_time
async def test_a_send_that_fails_for_now_is_tried_again_when_the_platform_says_so() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        stage.fake.fails(SendTemporary("slow down", retry_after=90))
        began = stage.clock.now()
        await stage.fake.says("hello")
        answer = await stage.fake.answer()
        assert stage.clock.now() - began == pytest.approx(90, abs=1)
    assert answer.attempt == 2
    assert len(stage.fake.sent) == 1


@virtual_time
async def test_one_limited_chat_does_not_hold_up_another() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        stage.fake.fails(SendTemporary("slow down", retry_after=600))
        await stage.fake.says("first", chat="1")
        await asyncio.sleep(1)
        began = stage.clock.now()
        await stage.fake.says("second", chat="2")
        assert (await stage.fake.answer()).target.chat_id == "2"
        assert stage.clock.now() - began < 1


@virtual_time
async def test_order_in_a_chat_is_kept_over_retries() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        stage.fake.fails(SendTemporary("later"), SendTemporary("later"))
        for n in range(3):
            await stage.fake.says(f"{n}")
        texts = [(await stage.fake.answer()).text for _ in range(3)]
    assert texts == [f"main heard: {n}" for n in range(3)]


@virtual_time
async def test_a_permanent_failure_is_dead_at_once_and_holds_up_nobody() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        stage.fake.fails(SendPermanent("the chat is gone"))
        await stage.fake.says("one")
        await stage.fake.says("two")
        assert (await stage.fake.answer()).text == "main heard: two"
    assert len(stage.fake.attempts) == 2
    assert stage.meter.deliveries["fake", "dead"] == 1


@virtual_time
async def test_a_send_of_unknown_outcome_is_held_and_announced_with_the_next_answer() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        stage.fake.fails(SendUnknown("timed out"), arrived=True)
        await stage.fake.says("one")
        await stage.fake.answer()
        await asyncio.sleep(600)
        assert len(stage.fake.attempts) == 1, "it may have arrived: it is not repeated"
        await stage.fake.says("two")
        second = await stage.fake.answer()
        assert second.text.startswith("(An earlier message may not have reached you")
        assert second.text.endswith("main heard: two")
        await stage.fake.says("three")
        assert (await stage.fake.answer()).text == "main heard: three"


@virtual_time
async def test_a_send_of_unknown_outcome_is_repeated_where_the_platform_knows_its_key() -> None:
    fake = FakePlatform(capabilities=Capabilities(text_limit=4096, send_key=True))
    async with Stage(ScriptedModel(echo), platforms=[fake]).running():
        fake.fails(SendUnknown("timed out"), arrived=True)
        await fake.says("one")
        await fake.answer()
        await asyncio.sleep(60)
    assert len(fake.attempts) == 2
    assert len({d.id for d in fake.attempts}) == 1
    assert len(fake.sent) == 1


@virtual_time
async def test_an_answer_never_goes_out_through_another_account() -> None:
    work, home = FakePlatform(account="work"), FakePlatform(account="home")
    accounts = {p.account: AccountSettings(p.account, Access(open=True)) for p in (work, home)}
    stage = Stage(ScriptedModel(echo, delay=5), snapshot(accounts=accounts), platforms=[work, home])
    async with stage.running():
        await work.says("hello")
        work.drops(ConnectionError("gone"))
        work.fails(*[SendTemporary("not connected")] * 3)
        await asyncio.sleep(120)
    assert home.sent == []
    assert [d.target.account for d in work.sent] == ["work"]


@virtual_time
async def test_a_connection_that_drops_comes_back_with_growing_pauses() -> None:
    async with Stage(ScriptedModel(echo)).running() as stage:
        for _ in range(4):
            stage.fake.drops(ConnectionError("reset by peer"))
        await asyncio.sleep(0.1)
        connection = stage.switchboard.connection(Account("fake"))
        assert connection is not None
        assert (connection.state, connection.reason) == ("waiting", "reset by peer")
        began = stage.clock.now()
        await stage.fake.says("hello")
        waited = stage.clock.now() - began
        assert 3.5 < waited < 15
        await stage.fake.answer()


@virtual_time
async def test_an_agent_disabled_while_a_message_waits_refuses_it_visibly() -> None:
    config = snapshot("ops", routes=routes(({"chat_id": "1"}, "ops")))
    stage = Stage(ScriptedModel(echo, delay=5), config)
    async with stage.running():
        await stage.fake.says("one")
        await stage.fake.says("two")
        agents = dict(config.agents)
        del agents[AgentId("ops")]
        stage.state.swap(replace(config, agents=agents), stage.state.secrets)
        await asyncio.sleep(60)
        outcome = [await stage.store.outcome(i) for i in await _inputs(stage)]
    assert [o and o.state for o in outcome] == ["done", "failed"]


async def _inputs(stage: Stage) -> list[str]:
    known = [await stage.store.look(Account("fake"), f'["1", "m{n}"]', "1") for n in (1, 2)]
    return [k.input_id for k in known if k.input_id]
