"""The next runs of one job, below what is said of it."""

import click

from serai.cli.cron.book import Job
from serai.cli.cron.told import clock, here, until, upcoming, why
from serai.cli.place import Place


def print_upcoming(place: Place, job: Job, now: float, count: int) -> None:
    """A line for each of the next runs; or why there is none."""
    from serai.config.cron import machine_zone
    from serai.core.zone import zone_named

    name = machine_zone(place.environment)
    zone, own = zone_named(job["zone"]), zone_named(name)
    runs = upcoming(job, count)
    for at in runs:
        local = here(at, zone, own)
        beside = f"  ({local} here, {name})" if local else ""
        click.echo(f"  {clock(at, zone)} {job['zone']}{beside}  {until(job, at, now, units=2)}")
    if not runs:
        click.echo(f"  It is not going to run: {why(job) or job['state']}.")
