"""Answers that grow in place (SPEC 5.7)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.error import SendFailed, SendPermanent, SendTemporary, SendUnknown
from serai.core.ids import Account
from serai.core.live import LivePolicy
from serai.core.message import Message, ToolCall, Usage
from serai.core.snapshot import Access, AccountSettings
from serai.core.split import split
from serai.gateway.answer.ending import STOPPED
from serai.gateway.answer.growth import LEFT_OVER, OPEN_SECONDS
from serai.ports.model import ModelReply
from serai.ports.platform import Capabilities, Growth
from serai.testing.clock import virtual_time
from serai.testing.model import Entry, Fail, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life
from tests.conversations.script import Kill
from tests.gateway.mortal import lives
from tests.gateway.stage import Stage, snapshot
from tests.gateway.test_hooks import answering
from tests.gateway.test_steps import FakeTool

WORDS = [f"word{n:02}" for n in range(50)]
TEXT = " ".join(WORDS)
SLOW_S = 0.3
GROWING = Capabilities(4096, growth=Growth(interval_s=1))
SHORT = replace(GROWING, text_limit=100)
PIECES = split(TEXT, 100, "codepoint")


def growing(script: Sequence[Entry], capabilities: Capabilities = GROWING, **parts: object) -> Stage:
    model = ScriptedModel(script, word_s=SLOW_S)
    return Stage(model, platforms=[FakePlatform(capabilities=capabilities)], **parts)  # type: ignore[arg-type]


def seen(fake: FakePlatform) -> list[str]:
    """What stands in the chat, as people see it."""
    return [sent.text for sent in fake.sent]


def tool(*calls: ToolCall, text: str = "") -> ModelReply:
    return ModelReply(Message("assistant", text, tool_calls=calls), Usage(), "m", "tool_calls")


@virtual_time
async def test_an_answer_grows_in_one_message_at_the_platforms_pace() -> None:
    async with growing([TEXT]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(OPEN_SECONDS + 0.1)
        assert TEXT.startswith(seen(stage.fake)[0].rstrip()), "the first words are there at once"
        assert stage.fake.sent[0].grows
        answer = await stage.fake.answer()
        await asyncio.sleep(5)
    assert (answer.text, answer.grows, seen(stage.fake)) == (TEXT, False, [TEXT])
    shown = [edit.text for edit in stage.fake.edits]
    assert all(TEXT.startswith(text.rstrip()) for text in shown)
    assert [len(text) for text in shown] == sorted(len(text) for text in shown)
    assert 10 < len(shown) < 18, "an edit a second, and the last one"
    assert [edit.grows for edit in stage.fake.edits].count(False) == 1


@virtual_time
async def test_an_answer_that_is_there_at_once_is_simply_sent() -> None:
    async with growing(["four"]).running() as stage:
        await stage.fake.says("2+2")
        assert (await stage.fake.answer()).text == "four"
        await asyncio.sleep(5)
    assert (stage.fake.edits, len(stage.fake.attempts)) == ([], 1)


@virtual_time
async def test_a_text_that_is_full_goes_on_in_the_next_message_with_the_borders_of_the_end() -> None:
    async with growing([TEXT], SHORT).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert len(PIECES) == 4
    assert seen(stage.fake) == PIECES
    assert len(stage.fake.edits) > len(PIECES)
    assert len(stage.fake.attempts) < 30


@pytest.mark.parametrize(
    "errors",
    [
        [SendTemporary("slow down", retry_after=4)] * 3,
        [SendTemporary("not now")] * 8,
        [SendUnknown("no answer")] * 8,
        [SendPermanent("it is too old")] * 8,
    ],
    ids=["rate-limit", "all-fail", "all-unknown", "refused"],
)
def test_the_final_text_is_delivered_whole_whatever_becomes_of_the_edits(errors: list[SendFailed]) -> None:
    @virtual_time
    async def check() -> None:
        async with growing([TEXT]).running() as stage:
            stage.fake.fails_edits(*errors)
            await stage.fake.says("tell me")
            await asyncio.sleep(1200 if len(errors) > 3 else 60)
        assert seen(stage.fake)[-1] == TEXT
        refused = isinstance(errors[0], SendPermanent)
        assert len(stage.fake.sent) == (2 if refused else 1), "one that is refused for good is sent anew"

    check()


@virtual_time
async def test_a_rate_limit_slows_the_pace() -> None:
    async with growing([" ".join(WORDS * 4)]).running() as stage:
        stage.fake.fails_edits(SendTemporary("slow down", retry_after=9))
        await stage.fake.says("tell me")
        await asyncio.sleep(5)
        before = len(stage.fake.attempts)
        await asyncio.sleep(5)
        assert len(stage.fake.attempts) == before, "nothing for 9 seconds"
        await stage.fake.answer()
    assert len(stage.fake.edits) < 10


@virtual_time
async def test_the_budget_of_edits_is_kept() -> None:
    few = replace(GROWING, growth=Growth(1, edits_most=3))
    async with growing([TEXT], few).running() as stage:
        await stage.fake.says("tell me")
        await stage.fake.answer()
    assert [edit.grows for edit in stage.fake.edits] == [True, True, True, False]
    brief = replace(GROWING, growth=Growth(1, lifetime_s=5))
    async with growing([TEXT], brief).running() as stage:
        await stage.fake.says("tell me")
        await stage.fake.answer()
    assert 3 <= len(stage.fake.edits) <= 7


@pytest.mark.parametrize("error", [SendTemporary("not now"), SendUnknown("no answer"), SendPermanent("no such chat")])
def test_a_message_that_could_not_be_opened_does_not_cost_the_answer(error: SendFailed) -> None:
    @virtual_time
    async def check() -> None:
        async with growing([TEXT]).running() as stage:
            stage.fake.fails(error)
            await stage.fake.says("tell me")
            await asyncio.sleep(60)
        assert seen(stage.fake) == [TEXT]
        assert bool(len(stage.fake.edits) > 1) is isinstance(error, SendTemporary)

    check()


@virtual_time
async def test_a_message_that_was_opened_nobody_knows_where_is_followed_by_the_whole_answer() -> None:
    async with growing([TEXT]).running() as stage:
        stage.fake.fails(SendUnknown("cut"), arrived=True)
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    fragment, whole = seen(stage.fake)
    assert TEXT.startswith(fragment.rstrip())
    assert whole == TEXT


@virtual_time
async def test_where_the_platform_knows_its_sends_an_unknown_opening_is_found_again() -> None:
    async with growing([TEXT], replace(GROWING, send_key=True)).running() as stage:
        stage.fake.fails(SendUnknown("cut"), arrived=True)
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert seen(stage.fake) == [TEXT]


@virtual_time
async def test_what_a_model_says_between_its_tools_makes_way_for_the_answer() -> None:
    look = tool(ToolCall("c1", "act", "{}"), text=" ".join(WORDS[:20]))
    async with growing([look, TEXT], tools={"act": FakeTool()}).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(5)
        assert seen(stage.fake)[0].startswith("word00")
        await asyncio.sleep(60)
    assert seen(stage.fake) == [TEXT]


@virtual_time
async def test_a_message_that_a_text_between_tools_has_filled_stays() -> None:
    look = tool(ToolCall("c1", "act", "{}"), text=TEXT)
    async with growing([look, "Done. " + " ".join(WORDS[:5])], SHORT, tools={"act": FakeTool()}).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert seen(stage.fake) == [*PIECES[:-1], "Done. " + " ".join(WORDS[:5])]


@virtual_time
async def test_a_text_of_silence_is_not_shown_and_what_was_shown_stays() -> None:
    slow = "NO_REPLY"
    async with growing([slow]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert stage.fake.sent == []
    look = tool(ToolCall("c1", "act", "{}"), text=" ".join(WORDS[:10]))
    async with growing([look, slow], tools={"act": FakeTool()}).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert len(stage.fake.sent) == 1
    assert " ".join(WORDS[:10]).startswith(seen(stage.fake)[0].rstrip())
    assert not stage.fake.sent[0].grows


@virtual_time
async def test_what_was_written_before_a_stop_stays_and_is_marked() -> None:
    async with growing([TEXT]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(5)
        await stage.fake.says("/stop")
        await asyncio.sleep(5)
    grown, told = seen(stage.fake)
    assert grown.endswith(f"\n\n{STOPPED}")
    assert TEXT.startswith(grown.removesuffix(f"\n\n{STOPPED}"))
    assert 10 < len(grown.split()) < 20
    assert told == "Stopped. The next message starts afresh."


@virtual_time
async def test_what_was_written_before_a_failure_stays_with_the_reason_below() -> None:
    broken = Fail("rejected", "the endpoint is closed", after=" ".join(WORDS[:10]))
    async with growing([broken]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    (text,) = seen(stage.fake)
    assert text == f"{' '.join(WORDS[:10])}\n\nSorry, I could not answer: the endpoint is closed."


@virtual_time
async def test_a_model_call_that_failed_in_the_middle_is_made_anew_and_takes_the_message_over() -> None:
    broken = Fail("failed", after=" ".join(WORDS[:10]))
    async with growing([broken, TEXT]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert seen(stage.fake) == [TEXT]


@virtual_time
async def test_the_agents_name_stands_before_a_growing_answer_too() -> None:
    config = snapshot(live=LivePolicy(agent_prefix=True))
    async with growing([TEXT], SHORT, config=config).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(3)
        assert seen(stage.fake)[0].startswith("[main] word00")
        await asyncio.sleep(60)
    assert seen(stage.fake) == split(f"[main] {TEXT}", 100, "codepoint")


@virtual_time
async def test_nothing_is_told_early_where_a_plugin_may_change_the_answer() -> None:
    hooks = answering(transform_llm_output=lambda _: "something else")
    async with growing([TEXT], hooks=hooks).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert seen(stage.fake) == ["something else"]
    assert len(stage.fake.attempts) == 1


@virtual_time
async def test_an_account_may_be_told_not_to_stream() -> None:
    account = AccountSettings(Account("fake"), Access(open=True), merge=False, stream=False)
    config = snapshot(accounts={Account("fake"): account})
    async with growing([TEXT], config=config).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert (seen(stage.fake), stage.fake.edits) == ([TEXT], [])


@virtual_time
async def test_a_message_that_joins_the_turn_does_not_disturb_the_growth() -> None:
    config = snapshot(live=LivePolicy(busy_mode="steer"))
    account = AccountSettings(Account("fake"), Access(open=True))
    config = replace(config, accounts={Account("fake"): account})
    look = tool(ToolCall("c1", "act", "{}"), text=" ".join(WORDS[:20]))
    async with growing([look, TEXT], config=config, tools={"act": FakeTool()}).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(4)
        await stage.fake.says("and be brief")
        await asyncio.sleep(60)
    assert seen(stage.fake) == [TEXT]


@virtual_time
async def test_a_shutdown_in_the_middle_is_gone_on_with_in_the_same_message(tmp_path: Path) -> None:
    peer = FakePlatform(capabilities=GROWING)
    async with lives(tmp_path / "state.db", ScriptedModel([TEXT, TEXT], word_s=SLOW_S), peer) as gateways:
        first = await gateways.begin(Life())
        await peer.says("tell me")
        await asyncio.sleep(5)
        await first.lanes.close(0)
        await first.lanes.give_back()
        await gateways.begin(Life())
        await asyncio.sleep(60)
        assert seen(peer) == [TEXT]


POINTS = [
    Kill(side, write, nth)  # type: ignore[arg-type]
    for side in ("before", "after")
    for write, numbers in {
        "tell": (1, 2, 4),
        "send": (1, 2, 4),
        "placed": (1, 2),
        "edit": (1, 3, 8, 14),
        "seal": (1, 3),
        "finish": (1,),
        "next_delivery": (1, 3),
        "settle": (1, 3),
    }.items()
    for nth in numbers
]


@pytest.mark.parametrize("kill", POINTS, ids=lambda kill: f"{kill.side}-{kill.write}-{kill.nth}")
def test_a_kill_at_any_point_leaves_the_answer_whole_and_once(kill: Kill, tmp_path: Path) -> None:
    """Only a death between a send and the writing of its outcome may leave a beginning of the answer beside it."""

    @virtual_time
    async def check() -> None:
        peer = FakePlatform(capabilities=SHORT)
        async with lives(tmp_path / "state.db", ScriptedModel([TEXT, TEXT], word_s=SLOW_S), peer) as gateways:
            life = Life(kill)
            await gateways.begin(life)
            await peer.says("tell me")
            await asyncio.wait({asyncio.create_task(life.over.wait())}, timeout=60)
            assert life.over.is_set(), "the point was not reached"
            await gateways.begin(Life())
            await asyncio.sleep(120)
        texts = seen(peer)
        unsure = (kill.side, kill.write) in (("after", "send"), ("before", "placed"))
        if unsure and len(texts) == len(PIECES) + 1:
            fragments = [text for text in texts if text not in PIECES]
            assert all(any(piece.startswith(text.rstrip()) for piece in PIECES) for text in fragments)
            texts = [text for text in texts if text in PIECES]
        assert texts == PIECES

    check()


@virtual_time
async def test_a_shorter_answer_after_a_kill_leaves_no_draft_behind(tmp_path: Path) -> None:
    peer = FakePlatform(capabilities=SHORT)
    async with lives(tmp_path / "state.db", ScriptedModel([TEXT, "Only this."], word_s=SLOW_S), peer) as gateways:
        life = Life(Kill("before", "finish", 1))
        await gateways.begin(life)
        await peer.says("tell me")
        await life.over.wait()
        await gateways.begin(Life())
        await asyncio.sleep(60)
    assert seen(peer) == ["Only this.", *[LEFT_OVER] * (len(PIECES) - 1)]


@virtual_time
async def test_typing_is_shown_while_a_turn_runs_and_taken_back_at_its_end() -> None:
    fake = FakePlatform(capabilities=Capabilities(4096, typing_s=5))
    async with Stage(ScriptedModel(["hello"], delay=12), platforms=[fake]).running():
        await fake.says("hi", chat="7")
        await asyncio.sleep(11)
        assert fake.typings == [("7", True)] * 3
        await fake.answer()
        await asyncio.sleep(30)
        assert fake.typings == [("7", True)] * 3 + [("7", False)]


@virtual_time
async def test_a_platform_that_fails_at_typing_answers_all_the_same() -> None:
    class Broken(FakePlatform):
        async def typing(self, target: object, on: bool) -> None:
            raise ValueError("a bug")

    fake = Broken(capabilities=Capabilities(4096, typing_s=5))
    async with Stage(ScriptedModel(["hello"], delay=12), platforms=[fake]).running():
        await fake.says("hi")
        assert (await fake.answer()).text == "hello"
