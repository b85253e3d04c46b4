"""One gateway with all its platforms, through a scripted conversation and two kills (SPEC 5.6, 10.1, 13)."""

import asyncio
import json
import random
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Figure
from tests.process.gateway import GatewayProcess, NotUp, Nursery, gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model
from tests.together.cast import AGENTS, CAST, OPENERS, Role, home
from tests.together.hurry import HurriedLoop
from tests.together.line import Line, opened

FACTOR: Final = 6.0
"""Seconds that pass in each real one: for the gateway, for its peers, and for whoever talks."""

_MARK: Final = re.compile(r"q-\d{4}")
_PERSONA: Final = re.compile(r"You are the agent (\w+)\.")
_HELD_NOTE: Final = "(An earlier message may not have reached you; /retry sends it again.)\n\n"
_PATIENCE_S: Final = 600.0
_SHOWN_S: Final = 30.0
"""For which an answer is shown while it is written, at most."""

_STEADY_S: Final = 15.0
"""Seconds of the gateway's time around a kill in which nothing is said where it would not come again."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said, and who has to answer it."""

    mark: str
    role: Role


async def answer(asked: Asked) -> str:
    """Every agent says who it is, and repeats the marks of all that it was asked since it last spoke."""
    system = str(asked.messages[0]["content"])
    persona = _PERSONA.search(system)
    assert persona, f"no persona in {system[:200]!r}"
    since = [m for m in asked.messages if m["role"] in ("user", "assistant")]
    last = max((n for n, m in enumerate(since) if m["role"] == "assistant"), default=-1)
    marks = _MARK.findall(json.dumps([m["content"] for m in since[last + 1 :]]))
    return f"{persona[1]} answers {' '.join(marks)}, and has nothing more to say about it."


class Evening:
    """A conversation on all lines, `minutes` long in the gateway's time."""

    def __init__(
        self, folder: Path, lines: Sequence[Line], nursery: Nursery, model: str, minutes: float, origin: float
    ) -> None:
        self.home = folder / "home"
        self.said: list[Said] = []
        self._lines = {line.account: line for line in lines}
        self._nursery = nursery
        self._seconds = minutes * 60
        self._origin = origin
        self._deaths: list[float] = []
        self._chance = random.Random(42)
        config, secrets = home(lines, model)
        write_home(self.home, config, secrets)
        for agent in AGENTS:
            persona = self.home / "agents" / agent / "SOUL.md"
            persona.parent.mkdir(parents=True, exist_ok=True)
            persona.write_text(f"You are the agent {agent}.")

    def now(self) -> float:
        return (time.time() - self._origin) * FACTOR

    async def start(self) -> GatewayProcess:
        command = ["-m", "tests.together.child", str(self.home), str(FACTOR), str(self._origin)]
        gateway = await self._nursery.spawn(command)
        while not gateway.url:
            await _listens(gateway)
        self._dial(gateway.url)
        for line in self._lines.values():
            try:
                await asyncio.wait_for(line.ready(), _PATIENCE_S)
            except TimeoutError:
                raise AssertionError(f"{line.account} is not logged in") from None
        return gateway

    def _dial(self, url: str) -> None:
        for line in self._lines.values():
            line.dial(url)

    async def pass_(self, kills: int) -> None:
        """Says everything, and kills the gateway in the midst of it."""
        gateway = await self.start()
        deaths = [self._seconds * (n + 1) / (kills + 1) for n in range(kills)]
        talks = [asyncio.create_task(self._talk(role, deaths)) for role in CAST]
        for death in deaths:
            await self._until(death)
            await gateway.kill()
            self._deaths.append(self._origin + self.now())
            self._dial("")
            gateway = await self.start()
        await asyncio.gather(*talks)
        await self._answered()
        gateway.process.terminate()
        assert await gateway.ended(_PATIENCE_S) == 0, gateway.errors()

    async def _talk(self, role: Role, deaths: Sequence[float]) -> None:
        """One person's part. Pauses are long enough for an answer, and sometimes too short for one."""
        at = self._chance.uniform(2, 30)
        line = self._lines[role.account]
        while at < self._seconds:
            await self._until(at)
            if line.redelivers or not any(abs(at - death) < _STEADY_S for death in deaths):
                said = Said(f"q-{len(self.said):04}", role)
                self.said.append(said)
                await line.say(role.place, f"{said.mark}: what do you think?")
            at += self._chance.choice((1.5, 20.0, 45.0, 90.0))

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self.now()))

    async def _answered(self) -> None:
        """Waits until everything is answered, or nothing comes any more."""
        end = self.now() + _PATIENCE_S
        while self.now() < end and any(not count for count in self.counts().values()):
            await asyncio.sleep(2)

    def counts(self) -> Counter[str]:
        """How often each mark was answered, in the right place, by the right agent; wrong ones raise."""
        found: Counter[str] = Counter({said.mark: 0 for said in self.said})
        by_mark = {said.mark: said.role for said in self.said}
        for account, line in self._lines.items():
            for chat, text in line.heard():
                for mark in _MARK.findall(text):
                    role = by_mark[mark]
                    assert (account, chat) == (role.account, role.place.chat), (
                        f"{mark} was answered in {account} {chat}"
                    )
                    said = text.removeprefix(_HELD_NOTE)
                    assert said.startswith(f"{role.agent} answers"), f"{mark} of {role.agent} was answered by {text}"
                    found[mark] += 1
        return found

    def texts(self, marks: Sequence[str]) -> list[tuple[str, str, str]]:
        """What was said about some marks, and where."""
        heard = [(account, *said) for account, line in self._lines.items() for said in line.heard()]
        return [one for one in heard if any(mark in one[2] for mark in marks)]

    def held(self) -> set[str]:
        """Marks of answers whose delivery may or may not have arrived: they are not sent again unasked (SPEC 5.5)."""
        return self._marks("SELECT text FROM delivery WHERE state = 'unknown'")

    def in_doubt(self) -> set[str]:
        """Marks of answers whose beginning may stand beside the whole: the gateway was killed, or not answered, while
        it was being shown (docs/decisions/growing-answers.md)."""
        log = (self.home / "logs" / "serai.log").read_text()
        names = {json.loads(line).get("delivery") for line in log.splitlines() if '"an answer ' in line}
        shown = self._marks(f"SELECT text FROM delivery WHERE id IN ({','.join('?' * len(names))})", *names)
        resumed = "SELECT CAST(i.body AS TEXT) FROM input i JOIN turn t ON i.turn = t.id WHERE t.attempt > 1"
        near = "SELECT text FROM delivery WHERE created_at BETWEEN ? AND ?"
        cut_off = [self._marks(near, death - _SHOWN_S, death) for death in self._deaths]
        return shown.union(self._marks(resumed), *cut_off)

    def _marks(self, query: str, *values: object) -> set[str]:
        with sqlite3.connect(self.home / "state.db") as db:
            rows = db.execute(query, values).fetchall()
        return {mark for (text,) in rows for mark in _MARK.findall(text)}


