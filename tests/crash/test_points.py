"""The process is killed at every named point of a message's life; the next one loses nothing and doubles nothing."""

from pathlib import Path
from typing import Final

import pytest

from tests.crash.harness import Harness, harness
from tests.crash.peers import mark_of
from tests.crash.point import POINTS

pytestmark = pytest.mark.slow

_PACE: Final = 0.02
"""Seconds before each piece of an answer: long enough that messages come while a turn runs, and wait."""

_NOT_UNDER_TRAFFIC: Final = ("release.", "recover.", "join.", "order.", "script.", "keep.", "kept.", "see.", "miss.")
_AT_ONCE: Final = [point for point in POINTS if not point.startswith(_NOT_UNDER_TRAFFIC)]
_LATER: Final = [
    "accept.after",
    "record_start.after",
    "record_end.before",
    "tool.inside",
    "finish.before",
    "finish.after",
    "send.after",
    "settle.after",
]
CASES: Final = [(point, 1) for point in _AT_ONCE] + [(point, 3) for point in _LATER]


ROOMS: Final = 3
"""Chats: at a death, each may have one send whose outcome nobody knows."""


def people_talk(one: Harness) -> None:
    """Three chats of three agents and two API clients, with all kinds of messages."""
    rooms = {"room-1": ("", "note plain"), "room-2": ("g-ops", "ping twice"), "room-3": ("g-lab", "both plain")}
    for room, (guild, kinds) in rooms.items():
        for kind in kinds.split():
            one.traffic.say(room, kind, guild, twice=kind in ("note", "both"))
    one.traffic.ask("note", "ops", keyed=True)
    one.traffic.ask("plain", "lab", keyed=False, stream=True)


@pytest.mark.parametrize(("point", "nth"), CASES, ids=[f"{point}-{nth}" for point, nth in CASES])
async def test_a_death_loses_nothing_and_doubles_nothing(point: str, nth: int, tmp_path: Path) -> None:
    async with harness(tmp_path, lambda: _PACE) as one:
        people_talk(one)
        await one.die(point, nth)
        figures = await one.live()
    assert (figures.kills, figures.messages, figures.calls, figures.given_up) == (1, 6, 2, 0)
    assert figures.repeated <= ROOMS


@pytest.mark.parametrize("point", ["recover.before", "recover.after"])
async def test_a_death_while_an_earlier_one_is_repaired_is_repaired_too(point: str, tmp_path: Path) -> None:
    async with harness(tmp_path, lambda: _PACE) as one:
        people_talk(one)
        await one.die("tool.inside", 2)
        await one.die(point)
        figures = await one.live()
    assert (figures.kills, figures.given_up) == (2, 0)


@pytest.mark.parametrize("point", ["release.before", "release.after"])
@pytest.mark.parametrize("kind", ["note", "ping", "plain"])
async def test_a_death_while_turns_are_given_back_at_a_shutdown(kind: str, point: str, tmp_path: Path) -> None:
    async with harness(tmp_path, lambda: _PACE) as one:
        post = one.traffic.say("room-1", kind)
        one.model.held = {mark_of(post.text): 0} if kind == "plain" else {}
        gateway = await one.start(point, 1, "--hang", "--grace", "0.1")
        await one.traffic.flow(one.caller(gateway))
        await (one.model.waits(mark_of(post.text)) if kind == "plain" else one.effect())
        assert await gateway.stop() == -9, gateway.errors()
        one.kills += 1
        one.model.go.set()
        figures = await one.live()
    assert (figures.given_up, figures.interrupted) == (0, kind == "note")
