"""How jobs stand, in few words: for `serai status` and `serai agent show`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from serai.cli.cron.book import Job
from serai.cli.cron.told import BAD, title, until
from serai.cli.moment import ago

_COMING: Final = ("id", "agent", "name", "state", "next_run_at")
_BAD: Final = ("id", "agent", "name", "last_status", "last_run_at", "last_error")


def summary(jobs: Sequence[Job]) -> dict[str, Any]:
    """How many there are in which state, which one is next, and those whose last run went wrong."""
    coming = [job for job in jobs if job["next_run_at"] is not None]
    bad = [job for job in jobs if job["last_status"] in BAD]
    return {
        "count": len(jobs),
        "states": dict(Counter(job["state"] for job in jobs)),
        "next": _brief(min(coming, key=lambda job: job["next_run_at"]), _COMING) if coming else None,
        "bad": [_brief(job, _BAD) for job in sorted(bad, key=lambda job: -(job["last_run_at"] or 0.0))],
    }


def _brief(job: Job, names: Sequence[str]) -> dict[str, Any]:
    return {name: job[name] for name in names}


def summary_fields(found: dict[str, Any], now: float, most: int = 5) -> Iterator[tuple[str, str]]:
    """A `summary` as fields; nothing where there are no jobs. Of bad ones the latest `most`."""
    if not found["count"]:
        return
    states = ", ".join(f"{count} {state}" for state, count in sorted(found["states"].items()))
    yield "jobs", f"{found['count']} ({states})"
    if found["next"] is not None:
        following = found["next"]
        yield "next job", f"{_named(following)} {until(following, following['next_run_at'], now)}"
    for job in found["bad"][:most]:
        when = f" {ago(job['last_run_at'], now)}" if job["last_run_at"] is not None else ""
        yield f"{job['last_status']} job", f"{_named(job)}{when}: {job['last_error'] or 'nobody knows why'}"
    if len(found["bad"]) > most:
        yield "bad jobs", f"{len(found['bad']) - most} more: serai cron list"


def _named(job: Job) -> str:
    return f"{title(job)} of {job['agent']}"