async def _listens(gateway: GatewayProcess) -> None:
    """Waits for the gateway's address: a start takes as much real time as ever, which is a lot of ours."""
    try:
        await gateway.listens()
    except NotUp as error:
        if error.code is not None:
            raise


def run(folder: Path, minutes: float, kills: int, figure: Figure) -> None:
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(FACTOR)) as runner:
        runner.run(play(folder, minutes, kills, figure))


async def play(folder: Path, minutes: float, kills: int, figure: Figure) -> None:
    began, origin = time.monotonic(), time.time()
    async with (
        opened(*(opener(lambda: origin + (time.time() - origin) * FACTOR) for opener in OPENERS)) as lines,
        stub_model(answer, lambda: random.uniform(0.0, 3.0)) as model,
        gateways(folder) as nursery,
    ):
        evening = Evening(folder, lines, nursery, model, minutes, origin)
        try:
            await evening.pass_(kills)
        except BaseException:
            print(*(one.errors()[-3000:] for one in nursery.all), sep="\n")
            raise
        counts, held, in_doubt = evening.counts(), evening.held(), evening.in_doubt()
    silent = [mark for mark, count in counts.items() if not count and mark not in held]
    doubled = [mark for mark, count in counts.items() if count > 1]
    twice = [mark for mark in doubled if mark not in in_doubt and mark not in held]
    assert not silent, f"never answered: {[(s.mark, s.role) for s in evening.said if s.mark in silent]}"
    assert not twice, f"answered twice: {evening.texts(twice)}"
    by_platform = Counter(said.role.account.partition("@")[0] for said in evening.said)
    assert len(counts) > 10 * kills
    figure(
        f"{minutes:g} minutes on {len(lines)} accounts of {len(by_platform)} platforms, {len(AGENTS)} agents, "
        f"{kills} kills: {len(counts)} messages, each answered once by its agent, {len(held)} held as unknown, "
        f"{len(doubled)} beside a beginning of theirs, "
        f"in {time.monotonic() - began:.0f} s ({dict(sorted(by_platform.items()))})"
    )


@pytest.mark.slow
def test_all_platforms_at_once_survive_two_kills(tmp_path: Path, figure: Figure) -> None:
    run(tmp_path, 4, 2, figure)


@pytest.mark.prove
def test_an_hour_of_all_platforms_at_once_survives_two_kills(tmp_path: Path, figure: Figure) -> None:
    run(tmp_path, 60, 2, figure)
