"""`serai delivery retry` (SPEC 5.5, 12)."""

from typing import TYPE_CHECKING

import click

from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.delivery import Delivery
    from serai.ports.store import Store
    from serai.ports.store.archive import Archive


@click.command("retry")
@click.argument("delivery", metavar="ID")
@click.pass_obj
def retry(place: Place, delivery: str) -> None:
    """Send a delivery again whose outcome is unknown, or that was given up."""
    import time

    from serai.cli.archive import change
    from serai.cli.gateway import running
    from serai.core.ids import DeliveryId
    from serai.core.target import written

    async def again(store: "Store") -> "Delivery | None":
        return await store.retry(DeliveryId(delivery), time.time())

    found = change(place, again, None)
    if found is None:
        raise Failed(_refusal(place, delivery))
    when = "shortly" if running(place.layout.lock) else "when the gateway runs"
    click.echo(f"Delivery {delivery} to {written(found.target)} will be sent again {when}.")


def _refusal(place: Place, name: str) -> str:
    from serai.cli.archive import read
    from serai.core.ids import DeliveryId

    async def known(archive: "Archive") -> "Delivery | None":
        return await archive.delivery(DeliveryId(name))

    found = read(place, known, None)
    if found is None:
        return f"There is no delivery `{name}`."
    return f"Only deliveries that are `unknown` or `dead` are sent again; this one is `{found.state}`."
