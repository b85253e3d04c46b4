"""`serai delivery list` (SPEC 5.5, 12)."""

from typing import TYPE_CHECKING, cast

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serai.core.delivery import Delivery, DeliveryState
    from serai.ports.store.archive import Archive

STATES = ("open", "new", "sending", "sent", "unknown", "dead")


@click.command("list")
@click.option("--state", type=click.Choice(STATES), help="In this state alone.")
@click.option("--agent", metavar="ID", shell_complete=agents, help="Of this agent alone.")
@click.option("--platform", metavar="NAME", help="Through accounts of this platform alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--before", metavar="NEXT", help="Go on after a list whose `next` was this.")
@json_option
@click.pass_obj
def list_deliveries(place: Place, /, limit: int, before: str | None, as_json: bool, **chosen: str | None) -> None:
    """List what was or will be sent, the latest first. `unknown` ones may have arrived and are held."""
    from serai.cli.view import delivery_document

    filters = {name: value for name, value in chosen.items() if value is not None}
    found = _found(place, filters, limit + 1, before)
    rows = found[:limit]
    after = rows[-1].id if len(found) > limit else None
    if as_json:
        print_json(listing(map(delivery_document, rows), after=after))
        return
    if rows:
        from serai.cli.delivery.draw import print_deliveries

        print_deliveries(rows)
    else:
        click.echo("No deliveries" if filters or before else "No deliveries yet")
    if after:
        click.echo(f"There are more: {_again(filters, limit, after)}", err=True)


def _found(place: Place, filters: "Mapping[str, str]", limit: int, before: str | None) -> "Sequence[Delivery]":
    """Raises Failed where `before` is no delivery: nothing would seem to be there."""
    from serai.cli.archive import read
    from serai.core.ids import AgentId, DeliveryId
    from serai.ports.store.archive import DeliveryFilter

    agent = filters.get("agent")
    wanted = DeliveryFilter(
        AgentId(agent) if agent is not None else None,
        filters["platform"].lower() if "platform" in filters else None,
        cast("DeliveryState | None", filters.get("state")),
    )

    async def latest(archive: "Archive") -> "Sequence[Delivery]":
        if before is not None and await archive.delivery(DeliveryId(before)) is None:
            raise Failed(f"There is no delivery `{before}`; --before takes what an earlier list has told.")
        return await archive.deliveries(wanted, limit=limit, before=DeliveryId(before) if before else None)

    return read(place, latest, ())


def _again(filters: "Mapping[str, str]", limit: int, after: str) -> str:
    """The command that lists what comes behind."""
    from shlex import quote

    usual = next(one.default for one in list_deliveries.params if one.name == "limit")
    options = {**filters, **({} if limit == usual else {"limit": str(limit)}), "before": after}
    return " ".join(["serai delivery list", *(f"--{name} {quote(value)}" for name, value in options.items())])
