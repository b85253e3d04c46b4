"""Kills at random instants, and some hasty shutdowns, under load, of one home that lives through all of them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.conftest import Figure
from tests.crash.harness import Harness, harness
from tests.crash.home import AGENTS
from tests.crash.ledger import connect, inputs
from tests.crash.peers import PLANS
from tests.process.gateway import GatewayProcess

_START_SECONDS: Final = 0.8
_LOAD_SECONDS: Final = 0.6
_ROOMS: Final = 6
_WAVES: Final = 4
_ROUNDS_PER_BLOCK: Final = 10
"""After which people move on to new chats, so that histories stay of a size."""


class Storm:
    """Rounds of new traffic and a kill. `chance` decides who says what, and when the gateway dies."""

    def __init__(self, one: Harness, chance: Random) -> None:
        self._one = one
        self._chance = chance
        self._seen: set[str] = set()
        self._last = 0

    async def round(self, number: int) -> None:
        """One or two lives, the last one ended by SIGKILL; then what can be judged at once."""
        block = number // _ROUNDS_PER_BLOCK
        self._one.receiver.refusals = self._chance.random() < 0.2
        if self._chance.random() < 0.15:
            await self._end_working(block, self._one.hurry)
        if self._chance.random() < 0.15:
            await self._die_starting(block)
        else:
            await self._end_working(block, self._one.kill)
        self._look()

    async def _die_starting(self, block: int) -> None:
        """Somewhere between the first instruction and the first message."""
        self._talk(block)
        gateway = await self._one.spawn()
        await asyncio.sleep(self._chance.uniform(0.0, _START_SECONDS))
        await self._one.kill(gateway)

    async def _end_working(self, block: int, end: Callable[[GatewayProcess], Awaitable[None]]) -> None:
        """By SIGKILL, or by a SIGTERM that leaves turns no time."""
        gateway = await self._one.start(None, 1, "--grace", "0.02")
        work = asyncio.create_task(self._work(gateway, block))
        await asyncio.sleep(self._chance.uniform(0.0, _LOAD_SECONDS))
        await end(gateway)
        await work

    async def _work(self, gateway: GatewayProcess, block: int) -> None:
        """Waves of messages, each sent when the one before is confirmed; now and then one that is known already."""
        if self._chance.random() < 0.3:
            await self._one.traffic.repeat(self._one.caller(gateway), _ROOMS)
        for _ in range(_WAVES):
            self._talk(block)
            await self._one.traffic.flow(self._one.caller(gateway))
            if not gateway.is_alive:
                return

    def _talk(self, block: int) -> None:
        traffic, chance = self._one.traffic, self._chance
        for room in range(_ROOMS):
            for _ in range(chance.randrange(3)):
                guild = f"g-{AGENTS[room % len(AGENTS)]}"
                traffic.say(f"room-{block}-{room}", self._kind(), guild, twice=chance.random() < 0.2)
        for keyed in (True, False, chance.random() < 0.5):
            traffic.ask(self._kind(), chance.choice(AGENTS), keyed=keyed, stream=not keyed and chance.random() < 0.5)

    def _kind(self) -> str:
        return self._chance.choice(list(PLANS))

    def _look(self) -> None:
        """What was confirmed is stored, and nothing is stored twice."""
        if not self._one.database.exists():
            return
        with closing(connect(self._one.database)) as db:
            new = inputs(db, self._last) if _is_made(db.execute("SELECT name FROM sqlite_schema")) else []
        for row in new:
            assert row.chat not in self._one.traffic.chats or row.text not in self._seen, f"{row} was stored before"
            self._seen.add(row.text)
            self._last = row.seq
        posts = (post for chat in self._one.traffic.chats.values() for post in chat.posts)
        lost = [post.text for post in posts if post.acked and post.text not in self._seen]
        assert not lost, f"confirmed and lost: {lost}"


def _is_made(tables: Iterable[tuple[str]]) -> bool:
    return ("input",) in tables


@pytest.mark.parametrize("live", [False, True], ids=["one-by-one", "live"])
@pytest.mark.parametrize(
    "kills", [pytest.param(8, marks=pytest.mark.slow), pytest.param(300, marks=pytest.mark.prove)]
)
async def test_kills_at_random_instants_lose_nothing_and_double_nothing(
    kills: int, live: bool, tmp_path: Path, figure: Figure
) -> None:
    seed = int(os.environ.get("SERAI_TEST_SEED") or Random().randrange(2**32))
    figure(f"{kills} random kills, {'live' if live else 'one by one'}: SERAI_TEST_SEED={seed}")
    chance = Random(seed)
    async with harness(tmp_path, pace=lambda: chance.uniform(0.0, 0.03), live=live) as one:
        storm = Storm(one, chance)
        for number in range(kills):
            await storm.round(number)
        figures = await one.live()
        files = tmp_path / "home" / "state.db"
    assert figures.kills == kills
    assert figures.messages >= kills
    figure(f"{figures}; the database has {files.stat().st_size / 2**20:.1f} MB")
