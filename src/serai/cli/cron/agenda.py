"""Jobs in the order in which they run: a table where it fits, else two lines each."""

import sys
from collections.abc import Sequence
from datetime import tzinfo

from serai.cli.cron.book import Job
from serai.cli.cron.slot import Slot
from serai.cli.cron.told import clock, deliver, here, is_bad, last, title, until, upcoming, why
from serai.cli.place import Place
from serai.cli.printable import one_line
from serai.cli.table import ABSENT, print_table

IDLE_HEADS = ("id", "name", "agent", "schedule", "last", "why")


def print_agenda(place: Place, jobs: Sequence[Job], now: float, count: int) -> None:
    """The next `count` runs of each job, in the order of time."""
    from serai.config.cron import machine_zone

    own = machine_zone(place.environment)
    slots = _slots(jobs, own, now, count)
    if not sys.stdout.isatty():
        columns = _columns(slots, own, "")
        print_table([*columns], zip(*columns.values(), strict=True))
        return
    from serai.cli.cron.draw import draw_slots
    from serai.cli.draw import draw_table

    zones = {slot.job["zone"] for slot in slots}
    columns = _columns(slots, own, zones.pop() if len(zones) == 1 else "")
    bad = [n for n, slot in enumerate(slots) if slot.bad]
    if not draw_table(columns, red={"last": bad}, cut="name"):
        draw_slots(slots)


def _columns(slots: Sequence[Slot], own: str, zone: str) -> dict[str, list[str]]:
    """Heads and cells. `zone` is that of all jobs, blank where each must tell its own."""
    jobs = [slot.job for slot in slots]
    columns = {"id": [job["id"] for job in jobs], "name": [title(job) for job in jobs]}
    columns |= {name: [job[name] for job in jobs] for name in ("agent", "schedule")}
    columns[f"next, {zone}" if zone else "next"] = [slot.when if zone else slot.zoned for slot in slots]
    if any(slot.here for slot in slots):
        columns[f"here, {own}"] = [slot.here for slot in slots]
    columns["in"] = [slot.until for slot in slots]
    columns["last"] = [slot.last for slot in slots]
    columns["deliver"] = [deliver(job) for job in jobs]
    return {head: [one_line(cell) or ABSENT for cell in cells] for head, cells in columns.items()}


def _slots(jobs: Sequence[Job], own: str, now: float, count: int) -> Sequence[Slot]:
    from serai.core.zone import zone_named

    zone = zone_named(own)
    found = [(at, job["id"], job) for job in jobs for at in upcoming(job, count) or [0.0]]
    return [_slot(job, at, zone, now) for at, _, job in sorted(found, key=lambda one: one[:2])]


def _slot(job: Job, at: float, own: tzinfo, now: float) -> Slot:
    """`at` is 0 for a run that is under way, with none after it."""
    from serai.core.zone import zone_named

    zone = zone_named(job["zone"])
    when, beside = (clock(at, zone), here(at, zone, own)) if at else ("", "")
    return Slot(job, when, beside, until(job, at or None, now), last(job, now))


def print_idle(jobs: Sequence[Job], now: float) -> None:
    """Jobs that are not going to run, and why."""
    rows = [(job["id"], title(job), job["agent"], job["schedule"], last(job, now), why(job)) for job in jobs]
    if not (sys.stdout.isatty() and _is_drawn(jobs, rows)):
        print_table(IDLE_HEADS, rows, whole=("id",))


def _is_drawn(jobs: Sequence[Job], rows: Sequence[Sequence[str]]) -> bool:
    """Draws them in one line each, where those are long enough."""
    from serai.cli.draw import draw_table

    columns = {head: [one_line(row[n]) or ABSENT for row in rows] for n, head in enumerate(IDLE_HEADS)}
    return draw_table(columns, red={"last": [n for n, job in enumerate(jobs) if is_bad(job)]}, cut="name")
