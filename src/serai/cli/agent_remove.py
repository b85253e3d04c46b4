"""`serai agent remove` (SPEC 12.1)."""

import click

from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import agents


@click.command("remove")
@click.argument("agent", metavar="ID", shell_complete=agents)
@click.option("--yes", is_flag=True, help="Remove the routes to it too.")
@click.pass_obj
def remove(place: Place, agent: str, yes: bool) -> None:
    """Remove an agent from the configuration. Its home stays."""
    from serai.cli.change import change
    from serai.cli.route_text import match_text
    from serai.core.ids import MAIN

    if agent == MAIN:
        raise Failed("Cannot remove `main`: it always exists.")
    snapshot = place.snapshot()
    profile = place.agent(snapshot, agent)
    if agent == snapshot.default_agent:
        raise Failed(f"Cannot remove `{agent}`: it is the default agent. Set `default_agent` to another one first.")
    routes = [route for route in snapshot.routes.routes if route.agent == agent]
    if routes and not yes:
        listed = "\n".join(f"  {route.number}  {match_text(route)}" for route in routes)
        click.echo(f"Warning: {_count(len(routes))} to `{agent}` would go with it:\n{listed}", err=True)
        raise Failed(f"Agent `{agent}` was not removed. Use --yes to remove it and its routes.")
    change(place, lambda file: file.remove_agent(agent, with_routes=yes))
    click.echo(f"Removed agent `{agent}`{f' and {_count(len(routes))}' if routes else ''}.")
    click.echo(f"Its home stays: {place.shown(profile.home)}")


def _count(routes: int) -> str:
    return "1 route" if routes == 1 else f"{routes} routes"
