"""The database, and what waits in it."""

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient
from serai.core.error import StorageFailed

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, Counts


def whole(patient: Patient) -> Iterator[Finding]:
    from serai.stores.sqlite.checkup import check_up

    path = patient.layout.database
    if not path.exists():
        return
    aside = f"mv {quote(str(path))} {quote(f'{path}.damaged')}"
    try:
        health = check_up(path)
    except StorageFailed as error:
        yield Finding("serious", "database", str(error), aside)
        return
    if health.version > health.newest:
        text = f"{path.name} was written by a newer Serai (version {health.version}, this one knows {health.newest})"
        yield Finding("serious", "database", text, "pip install --upgrade serai")
    for damage in health.damage:
        yield Finding("serious", "database", f"{path.name} is damaged: {damage}", aside)


def deliveries(patient: Patient) -> Iterator[Finding]:
    from serai.cli.archive import read

    async def counted(archive: "Archive") -> "Counts | None":
        return await archive.counts()

    try:
        counts = read(patient.place, counted, None)
    except StorageFailed:  # `whole` tells
        return
    for state, what in (("unknown", "held, because they may have arrived"), ("dead", "given up")):
        if counts is not None and (number := counts.deliveries.get(state, 0)):
            text = f"{number} {'delivery is' if number == 1 else 'deliveries are'} {what}"
            yield Finding(
                "warning", "delivery", text, f"serai delivery list --state {state}; serai delivery retry ID"
            )


def stopped(patient: Patient) -> Iterator[Finding]:
    """Agents that somebody has stopped, and that may have been forgotten."""
    from serai.cli.archive import stopped_agents

    try:
        agents = stopped_agents(patient.place)
    except StorageFailed:  # `whole` tells
        return
    for agent in sorted(agents):
        yield Finding("note", "agent", f"agent `{agent}` is stopped", f"serai agent start {agent}")
