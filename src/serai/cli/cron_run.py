"""The runs of a schedule to come, as people and programs see them."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from serai.cli.document import Document
from serai.cli.moment import lasting
from serai.cli.table import print_table
from serai.core.instant import ClockChange
from serai.core.upcoming import Upcoming
from serai.core.zone import zone_named

_MINUTE = "%Y-%m-%d %H:%M"


def run_document(run: Upcoming, now: float, here: tzinfo) -> Document:
    """One run as JSON: `local` in its own zone, `here` in this machine's, `in_s` how long until then.

    `clock_changes` are those between it and the run before.
    """
    return {
        "object": "cron.run",
        "at": run.at,
        "local": run.local.isoformat(),
        "here": datetime.fromtimestamp(run.at, here).isoformat(),
        "weekday": f"{run.local:%A}",
        "in_s": run.at - now,
        "clock_changes": [
            {"at": one.at, "before": one.before.isoformat(), "after": one.after.isoformat(), "seconds": one.seconds}
            for one in run.changes
        ],
    }


def print_runs(runs: Sequence[Upcoming], now: float, name: str, here: str) -> None:
    """A table of runs in the zone `name`; in the zone `here` too, where its clocks show something else."""
    zone = zone_named(here)
    form = _MINUTE if all(run.local.second == 0 for run in runs) else f"{_MINUTE}:%S"
    columns = {
        "day": [f"{run.local:%a}" for run in runs],
        name: [f"{run.local:{form}}" for run in runs],
        "UTC": [run.local.isoformat()[-len("+00:00") :] for run in runs],
    }
    own = [datetime.fromtimestamp(run.at, zone) for run in runs]
    if any(one.utcoffset() != run.local.utcoffset() for one, run in zip(own, runs, strict=True)):
        columns[f"here, {here}"] = [f"{one:%a {form}}" for one in own]
    columns["in"] = [lasting(run.at - now) for run in runs]
    if any(run.changes for run in runs):
        columns["clocks before it"] = ["; ".join(map(_told, run.changes)) for run in runs]
    print_table([*columns], zip(*columns.values(), strict=True), whole=("day", name, "UTC"))


def _told(change: ClockChange) -> str:
    """`2027-03-28 02:00 to 03:00 is skipped`."""
    first, last = sorted((change.before.replace(tzinfo=None), change.after.replace(tzinfo=None)))
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:{_MINUTE}}"
    return f"{first:{_MINUTE}} to {end} {'is skipped' if change.seconds > 0 else 'comes twice'}"
