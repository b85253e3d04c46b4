"""`serai delivery list|retry`: what was or will be sent (SPEC 5.5, 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.delivery import Delivery, DeliveryState
    from serai.ports.store import Store
    from serai.ports.store.archive import Archive

STATES = ("open", "new", "sending", "sent", "unknown", "dead")
HEADS = ("id", "state", "agent", "to", "tries", "created", "error")


@click.command("list")
@click.option("--state", type=click.Choice(STATES), help="In this state alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--before", metavar="NEXT", help="Go on after a list whose `next` was this.")
@json_option
@click.pass_obj
def list_deliveries(place: Place, state: str | None, limit: int, before: str | None, as_json: bool) -> None:
    """List what was or will be sent, the latest first. `unknown` ones may have arrived and are held."""
    from serai.cli.archive import read
    from serai.cli.view import delivery_document
    from serai.core.ids import DeliveryId
    from serai.ports.store.archive import DeliveryFilter

    async def latest(archive: "Archive") -> "Sequence[Delivery]":
        wanted = DeliveryFilter(state=cast("DeliveryState | None", state))
        return await archive.deliveries(wanted, limit=limit + 1, before=DeliveryId(before) if before else None)

    found = read(place, latest, ())
    rows = found[:limit]
    after = rows[-1].id if len(found) > limit else None
    if as_json:
        print_json(listing(map(delivery_document, rows), after=after))
    elif rows:
        _print_deliveries(rows)
    else:
        click.echo("No deliveries" if state or before else "No deliveries yet")
    if after and not as_json:
        click.echo(f"There are more: serai delivery list --before {after}", err=True)


@click.command("retry")
@click.argument("delivery", metavar="ID")
@click.pass_obj
def retry(place: Place, delivery: str) -> None:
    """Send a delivery again whose outcome is unknown, or that was given up."""
    import time

    from serai.cli.archive import change
    from serai.cli.gateway import running
    from serai.core.ids import DeliveryId

    async def again(store: "Store") -> "Delivery | None":
        return await store.retry(DeliveryId(delivery), time.time())

    found = change(place, again, None)
    if found is None:
        raise Failed(f"There is no delivery `{delivery}` whose state is unknown or dead.")
    when = "shortly" if running(place.layout.lock) else "when the gateway runs"
    click.echo(f"Delivery {delivery} to {_to(found)} will be sent again {when}.")


def _print_deliveries(deliveries: "Sequence[Delivery]") -> None:
    import time

    from serai.cli.moment import ago
    from serai.cli.table import print_table

    now = time.time()
    rows = [
        (one.id, one.state, one.agent, _to(one), str(one.attempt), ago(one.created_at, now), one.error or "")
        for one in deliveries
    ]
    print_table(HEADS, rows, right=("tries",), whole=("id", "state", "agent"))


def _to(delivery: "Delivery") -> str:
    from serai.core.target import written

    return written(delivery.target)
