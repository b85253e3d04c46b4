"""`serai cron preview` (SPEC 9.2, 12)."""

from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from datetime import tzinfo


@click.command("preview")
@click.argument("schedule", metavar="SCHEDULE...", nargs=-1, required=True)
@click.option("--timezone", metavar="NAME", help="The schedule's time zone  [that of the configuration]")
@click.option("-n", "count", metavar="N", type=click.IntRange(1, 1000), default=10, help="How many runs  [10]")
@click.option("--from", "start", metavar="TIME", help="As if it were this time there, such as 2027-03-27T12:00.")
@json_option
@click.pass_obj
def preview(
    place: Place, schedule: tuple[str, ...], timezone: str | None, count: int, start: str | None, as_json: bool
) -> None:
    """Tell when a schedule is due next.

    A SCHEDULE is `30m` (once), `every 2h`, five fields of cron such as `0 9 * * 1-5`, or a time such as
    2026-12-24T18:00. Put it in quotes, because the shell reads `*` as names of files.
    """
    from serai.cli.cron_run import print_runs, run_document
    from serai.config.cron import machine_zone
    from serai.core.schedule import Timetable, parse_schedule
    from serai.core.upcoming import upcoming
    from serai.core.zone import zone_named

    name, zone = _zone(place, timezone)
    now = _moment(start, zone)
    meant = parse_schedule(" ".join(schedule))
    runs = list(upcoming(Timetable(meant, now, zone), now, count + 1))
    shown, more = runs[:count], len(runs) > count
    here = machine_zone(place.environment)
    if as_json:
        print_json(listing((run_document(one, now, zone_named(here)) for one in shown), more=more))
    elif shown:
        print_runs(shown, now, name, here)
    else:
        click.echo("Never again: that time is over.")


def _zone(place: Place, name: str | None) -> "tuple[str, tzinfo]":
    """The zone that is asked for, else that of the configuration, else the machine's. Raises UnknownZone, Failed."""
    from serai.cli.failure import Failed
    from serai.cli.nearest import hint
    from serai.core.zone import UnknownZone, zone_named, zone_names

    name = name or _configured(place)
    try:
        return name, zone_named(name)
    except UnknownZone as error:
        raise Failed(f"`{name}`: {error}{hint(name, zone_names())}") from error


def _configured(place: Place) -> str:
    from serai.config.cron import machine_zone

    snapshot = place.load().snapshot
    if snapshot is not None:
        return snapshot.cron.zone_name
    click.echo("Warning: the configuration has problems; the time zone is this machine's.", err=True)
    return machine_zone(place.environment)


def _moment(text: str | None, zone: "tzinfo") -> float:
    import time

    from serai.cli.failure import Failed
    from serai.core.schedule import At, BadSchedule, Timetable, parse_schedule

    if text is None:
        return time.time()
    try:
        meant = parse_schedule(text)
    except BadSchedule:
        meant = None
    moment = Timetable(meant, 0.0, zone).after(0.0) if isinstance(meant, At) else None
    if moment is None:
        raise Failed("`--from` takes a time such as 2027-03-27T12:00.")
    return moment
