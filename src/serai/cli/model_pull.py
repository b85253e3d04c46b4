"""`serai model pull`: the embedded model's weights (SPEC 7.2, 12)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from serai.cli.place import Place

Progress = Callable[[int, int], None]


@click.command("pull")
@click.pass_obj
def pull(place: Place) -> None:
    """Fetch the weights of the embedded model, some 100 MB, into SERAI_HOME. Those that are there stay."""
    fetch(place)


def fetch(place: Place) -> None:
    """As the command. Raises WeightsError, Startup."""
    from serai.config.layout import prepare
    from serai.models import weights

    layout = place.layout
    prepare(layout)
    with _progress() as progress:
        path = weights.pull(layout.home, progress)
    click.echo(f"The embedded model's weights are in {place.shown(path)}")


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal's stderr; silence elsewhere."""
    import sys

    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Fetching the embedded model"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("weights", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
