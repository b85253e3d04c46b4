"""A job in words: when it runs next, how it went last, where its answer goes, what it does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from serai.cli.cron.book import Job, Run
from serai.cli.moment import ago, coming, lasting
from serai.core.zone import zone_named

if TYPE_CHECKING:
    from serai.core.delivery import Target

BAD: Final = frozenset({"failed", "missed"})
"""How a run should not end."""

_UNDELIVERED: Final = "undelivered"

_STANDS: Final = {"running": "now", "waiting": "due"}
_BECAME: Final = {"sent": "sent", "unknown": "unknown", "dead": "failed"}
"""What became of deliveries, in the words of `serai send`; the others wait."""


def clock(at: float, zone: tzinfo, day: str = "%a %Y-%m-%d ") -> str:
    """`Fri 2026-11-27 09:00` in that zone, with seconds where there are some."""
    local = datetime.fromtimestamp(at, zone)
    return f"{local:{day}{'%H:%M:%S' if local.second else '%H:%M'}}"


def here(at: float, zone: tzinfo, own: tzinfo) -> str:
    """The same moment as the machine's clock shows it, `08:00` or `Thu 23:00`; blank where that is the same."""
    there, local = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(at, own)
    if there.utcoffset() == local.utcoffset():
        return ""
    return clock(at, own, "%a " if there.date() != local.date() else "")


def until(job: Job, at: float | None, now: float, units: int = 1) -> str:
    """`in 3 h`; for the next run of a job that is under way or due, that."""
    if at is None or at == job["next_run_at"]:
        stands = _STANDS.get(job["state"])
        if stands is not None:
            return stands
    return "" if at is None else f"in {coming(at - now, units)}"


def outcome(job: Job) -> str:
    """How its last run went: as the API has it, but `undelivered` where an `ok` answer did not arrive."""
    return _UNDELIVERED if job["last_status"] == "ok" and job["last_error"] else job["last_status"] or ""


def is_bad(job: Job) -> bool:
    """Whether its last run should have gone otherwise."""
    return outcome(job) in {*BAD, _UNDELIVERED}


def last(job: Job, now: float) -> str:
    """`ok 12 h ago`; blank where it never ran."""
    when = job["last_run_at"]
    return f"{outcome(job)}{'' if when is None else f' {ago(when, now)}'}"


def deliver(job: Job) -> str:
    """Where its answer goes: as it was written, else what that means."""
    return ", ".join(receivers(job)) or "local"


def receivers(job: Job, without: Collection[str] = ()) -> Sequence[str]:
    """The targets that its answer is sent to, each once, as they were written; `origin` is the chat that it means."""
    chat = place(job["origin"]) if job["origin"] else ""
    usual = ["origin"] if chat else []
    written = [one.strip() for one in (usual if job["deliver"] is None else job["deliver"]) if one not in without]
    words = [chat or word if word.lower() == "origin" else word for word in written]
    return [word for word in dict.fromkeys(words) if word.lower() != "local"]


def place(origin: Mapping[str, Any]) -> str:
    """The chat that a job was made in."""
    from serai.core.target import written

    chat = origin_chat(origin)
    return "" if chat is None else written(chat)


def origin_chat(origin: object) -> "Target | None":
    """The same as a target; None where it names no chat."""
    from serai.core.delivery import Target

    match origin:
        case {"platform": str(platform), "chat_id": str(chat), **more}:
            thread = more.get("thread_id")
            return Target(
                platform, chat, str(more.get("account") or "default"), None if thread is None else str(thread)
            )
    return None


def title(job: Job) -> str:
    """How a job is called: its name, else how its prompt begins, in quotes; its id where it has neither."""
    if job["name"]:
        return str(job["name"])
    begins = label(job)
    return f"“{begins}”" if begins else str(job["id"])


def label(job: Job) -> str:
    """`core.job.Job.label`."""
    from serai.core.job import label_of

    return label_of(job["name"], job["prompt"], job["script"])


def why(job: Job) -> str:
    """Why a job is not going to run."""
    match job["state"]:
        case "paused":
            return "paused"
        case "off":
            return f"off: {job['off']}"
        case "done" if job["repeat"] is not None and job["runs"] >= job["repeat"]:
            return f"done: it ran {times(job['repeat'])}"
        case "done" if job["runs"]:
            return "done: its time is over"
        case "done":
            return "its time is over, and it did not run"
    return ""


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def upcoming(job: Job, count: int) -> Sequence[float]:
    """Its next runs, at most so many."""
    known = list(job["next_runs"])
    return (
        known[:count]
        if count <= len(known) or not known
        else [*known, *islice(_more(job, known), count - len(known))]
    )


def _more(job: Job, known: Sequence[float]) -> Sequence[float]:
    """Those that come after the ones that are `known`."""
    from serai.core.schedule import Timetable, parse_schedule

    timetable = Timetable(parse_schedule(job["schedule"]), known[-1], zone_named(job["zone"]))
    found: list[float] = []
    left = 1000 if job["repeat"] is None else job["repeat"] - job["runs"] - len(known)
    at: float | None = known[-1]
    while timetable.recurs and len(found) < left and at is not None:
        at = timetable.after(at)
        if at is not None:
            found.append(at)
    return found


def took(run: Run) -> str:
    """How long a run took; blank where that is not known."""
    began, ended = run["started_at"], run["ended_at"]
    return "" if began is None or ended is None else lasting(ended - began)


@dataclass(frozen=True, slots=True)
class Reached:
    """A target of a run, and what became of it. `bad`: it did not get there, or perhaps not."""

    target: str
    what: str
    bad: bool


def went_to(run: Run) -> Sequence[Reached]:
    """Each target of a run; of a text in several pieces what went worst counts."""
    from serai.core.delivery import Target
    from serai.core.target import written

    found: dict[str, Reached] = {}
    for one in run["deliveries"]:
        chat = one["target"]
        place = written(Target(chat["platform"], chat["chat_id"], chat["account"], chat["thread_id"]))
        what = _BECAME.get(one["state"], "waiting") + (f": {one['error']}" if one["error"] else "")
        if place not in found or not found[place].bad:
            found[place] = Reached(place, what, one["state"] in ("dead", "unknown"))
    return [*found.values(), *(_unreached(problem) for problem in run["problems"])]


def _unreached(problem: str) -> Reached:
    target, colon, why = problem.partition(": ")
    return Reached(target, f"not sent: {why}", bad=True) if colon else Reached("deliver", problem, bad=True)
