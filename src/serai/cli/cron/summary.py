"""How jobs stand, in few words: for `serai status` and `serai agent show`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from serai.cli.cron.book import Job, Problem
from serai.cli.cron.find import grave
from serai.cli.cron.told import is_bad, label, outcome, until
from serai.cli.moment import ago

_COMING: Final = ("id", "agent", "name", "state", "next_run_at")
_BAD: Final = ("id", "agent", "name", "last_status", "last_run_at", "last_error")


def summary(jobs: Sequence[Job], problems: Sequence[Problem]) -> dict[str, Any]:
    """How many there are in which state, which one is next, those whose last run, or its delivery, went wrong,
    and what keeps others from being there."""
    coming = [job for job in jobs if job["next_run_at"] is not None]
    bad = [job for job in jobs if is_bad(job)]
    return {
        "count": len(jobs),
        "states": dict(Counter(job["state"] for job in jobs)),
        "next": _brief(min(coming, key=lambda job: job["next_run_at"]), _COMING) if coming else None,
        "bad": [_brief(job, _BAD) for job in sorted(bad, key=lambda job: -(job["last_run_at"] or 0.0))],
        "problems": [dict(one) for one in grave(jobs, problems)],
    }


def _brief(job: Job, names: Sequence[str]) -> dict[str, Any]:
    return {**{name: job[name] for name in names}, "label": label(job)}


def summary_fields(found: dict[str, Any], now: float, most: int = 5) -> Iterator[tuple[str, str]]:
    """A `summary` as fields; nothing where there are no jobs. Of bad ones, and of problems, the first `most`."""
    if found["count"]:
        states = ", ".join(f"{count} {state}" for state, count in sorted(found["states"].items()))
        yield "jobs", f"{found['count']} ({states})"
    if found["next"] is not None:
        following = found["next"]
        yield "next job", f"{_named(following)} {until(following, following['next_run_at'], now)}"
    for job in found["bad"][:most]:
        when = f" {ago(job['last_run_at'], now)}" if job["last_run_at"] is not None else ""
        yield f"{outcome(job)} job", f"{_named(job)}{when}: {job['last_error'] or 'nobody knows why'}"
    if len(found["bad"]) > most:
        yield "bad jobs", f"{len(found['bad']) - most} more: serai cron list"
    for problem in found["problems"][:most]:
        about = f"{problem['job']} of {problem['agent']}" if problem["job"] else f"all of {problem['agent']}"
        yield "wrong job" if problem["job"] else "damaged jobs", f"{about}: {problem['message']}"
    if len(found["problems"]) > most:
        yield "wrong jobs", f"{len(found['problems']) - most} more: serai cron list"


def _named(job: Job) -> str:
    called = job["name"] or (f"“{job['label']}”" if job["label"] else job["id"])
    return f"{called} of {job['agent']}"
