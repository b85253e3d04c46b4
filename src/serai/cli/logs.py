"""`serai logs`: what the gateway has written down (SPEC 12, 15)."""

from typing import Any

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place
from serai.cli.suggest import agents

LEVELS = ("debug", "info", "warning", "error", "critical")


@click.command("logs")
@click.option("-n", "--lines", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", show_default=True, help="This grave or graver.")
@click.option("--agent", metavar="ID", shell_complete=agents, help="About this agent alone.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@json_option
@click.pass_obj
def logs(place: Place, lines: int, level: str, agent: str | None, follow: bool, as_json: bool) -> None:
    """Print the latest entries of the gateway's log. With --follow, --json prints one object a line."""
    from serai.cli.log_file import Wanted, following, latest

    file = place.layout.logs / "serai.log"
    wanted = Wanted(LEVELS[LEVELS.index(level) :], agent)
    found = latest(file, lines, wanted)
    if as_json and not follow:
        print_json(listing({"object": "log_entry", **entry} for entry in found))
        return
    if not found and not follow:
        click.echo("Nothing in the log" if file.exists() else "No log yet")
    for entry in found:
        _print(entry, as_json)
    if follow:
        for entry in following(file, wanted):
            _print(entry, as_json)


def _print(entry: dict[str, Any], as_json: bool) -> None:
    import json
    import sys

    from serai.cli.log_line import log_line

    if as_json:
        click.echo(json.dumps({"object": "log_entry", **entry}, ensure_ascii=False))
    else:
        click.echo(log_line(entry))
    sys.stdout.flush()
