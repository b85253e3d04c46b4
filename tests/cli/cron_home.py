"""A home with jobs, as files and as a past in the database."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from serai.core.ids import JobId
from serai.ports.slots import Sighting
from serai.stores.sqlite.store import open_store
from tests.cli.terminal import Terminal

CONFIG = """\
agents: {ops: {}}
cron: {timezone: Europe/Berlin}
"""
REPORT = "aaaa11112222"
CHECK = "aaaa33334444"
PARTY = "bbbb55556666"
JOBS: list[dict[str, Any]] = [
    {"id": REPORT, "name": "Morning report", "schedule": "0 9 * * 1-5", "prompt": "What is new?"},
    {"id": CHECK, "name": "Check", "schedule": "every 2h", "prompt": "All well?", "enabled": False},
]
PARTIES: list[dict[str, Any]] = [
    {"id": PARTY, "name": "Party", "schedule": "2998-12-24T18:00", "prompt": "Cheers!", "timezone": "Asia/Tokyo"},
]
SECONDS = 1_790_000_000.0
"""A moment in September 2026."""


def write_jobs(serai: Terminal, jobs: list[dict[str, Any]], agent: str = "ops") -> Path:
    return serai.write(json.dumps({"jobs": jobs}), f"agents/{agent}/cron/jobs.json")


def read_jobs(serai: Terminal, agent: str = "ops") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((serai.home / f"agents/{agent}/cron/jobs.json").read_text())["jobs"]
    return found


def write_cron_home(serai: Terminal) -> None:
    """The agent ops with two jobs, one of them paused; main with one that is due in a thousand years."""
    serai.write(CONFIG)
    write_jobs(serai, JOBS)
    write_jobs(serai, PARTIES, "main")


def store_missed(serai: Terminal, job: str = REPORT, agent: str = "ops") -> None:
    """A day of a job's in the database, on which it was missed."""
    asyncio.run(_missed(serai.home, _directory(serai, agent), JobId(job)))


def store_ran(serai: Terminal, job: str, agent: str = "ops") -> None:
    """A run of a job's in the database, whose turn is forgotten, of the only time in its schedule."""
    directory, name = _directory(serai, agent), JobId(job)
    asyncio.run(_missed(serai.home, directory, name, "2020-01-01T00:00 Europe/Berlin"))
    with closing(sqlite3.connect(serai.home / "state.db")) as db, db:
        db.execute("UPDATE job SET runs = 1, written = '2020-01-01T00:00' WHERE job = ?", (job,))
        db.execute("UPDATE slot SET input = 'run_1', until = NULL, reason = NULL WHERE job = ?", (job,))


def _directory(serai: Terminal, agent: str) -> str:
    return str((serai.home / f"agents/{agent}/cron").resolve())


async def _missed(home: Path, directory: str, job: JobId, schedule: str = "0 9 * * 1-5 Europe/Berlin") -> None:
    store = open_store(home / "state.db")
    try:
        await store.slots.see(directory, [Sighting(job, schedule, schedule, SECONDS - 1000)])
        await store.slots.miss(directory, job, SECONDS, SECONDS, "the gateway was not running", SECONDS + 5)
    finally:
        await store.close()
