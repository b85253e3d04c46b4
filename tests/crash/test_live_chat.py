"""Killed in the midst of a burst, of a message that joins, of a command: nothing lost, nothing twice (SPEC 6)."""

from pathlib import Path

import pytest

from tests.crash.harness import Harness, harness
from tests.crash.ledger import Ledger, read
from tests.crash.peers import mark_of

pytestmark = pytest.mark.slow

TRIES = 5


def judged(one: Harness) -> Ledger:
    """What holds after any death: each message is in one finished turn and once in the history, each answer came
    once."""
    ledger = read(one.database)
    posts = [post.text for chat in one.traffic.chats.values() for post in chat.posts]
    assert [row.text for row in ledger.inputs] == posts
    assert {turn.state for turn in ledger.turns} == {"done"}
    assert {row.state for row in ledger.inputs} == {"done"}
    assert {row.turn for row in ledger.inputs} == {turn.id for turn in ledger.turns}
    heard = [line for row in ledger.messages if row.role == "user" for line in row.text.splitlines()]
    assert heard == posts
    of_turns = [row for row in ledger.deliveries if row.turn is not None]
    assert sorted(row.turn for row in of_turns) == sorted(turn.id for turn in ledger.turns)
    arrived = {answer.delivery_id: answer.text for answer in one.receiver.taken}
    assert arrived == {row.id: row.text for row in ledger.deliveries}
    effects = [entry.call for entry in one.journal.read() if entry.event == "effect"]
    assert len(effects) == len(set(effects))
    return ledger


async def survive(one: Harness) -> Ledger:
    gateway = await one.start()
    await one.finish(gateway)
    await one.stop(gateway)
    return judged(one)


async def test_pieces_of_a_message_are_one_turn(tmp_path: Path) -> None:
    """In one of several rooms: each piece has a moment to come, which a busy machine may miss."""
    async with harness(tmp_path, live=True) as one:
        gateway = await one.start()
        rooms = turns = 0
        while turns == 2 * rooms:
            assert rooms < TRIES, "each piece had a turn of its own each time"
            rooms += 1
            for _ in range(2):
                one.traffic.say(f"room-{rooms}", "plain")
            await one.traffic.flow(one.caller(gateway))
            await one.quiet()
            turns = len(read(one.database).turns)
        await one.finish(gateway)
        await one.stop(gateway)
        judged(one)


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("accept.before", 2),
        ("accept.after", 1),
        ("accept.after", 2),
        ("claim.before", 1),
        ("claim.after", 1),
        ("model.before", 1),
        ("model.after", 1),
        ("finish.before", 1),
        ("finish.after", 1),
        ("send.after", 1),
    ],
)
async def test_a_death_in_a_burst(point: str, nth: int, tmp_path: Path) -> None:
    async with harness(tmp_path, live=True) as one:
        one.traffic.say("room-1", "plain")
        one.traffic.say("room-1", "plain")
        await one.die(point, nth)
        await survive(one)


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("join.before", 1),
        ("join.after", 1),
        ("record_end.after", 1),
        ("model.before", 2),
        ("model.after", 2),
        ("finish.before", 1),
        ("finish.after", 1),
    ],
)
async def test_a_death_while_a_message_joins_a_running_turn(point: str, nth: int, tmp_path: Path) -> None:
    async with harness(tmp_path, live=True) as one:
        one.traffic.say("room-1", "note")
        gateway = await one.start(point, nth, "--hang")
        await one.traffic.flow(one.caller(gateway))
        await one.effect()
        one.traffic.say("room-1", "plain")
        await one.traffic.flow(one.caller(gateway))
        one.journal.let_go()
        assert await gateway.ended() == -9, gateway.errors()
        one.kills += 1
        ledger = await survive(one)
    assert len(ledger.turns) == 1


async def test_a_turn_that_dies_three_times_keeps_what_had_joined_it(tmp_path: Path) -> None:
    async with harness(tmp_path, live=True) as one:
        one.traffic.say("room-1", "note")
        gateway = await one.start("join.after", 1, "--hang")
        await one.traffic.flow(one.caller(gateway))
        await one.effect()
        one.traffic.say("room-1", "plain")
        await one.traffic.flow(one.caller(gateway))
        one.journal.let_go()
        assert await gateway.ended() == -9, gateway.errors()
        one.kills += 1
        for _ in range(2):
            await one.die("model.before")
        figures = await one.live()
        heard = [row.text for row in read(one.database).messages if row.role == "user"]
    assert (figures.turns, figures.given_up) == (1, 2)
    assert heard == [post.text for post in one.traffic.chats["room-1"].posts]


@pytest.mark.parametrize("point", ["order.before", "order.after", "finish.before"])
async def test_a_turn_that_was_stopped_stays_stopped(point: str, tmp_path: Path) -> None:
    async with harness(tmp_path, live=True) as one:
        post = one.traffic.say("room-1", "note")
        gateway = await one.start(point, 1, "--hang")
        caller = one.caller(gateway)
        await one.traffic.flow(caller)
        await one.effect()
        stop = one.traffic.say("room-1", "x")
        stop.text = "/stop"
        await one.traffic.flow(caller)
        assert await gateway.ended() == -9, gateway.errors()
        one.kills += 1
        one.journal.let_go()
        one.model.held = {mark_of(post.text): 1}  # a turn that goes on does not end before it is stopped
        gateway = await one.start()
        await one.finish(gateway)
        await one.stop(gateway)
        ledger = read(one.database)
    assert [(row.text, row.state) for row in ledger.inputs] == [(post.text, "cancelled")]
    assert [turn.state for turn in ledger.turns] == ["cancelled"]
    told = {answer.delivery_id: answer.text for answer in one.receiver.taken}  # one may come again under its id
    assert [*told.values()] == ["Stopped. The next message starts afresh."]
