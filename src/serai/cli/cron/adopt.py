"""`serai cron adopt` (SPEC 9.1)."""

import click

from serai.cli.place import Place
from serai.cli.suggest import agents


@click.command("adopt")
@click.argument("agent", metavar="AGENT", shell_complete=agents)
@click.pass_obj
def adopt(place: Place, agent: str) -> None:
    """Take over an agent's jobs that another gateway's database schedules.

    From then on this home's gateway runs them, and the other one does not any more.
    """
    from serai.cli.cron.open_book import open_book

    profile = place.agent(place.snapshot(), agent)
    opened = open_book(place)
    opened.adopt(agent)
    count = len(opened.jobs(agent))
    when = "from now on" if opened.runs_jobs else "as soon as it starts (`serai up`)"
    click.echo(f"This home's gateway runs the jobs in {place.shown(profile.cron)} ({count}) {when}.")
