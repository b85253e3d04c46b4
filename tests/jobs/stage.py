"""A home with a `cron` folder, and schedules that are right unless they say that they are not."""

import json
from pathlib import Path
from typing import Any

from serai.core.error import SeraiError
from serai.jobs.disk import DiskJobs
from serai.jobs.script import ScriptRunner
from serai.ports.jobs import JobFolder

ID = "0123456789ab"
OTHER = "ba9876543210"


class Tokens:
    """Chance that can be foretold: each token ends with the next number."""

    def __init__(self) -> None:
        self._made = 0

    def token(self) -> str:
        self._made += 1
        return f"{self._made:024x}"

    def code(self) -> str:
        raise NotImplementedError

    def between(self, low: float, high: float) -> float:
        raise NotImplementedError


def check_schedule(text: str) -> None:
    """A stand-in for the real check: a schedule is wrong where it says `never`."""
    if "never" in text:
        raise SeraiError("it says never")


def disk(scripts: ScriptRunner | None = None) -> DiskJobs:
    return DiskJobs(check_schedule, Tokens(), scripts)


async def looked_at(cron: Path) -> JobFolder:
    """The folder as it is now."""
    return (await disk().look({cron: None}))[cron]


def fields(**more: Any) -> dict[str, Any]:
    """A job as it is written; None takes a field away."""
    known = {"id": ID, "schedule": "every 2h", "prompt": "Say hello.", **more}
    return {key: value for key, value in known.items() if value is not None}


def put(cron: Path, *jobs: Any, **others: Any) -> Path:
    """Writes a jobs file as a person would."""
    return put_text(cron, json.dumps({**others, "jobs": list(jobs)}, indent=2, ensure_ascii=False) + "\n")


def put_text(cron: Path, text: str | bytes) -> Path:
    cron.mkdir(parents=True, exist_ok=True)
    path = cron / "jobs.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
