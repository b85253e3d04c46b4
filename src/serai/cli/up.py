"""`serai up`: the gateway (SPEC 2.1, 12)."""

import sys
from typing import TYPE_CHECKING

import click

from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.app.log import Line
    from serai.app.up import Running


@click.command("up")
@click.option("--home", type=click.Path(file_okay=False), help="SERAI_HOME, as before the command.")
@click.option("--host", metavar="ADDRESS", help="Listen here instead of where config.yaml says.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one.")
@click.option("--starter", is_flag=True, help="Where there is no config.yaml yet, begin with two example agents.")
@click.pass_obj
def up(place: Place, home: str | None, host: str | None, port: int | None, starter: bool) -> None:
    """Run the gateway until Ctrl-C."""
    from serai.cli.frugal import gateway

    chosen = Place(home) if home else place
    if starter:
        _begin(chosen)

    def announce(running: "Running") -> None:
        print_running(chosen, running)

    line = _line() if sys.stderr.isatty() else None
    gateway().main(
        chosen.home, chosen.environment, announce, stopping=_print_stopping, line=line, host=host, port=port
    )


def _begin(place: Place) -> None:
    from serai.app.first_home import begin

    if begin(place.layout):
        click.echo(f"Two example agents are in {place.shown(place.home)}; their personas are yours to edit.")


def _line() -> "Line":
    from serai.cli.log_line import log_line

    return log_line


def _print_stopping(turns: int) -> None:
    if turns:
        running, goes_on = ("One turn has", "goes on") if turns == 1 else (f"{turns} turns have", "go on")
        click.echo(
            f"{running} 10 seconds to end, or {goes_on} at the next start. Ctrl-C again stops at once.", err=True
        )


def print_running(place: Place, running: "Running") -> None:
    from serai.cli.invoked import invoked
    from serai.cli.table import print_fields

    snapshot = running.snapshot
    marks = {snapshot.default_agent: " (default)"}
    able = [f"{agent}{marks.get(agent, '')}" for agent, one in snapshot.agents.items() if one.refusal is None]
    click.echo(f"Serai is up at {running.url}")
    print_fields(
        [
            ("  home", place.shown(snapshot.home)),
            ("  agents", ", ".join(able) or "none that can answer"),
            ("  open", f"{running.url}/"),
            ("  OpenAI clients", f"base URL {running.url}/v1, the agent's name as the model"),
            ("  try", f'{invoked()} ask "What can you do?"'),
        ]
    )
    if running.demo:
        click.echo("  This is a demo model: small, local, without tools. Set `model` in config.yaml for a real one.")
    used = (one for agent, one in snapshot.agents.items() if agent not in snapshot.unused_agents)
    for notice in (*running.notices, *(one.refusal for one in used if one.refusal)):
        click.echo(f"  Note: {notice}", err=True)
    sys.stdout.flush()
