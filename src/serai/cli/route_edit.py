"""`serai route add|remove` (SPEC 4.6, 16.5)."""

from collections.abc import Sequence

import click

from serai.cli.failure import Failed
from serai.cli.nearest import hint
from serai.cli.place import Place
from serai.cli.suggest import agents


@click.command("add")
@click.option("--agent", required=True, metavar="ID", shell_complete=agents, help="Who answers.")
@click.option("--inherit-threads", is_flag=True, help="Match the threads of the chat too.")
@click.argument("conditions", metavar="KEY=VALUE...", nargs=-1, required=True)
@click.pass_obj
def add(place: Place, agent: str, inherit_threads: bool, conditions: tuple[str, ...]) -> None:
    """Add a route after the others, such as `platform=discord chat_id=100`.

    All keys must hold; a key that is given twice takes either value.
    """
    from serai.cli.change import change

    match = _match(conditions)
    place.agent(place.snapshot(), agent)
    snapshot = change(place, lambda file: file.add_route(agent, match, inherit_threads=inherit_threads))
    click.echo(f"Added route {len(snapshot.routes.routes)} to `{agent}`: {' '.join(conditions)}")


@click.command("remove")
@click.argument("number", metavar="N", type=int)
@click.pass_obj
def remove(place: Place, number: int) -> None:
    """Remove a route by its number in `serai route list`."""
    from serai.cli.change import change
    from serai.cli.route_text import match_text

    routes = place.snapshot().routes.routes
    if not 1 <= number <= len(routes):
        raise Failed(f"Route {number} not found: {f'the last one is {len(routes)}' if routes else 'there are none'}.")
    change(place, lambda file: file.remove_route(number))
    gone = routes[number - 1]
    click.echo(f"Removed route {number} to `{gone.agent}`: {match_text(gone)}")


def _match(conditions: Sequence[str]) -> dict[str, str | list[str]]:
    """The conditions as a match. Raises Failed for an unknown key or a blank value."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        key, sign, value = condition.partition("=")
        if not sign:
            raise click.UsageError(f"`{condition}` is no condition: write KEY=VALUE, such as chat_id=100.")
        _check(key, value)
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _check(key: str, value: str) -> None:
    from serai.core.route import MATCH_KEYS

    if key not in MATCH_KEYS:
        raise Failed(f"`{key}` is no match key{hint(key, MATCH_KEYS)}. The keys are {', '.join(MATCH_KEYS)}.")
    if not value.strip():
        raise Failed(f"The value of `{key}` is blank: a route matches exact values only.")
