"""`serai route list` (SPEC 4.6)."""

from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.route import Route

HEADS = ("#", "agent", "match", "line")


@click.command("list")
@json_option
@click.pass_obj
def list_routes(place: Place, as_json: bool) -> None:
    """List the routes in the order in which they are tried; the first that matches wins."""
    from serai.cli.view import route_document

    snapshot = place.snapshot()
    routes = snapshot.routes.routes
    if as_json:
        print_json(listing(map(route_document, routes)))
    elif routes:
        _print_routes(routes)
    else:
        click.echo(f"No routes: `{snapshot.default_agent}` answers everything.")


def _print_routes(routes: "tuple[Route, ...]") -> None:
    from serai.cli.route_text import match_text
    from serai.cli.table import print_table

    rows = [(str(route.number), route.agent, match_text(route), str(route.line or "")) for route in routes]
    print_table(HEADS, rows, right=("#", "line"), whole=("agent",))
