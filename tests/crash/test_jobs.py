"""The process is killed at every named point of a job's run: it runs once, and each target hears of it once
(SPEC 5.6, 9.3, 9.4)."""

import asyncio
import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.crash.home import HOOK_SECRET, make_home
from tests.crash.journal import Journal
from tests.patience import PATIENCE_S
from tests.process.gateway import NotUp, Nursery, gateways
from tests.process.model import Asked, Reply, Wish, stub_model
from tests.process.receiver import Receiver

pytestmark = pytest.mark.slow

JOB: Final = "0123456789ab"
ROOMS: Final = ("room-1", "room-2")
SCRIPT: Final = '#!/bin/sh\necho ran >> "$HOME/scripted"\necho "three new mails"\n'
KILLED: Final = -9

_UNDER_WAY: Final = (
    "see.before",
    "see.after",
    "accept.before",
    "accept.after",
    "record_start.before",
    "record_start.after",
    "script.before",
    "script.after",
    "record_end.before",
    "record_end.after",
    "model.before",
    "model.during",
    "model.after",
    "tool.before",
    "tool.inside",
    "tool.after",
    "finish.before",
    "finish.after",
    "keep.before",
    "keep.after",
    "kept.before",
    "kept.after",
    "next_delivery.before",
    "next_delivery.after",
    "send.before",
    "send.after",
    "settle.before",
    "settle.after",
)
CASES: Final = [
    *((point, 1) for point in _UNDER_WAY),
    ("record_start.before", 2),
    ("record_start.after", 2),
    ("record_end.before", 2),
    ("record_end.after", 2),
    ("model.during", 2),
    ("send.after", 2),
    ("settle.before", 2),
]
INTERRUPTED: Final = {("record_start.after", 1), ("script.before", 1), ("script.after", 1), ("record_end.before", 1)}
"""Where the script may have run, and it is not known that it has: it is not run again, and the run fails."""


@dataclass
class World:
    """What is outside of the gateway, and its lives."""

    home: Path
    journal: Path
    nursery: Nursery
    receiver: Receiver
    asked: Counter[int] = field(default_factory=Counter)

    async def die(self, point: str, nth: int) -> None:
        command = ["-m", "tests.crash.child", "--home", str(self.home), "--journal", str(self.journal)]
        gateway = await self.nursery.spawn([*command, "--point", point, "--nth", str(nth)])
        with contextlib.suppress(NotUp):  # it may die before it listens
            await gateway.listens()
        assert await gateway.ended() == KILLED, gateway.errors()

    async def live(self) -> None:
        """A life without an accident, until everything is done."""
        command = ["-m", "tests.crash.child", "--home", str(self.home), "--journal", str(self.journal)]
        gateway = await self.nursery.start(command)
        async with asyncio.timeout(PATIENCE_S):
            while not self._done():
                await asyncio.sleep(0.02)
        assert await gateway.stop() == 0, gateway.errors()

    def _done(self) -> bool:
        kept = self.rows("SELECT 1 FROM slot WHERE output IS NOT NULL")
        open_ones = self.rows("SELECT 1 FROM delivery WHERE state IN ('new', 'sending')")
        return bool(kept) and not open_ones

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'state.db'}?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()

    @property
    def agent(self) -> Path:
        return self.home / "agents" / "ops"

    def scripted(self) -> int:
        path = self.agent / "scripted"
        return len(path.read_text().splitlines()) if path.exists() else 0


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """A home whose agent ops has one job: a script, a model with a tool, two rooms that hear of it."""
    found: list[World] = []

    async def script(asked: Asked) -> Reply:
        done = sum(1 for message in asked.since_user if message["role"] == "assistant")
        found[0].asked[done] += 1
        assert "three new mails" in asked.user_text
        return (Wish("note", {"text": "m1"}),) if done == 0 else "the report"

    receiver = Receiver(HOOK_SECRET)
    async with stub_model(script, lambda: 0.01) as model, receiver.serve() as callback, gateways(folder) as nursery:
        home = make_home(folder / "home", model, callback)
        one = World(home, folder / "journal.jsonl", nursery, receiver)
        cron = one.agent / "cron"
        (cron / "scripts").mkdir(parents=True)
        (cron / "scripts" / "mails.sh").write_text(SCRIPT)
        deliver = [f"webhook:{room}" for room in ROOMS]
        job = {
            "id": JOB,
            "name": "mails",
            "prompt": "sum up",
            "script": "mails.sh",
            "schedule": "2s",
            "deliver": deliver,
        }
        (cron / "jobs.json").write_text(json.dumps({"jobs": [job]}))
        found.append(one)
        yield one


@pytest.mark.parametrize(("point", "nth"), CASES, ids=[f"{point}-{nth}" for point, nth in CASES])
async def test_a_job_runs_once_whenever_the_process_dies(point: str, nth: int, tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await one.die(point, nth)
        await one.live()
        interrupted = (point, nth) in INTERRUPTED
        slots = one.rows("SELECT input.state, slot.until FROM slot JOIN input ON input.id = slot.input")
        assert slots == [("failed" if interrupted else "done", None)]
        assert one.rows("SELECT count(*) FROM slot") == [(1,)]
        ran = one.scripted()
        assert ran == (0 if (point, nth) in {("record_start.after", 1), ("script.before", 1)} else 1)
        effects = [entry for entry in Journal(one.journal).read() if entry.event == "effect"]
        never_began = (point, nth) in {("tool.before", 1), ("record_start.after", 2)}
        assert len(effects) == (0 if interrupted or never_began else 1)
        text = "The job “mails” failed: its script was interrupted by a restart, and not run again"
        wanted = text if interrupted else "the report"
        heard = {(got.delivery_id, got.chat_id, got.text, got.agent) for got in one.receiver.received}
        assert sorted((chat, said, agent) for _, chat, said, agent in heard) == [
            (room, wanted, "ops") for room in ROOMS
        ]
        outputs = list((one.agent / "cron" / "output" / JOB).iterdir())
        assert len(outputs) == 1
        assert wanted.removeprefix("The job “mails” failed: ") in outputs[0].read_text()
        assert max(one.asked.values(), default=0) <= 2
        histories = one.rows(
            "SELECT lane.chat, message.body FROM message JOIN session ON session.id = message.session"
            " JOIN lane ON lane.id = session.lane WHERE lane.platform = 'webhook'"
        )
        said = sorted((chat, json.loads(body)["text"]) for chat, body in histories)
        assert said == ([] if interrupted else [(room, "the report") for room in ROOMS])


async def test_slots_of_a_downtime_are_missed_once_whenever_the_process_dies(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        cron = one.agent / "cron" / "jobs.json"
        document = json.loads(cron.read_text())
        document["jobs"][0] |= {"schedule": "every 1s", "deliver": "local"}
        cron.write_text(json.dumps(document))
        await one.live()
        with closing(sqlite3.connect(one.home / "state.db")) as db, db:  # as if the gateway had been away for an hour
            db.execute("UPDATE slot SET at = at - 3600, until = until - 3600")
            db.execute("UPDATE job SET decided = decided - 3600, since = since - 3600")
        await one.die("miss.before", 1)
        await one.die("miss.after", 1)
        await one.live()
        [(first, last)] = one.rows("SELECT at, until FROM slot WHERE reason = 'the gateway was not running'")
        runs = [at for (at,) in one.rows("SELECT at FROM slot WHERE input IS NOT NULL ORDER BY at")]
    assert last - first > 3000
    assert not any(first <= at <= last for at in runs)
