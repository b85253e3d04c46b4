"""Gateways with schedules that die at any moment, one after another, and an oracle for what they should have run."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.core.snapshot import Snapshot
from serai.ports.jobs import ScriptResult
from serai.ports.model import ModelReply, ModelRequest, OnDelta
from serai.ports.slots import SlotRow
from serai.stores.sqlite.slot import history
from serai.testing.jobs import MemoryJobs
from serai.testing.model import Fail, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life, MortalStore
from tests.conversations.script import Kill
from tests.gateway.mortal import MortalDriver
from tests.gateway.stage import Stage

START = datetime(2024, 3, 30, 23, tzinfo=ZoneInfo("UTC")).timestamp()
"""Hours before the clocks change in Europe, a week before they do in Chile and on Lord Howe Island."""

POINTS = ("accept", "claim", "record", "finish", "settle", "next_delivery", "see", "miss", "kept")
_SLOT_WRITES = ("see", "miss", "kept", "pass_over")


@dataclass(frozen=True)
class Asked:
    """The model was asked."""

    at: float
    agent: AgentId
    job: str
    model: str


class World:
    """What outlives the gateways: files, the people's side of the platform, the model's memory, time."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files = MemoryJobs()
        self.files.scripts |= {"good.sh": ScriptResult("12 mails"), "bad.sh": ScriptResult("", "it ended with 3")}
        self.files.scripts["hangs.sh"] = None
        self.peer = FakePlatform()
        self.asked: list[Asked] = []

    def now(self) -> float:
        return START + asyncio.get_running_loop().time() - 1000.0


class MortalModel(ScriptedModel):
    """Answers as the job's prompt says, as long as the process lives that asks."""

    def __init__(self, world: World, life: Life) -> None:
        super().__init__(lambda _: self._reply())
        self._world = world
        self._life = life
        self._behaviour = ""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        await self._life.passing("before", "model")
        job, behaviour = request.messages[-1].text.rsplit("\n", 1)[-1].split(" ")
        self._world.asked.append(Asked(self._world.now(), request.agent, job, request.endpoint.name))
        if behaviour == "hangs":
            await self._life.buried.wait()
        elif behaviour == "slow":
            await asyncio.sleep(self._world.random.uniform(5, 900))
        await self._life.passing("after", "model")
        return await ScriptedModel([Fail(400)] if behaviour == "fails" else ["done"]).complete(request, on_delta)

    def _reply(self) -> str:
        raise AssertionError("each call has a script of its own")


class MortalSchedules(MortalStore):
    """A store on disk whose writes about schedules may be the last ones, too."""

    def __init__(self, path: Path, life: Life) -> None:
        super().__init__(path, life)
        for name in _SLOT_WRITES:
            setattr(self.slots, name, _mortal(getattr(self.slots, name), name, life))


def _mortal(call: Callable[..., Awaitable[Any]], name: str, life: Life) -> Callable[..., Awaitable[Any]]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        await life.passing("before", name)
        result = await call(*args, **kwargs)
        await life.passing("after", name)
        return result

    return wrapped


@dataclass
class Gateway:
    """One store, and the processes that work with it, one after another. `lives` are their beginnings and ends."""

    world: World
    path: Path
    config: Snapshot
    lives: list[tuple[float, float]] = field(default_factory=list)
    sinces: dict[tuple[str, str, str], set[float]] = field(default_factory=dict)
    stage: Stage | None = None
    waiting: dict[tuple[str, str], float] = field(default_factory=dict)

    async def live(self, seconds: float, kill: Kill | None = None) -> None:
        """One process, for so long at most."""
        life, world = Life(kill), self.world
        store = MortalSchedules(self.path, life)
        self.stage = Stage(
            MortalModel(world, life),
            self.config,
            store=store,
            platforms=[MortalDriver(world.peer, life)],
            files=world.files,
            seed=world.random.randrange(2**32),
            start=START,
        )
        began = world.now()
        with closing(store.db):
            async with self.stage.running(recover=True, schedules=True):
                try:
                    async with asyncio.timeout(seconds):
                        await life.over.wait()
                except TimeoutError:
                    life.over.set()
                self.lives.append((began, world.now()))
                agenda = self.stage.schedules.scheduler._agenda
                self.waiting = {one.identity: one.due for one in agenda.entries() if one.due is not None}
                self._note(store)
                life.buried.set()
            self.stage = None

    def _note(self, store: MortalStore) -> None:
        for directory, job, key, since in store.db.execute("SELECT directory, job, key, since FROM job"):
            self.sinces.setdefault((directory, job, key), set()).add(since)

    async def history(self, directory: str, job: JobId) -> list[SlotRow]:
        """A job's slots, the oldest first."""
        with closing(MortalStore(self.path, Life()).db) as db:
            return list(reversed(history(db, directory, job, 1_000_000, None)))

    async def lives_and_dies(self, until: float, *, quiet: float) -> None:
        """Processes with any ends and pauses, until that moment; then one that lives on for `quiet` seconds."""
        chance = self.world.random
        while (left := until - self.world.now()) > 0:
            point = Kill(chance.choice(["before", "after"]), chance.choice(POINTS), chance.randint(1, 40))
            await self.live(
                min(left, chance.choice([1, 30, 600, 7200, 14400]) * chance.uniform(0.5, 1.5)),
                point if chance.random() < 0.6 else None,
            )
            await asyncio.sleep(chance.choice([0, 0, 1, 20, 90, 300, 4000, 15000]) * chance.uniform(0.2, 1.0))
        await self.live(quiet)


def slots_of(job: Job, since: float, until: float) -> list[float]:
    """All slots of a job after `since`, up to `until`: what its schedule says, by one iteration."""
    words = job.schedule.split()
    if words[0] == "every":
        period = _seconds(words[1])
        return [since + n * period for n in range(1, int((until - since) / period) + 1)]
    if len(words) == 1:
        single = (
            since + _seconds(words[0]) if words[0][-1] in "smhd" else datetime.fromisoformat(words[0]).timestamp()
        )
        return [single] if since < single <= until else []
    return list(_cron_slots(job, since, until))


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def _cron_slots(job: Job, since: float, until: float) -> Iterator[float]:
    last = since
    for found in CronSim(job.schedule, datetime.fromtimestamp(since - 3 * 86400, ZoneInfo(job.timezone or "UTC"))):
        slot = found.timestamp()
        if slot > until:
            return
        if slot > last:
            last = slot
            yield slot


def at_once(spans: list[tuple[float, float]]) -> int:
    """How many of these spans overlap at most."""
    marks = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, step in marks:
        now += step
        most = max(most, now)
    return most
