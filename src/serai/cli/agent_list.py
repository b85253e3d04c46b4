"""`serai agent list` (SPEC 12.1)."""

from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.written import WrittenModels
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot

HEADS = ("id", "model", "routes", "home", "state")


@click.command("list")
@json_option
@click.pass_obj
def list_agents(place: Place, as_json: bool) -> None:
    """List the agents. The default one answers what no route sends elsewhere."""
    from serai.cli.archive import stopped_agents
    from serai.cli.view import agent_document
    from serai.cli.written import WrittenModels

    snapshot = place.snapshot().with_stopped(stopped_agents(place))
    models = WrittenModels(place.layout.config)
    if as_json:
        profiles = snapshot.agents.values()
        print_json(listing(agent_document(profile, snapshot, models.of(profile)) for profile in profiles))
    elif snapshot.explicit_agents:
        _print_agents(place, snapshot, models)
    else:
        click.echo("No agents configured: `main` answers everything. Add one with `serai agent add ID`.")


def _print_agents(place: Place, snapshot: "Snapshot", models: "WrittenModels") -> None:
    from collections import Counter

    from serai.cli.local import AT_START
    from serai.cli.table import print_table

    routes = Counter(route.agent for route in snapshot.routes.routes)
    rows = [
        (
            profile.id,
            models.of(profile)["name"] or AT_START.name,
            str(routes[profile.id]),
            place.shown(profile.home),
            _marks(profile, snapshot),
        )
        for profile in snapshot.agents.values()
    ]
    print_table(HEADS, rows, right=("routes",), whole=("id",))


def _marks(profile: "AgentProfile", snapshot: "Snapshot") -> str:
    from serai.core.snapshot import stopped_text

    stopped = profile.refusal == stopped_text(profile.id)
    marks = {
        "default": profile.id == snapshot.default_agent,
        "stopped": stopped,
        "refused": profile.refusal is not None and not stopped,
    }
    return ", ".join(mark for mark, holds in marks.items() if holds)
