"""Answers that are told in parts where nothing can be edited (SPEC 5.7)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from serai.core.message import Message, ToolCall, Usage
from serai.gateway.answer.blocks import what_is_left
from serai.ports.model import ModelReply, ModelRequest, OnDelta
from serai.ports.platform import Blocks, Capabilities
from serai.testing.clock import virtual_time
from serai.testing.model import Entry, Fail, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life
from tests.conversations.script import Kill
from tests.gateway.mortal import lives
from tests.gateway.stage import Stage
from tests.gateway.test_growth import SLOW_S, TEXT, WORDS, seen, tool
from tests.gateway.test_steps import FakeTool

CAPABILITIES = Capabilities(1000, blocks=Blocks(length=100, idle_s=3))


def in_blocks(script: Sequence[Entry], **parts: object) -> Stage:
    model = ScriptedModel(script, word_s=SLOW_S)
    return Stage(model, platforms=[FakePlatform(capabilities=CAPABILITIES)], **parts)  # type: ignore[arg-type]


def words(fake: FakePlatform) -> list[str]:
    return " ".join(seen(fake)).split()


@virtual_time
async def test_a_long_answer_is_told_in_parts_while_it_is_written_and_the_rest_at_its_end() -> None:
    async with in_blocks([TEXT]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(8)
        assert len(stage.fake.sent) == 1
        await asyncio.sleep(60)
    assert words(stage.fake) == WORDS
    assert [len(text) > 80 for text in seen(stage.fake)] == [True, True, True, False]


@virtual_time
async def test_a_short_answer_is_one_message() -> None:
    async with in_blocks(["Four."]).running() as stage:
        await stage.fake.says("2+2")
        await asyncio.sleep(60)
    assert seen(stage.fake) == ["Four."]


@virtual_time
async def test_what_was_written_is_told_when_nothing_more_comes_for_a_while() -> None:
    class Pausing(ScriptedModel):
        async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
            assert on_delta is not None
            on_delta("One.")
            await asyncio.sleep(10)
            on_delta(" Two.")
            return ModelReply(Message("assistant", "One. Two."), Usage(), "m", "stop")

    fake = FakePlatform(capabilities=CAPABILITIES)
    async with Stage(Pausing([]), platforms=[fake]).running():
        await fake.says("2+2")
        await asyncio.sleep(2.9)
        assert seen(fake) == []
        await asyncio.sleep(0.2)
        assert seen(fake) == ["One."]
        await asyncio.sleep(60)
    assert seen(fake) == ["One.", "Two."]


@virtual_time
async def test_a_short_text_before_a_tool_makes_way_for_the_answer() -> None:
    look = tool(ToolCall("c1", "act", "{}"), text="Let me have a look.")
    async with in_blocks([look, "It is four."], tools={"act": FakeTool(delay=30)}).running() as stage:
        await stage.fake.says("2+2")
        await asyncio.sleep(2)
        await asyncio.sleep(60)
    assert seen(stage.fake) == ["It is four."]


@virtual_time
async def test_a_text_that_was_begun_before_a_tool_is_told_to_its_end() -> None:
    look = tool(ToolCall("c1", "act", "{}"), text=TEXT)
    async with in_blocks([look, "It is four."], tools={"act": FakeTool()}).running() as stage:
        await stage.fake.says("2+2")
        await asyncio.sleep(60)
    assert words(stage.fake) == [*WORDS, "It", "is", "four."]


@virtual_time
async def test_a_code_fence_is_not_cut_by_a_part() -> None:
    code = "```python\n" + "\n".join(f"x{n:02} = {n}" for n in range(20)) + "\n```"
    text = f"See this:\n\n{code}\n\nThat is all, " + " ".join(WORDS[:20])
    async with in_blocks([text]).running() as stage:
        await stage.fake.says("code")
        await asyncio.sleep(60)
    assert any(code in part for part in seen(stage.fake)), seen(stage.fake)
    assert words(stage.fake) == text.split()


@virtual_time
async def test_silence_is_not_told() -> None:
    async with in_blocks(["NO_REPLY"]).running() as stage:
        await stage.fake.says("psst")
        await asyncio.sleep(60)
    assert stage.fake.sent == []


@virtual_time
async def test_a_failure_after_parts_is_told_below_the_rest() -> None:
    async with in_blocks([Fail("rejected", "the endpoint is closed", after=TEXT)]).running() as stage:
        await stage.fake.says("tell me")
        await asyncio.sleep(60)
    assert words(stage.fake)[: len(WORDS)] == WORDS
    assert seen(stage.fake)[-1].endswith("Sorry, I could not answer: the endpoint is closed.")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("write", "nth"),
    [("tell", 1), ("tell", 2), ("send", 1), ("settle", 1), ("next_delivery", 2), ("finish", 1)],
)
def test_nothing_is_lost_or_doubled_by_a_kill(side: str, write: str, nth: int, tmp_path: Path) -> None:
    """Where it is unknown whether a part was sent, it is held, as everywhere."""

    @virtual_time
    async def check() -> None:
        peer = FakePlatform(capabilities=CAPABILITIES)
        async with lives(tmp_path / "state.db", ScriptedModel([TEXT, TEXT], word_s=SLOW_S), peer) as gateways:
            life = Life(Kill(side, write, nth))
            await gateways.begin(life)
            await peer.says("tell me")
            await asyncio.wait({asyncio.create_task(life.over.wait())}, timeout=60)
            assert life.over.is_set(), "the point was not reached"
            await gateways.begin(Life())
            await asyncio.sleep(60)
            held = write in ("send", "settle") or (write, side) == ("next_delivery", "after")
            if held:
                await peer.says("/retry")
                await asyncio.sleep(60)
        got = [text for text in seen(peer) if "sent again" not in text]
        told = " ".join(text.removeprefix("(An earlier message may not have reached you; ") for text in got)
        if held:
            assert set(WORDS) <= set(told.split())
        else:
            assert told.split() == WORDS

    check()


@pytest.mark.parametrize(
    ("text", "parts", "left"),
    [
        ("One. Two.", [], "One. Two."),
        ("One. Two.", ["One."], "Two."),
        ("One.\n\nTwo.", ["One.", "Two."], ""),
        ("One.", ["One. Two."], ""),
        ("Another. Two.", ["One.", "Two."], "Another. Two."),
        ("", ["One."], ""),
    ],
)
def test_what_is_left_of_a_text(text: str, parts: list[str], left: str) -> None:
    assert what_is_left(text, parts) == left
