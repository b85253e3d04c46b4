"""What people and models are told when a gateway is stopped or dies in the midst of something."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.harness import harness
from tests.crash.ledger import Unfinished, read, unfinished
from tests.crash.peers import mark_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kind", "effects", "interrupted"), [("note", 1, 1), ("ping", 2, 0)])
async def test_a_tool_that_runs_at_a_shutdown_is_repeated_only_if_that_is_harmless(
    kind: str, effects: int, interrupted: int, tmp_path: Path
) -> None:
    async with harness(tmp_path) as one:
        one.traffic.say("room-1", kind)
        gateway = await one.start(None, 1, "--hang", "--grace", "0.1")
        await one.traffic.flow(one.caller(gateway))
        await one.effect()
        await one.stop(gateway)
        assert unfinished(one.database).turns == 1
        figures = await one.live()
        assert sum(entry.event == "effect" for entry in one.journal.read()) == effects
    assert figures.interrupted == interrupted


async def test_the_people_of_a_turn_that_dies_three_times_are_told(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        one.traffic.say("room-1", "plain")
        for _ in range(3):
            await one.die("model.during")
        one.traffic.say("room-1", "plain")
        figures = await one.live()
    told = [answer.text for answer in one.receiver.taken]
    assert "interrupted 3 times" in told[0]
    assert told[1].startswith("answer to m2")
    assert (figures.kills, figures.given_up) == (3, 1)


async def test_a_call_whose_turn_died_three_times_can_be_made_anew(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        call = one.traffic.ask("note", keyed=True)
        for point in ("tool.before", "model.before", "model.after"):
            await one.die(point)
        gateway = await one.start()
        await one.quiet()
        given_up = read(one.database).turns
        await one.finish(gateway)
        await one.stop(gateway)
        figures = one.judge()
    assert [(turn.state, turn.code) for turn in given_up] == [("failed", "turn_died")]
    assert {answer.status for answer in call.answers} == {200}
    assert (figures.turns, figures.interrupted) == (2, 1)


async def test_a_call_ends_with_its_gateway_unless_it_has_a_key(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        keyed = one.traffic.ask("note", keyed=True)
        plain = one.traffic.ask("note", keyed=False)
        stream = one.traffic.ask("plain", keyed=False, stream=True)
        one.model.held = {mark_of(call.text): 0 for call in (keyed, plain, stream)}
        gateway = await one.start()
        flow = asyncio.create_task(one.traffic.flow(one.caller(gateway)))
        await asyncio.gather(*(one.model.waits(mark) for mark in one.model.held))
        ran = {row.text: row.id for row in read(one.database).inputs}
        await one.kill(gateway)
        await flow
        one.model.go.set()
        figures = await one.live()
        assert {row.text: row.id for row in read(one.database).inputs} == ran
    assert (plain.lost, stream.lost, figures.cancelled, figures.turns) == (True, True, 2, 3)
    assert {answer.document["id"] for answer in keyed.answers} == {f"chatcmpl-{ran[keyed.text]}"}


@pytest.mark.parametrize("first_is_keyed", [True, False])
async def test_in_one_session_only_the_call_with_a_key_goes_on(first_is_keyed: bool, tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        first = one.traffic.ask("plain", keyed=first_is_keyed, session="shared")
        one.model.held = {mark_of(first.text): 0}
        gateway = await one.start()
        caller = one.caller(gateway)
        flow = asyncio.create_task(one.traffic.flow(caller))
        await one.model.waits(mark_of(first.text))
        second = one.traffic.ask("plain", keyed=not first_is_keyed, session="shared")
        later = asyncio.create_task(one.traffic.flow(caller))
        await one.quiet(but=Unfinished(inputs=2, turns=1, deliveries=0))
        await one.kill(gateway)
        await asyncio.gather(flow, later)
        one.model.go.set()
        figures = await one.live()
    keyed, plain = (first, second) if first_is_keyed else (second, first)
    assert (plain.lost, figures.cancelled, figures.given_up) == (True, 1, 0)
    assert {answer.status for answer in keyed.answers} == {200}


async def test_an_answer_whose_receiver_was_silent_is_sent_again_under_its_id(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        one.receiver.open.clear()
        one.traffic.say("room-1", "plain")
        one.traffic.say("room-1", "plain")
        gateway = await one.start()
        await one.traffic.flow(one.caller(gateway))
        await one.receiver.count(1)
        await one.quiet(but=Unfinished(inputs=0, turns=0, deliveries=2))
        await one.kill(gateway)
        one.receiver.open.set()
        figures = await one.live()
    assert (figures.messages, figures.repeated) == (2, 1)


async def test_an_answer_that_was_refused_for_now_is_sent_once_after_a_death(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        one.receiver.refusals = 2
        one.traffic.say("room-1", "plain")
        gateway = await one.start()
        await one.traffic.flow(one.caller(gateway))
        await one.receiver.count(2)
        await one.kill(gateway)
        figures = await one.live()
    assert (len(one.receiver.received), len(one.receiver.taken), figures.repeated) == (3, 1, 0)
