"""The command `serai`: global options, and everything else by name."""

import click

from serai import __version__
from serai.cli.lazy import Root
from serai.cli.place import Place


@click.command("serai", cls=Root)
@click.option("--home", type=click.Path(file_okay=False), help="SERAI_HOME for this command.")
@click.version_option(__version__, prog_name="serai", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context, home: str | None) -> None:
    """One gateway process that hosts many isolated AI agents."""
    ctx.obj = Place(home)
