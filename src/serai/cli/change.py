"""Edits of config.yaml that are taken back where they would break it (SPEC 2.4, 12.2)."""

from collections.abc import Callable
from pathlib import Path

import click

from serai.cli.failure import Failed
from serai.cli.gateway import is_running
from serai.cli.given import Given
from serai.cli.place import Place
from serai.config.edit import ConfigFile
from serai.config.layout import prepare
from serai.config.replace import locked, write
from serai.core.snapshot import Problem, Snapshot


def change(place: Place, edit: Callable[[ConfigFile], object]) -> Snapshot:
    """Edits the file and returns the configuration that results. `place.snapshot` has shown that there is one before.

    A problem that came with the edit takes it back and raises Failed. Where what is missing may still be given
    elsewhere (a variable's value, an endpoint for a model's name), it is only warned of; the agent is refused until
    then. Raises EditError as the edit does.
    """
    layout = place.layout
    prepare(layout)
    old = _content(layout.config)
    before = place.load()
    edit(ConfigFile(layout.config))
    new = _content(layout.config)
    after = place.load()
    known = {problem.path for problem in before.problems}
    made = [problem for problem in after.problems if problem.path not in known]
    given = place.load(Given(place.environment))
    lasting = {(problem.path, problem.text) for problem in given.problems}
    grave = [one for one in made if (one.path, one.text) in lasting and not _incomplete(one)]
    if given.snapshot is None or grave:
        _take_back(layout.config, old, new)
        raise Failed("\n".join(["Nothing was changed, because this would be wrong:", *map(str, grave or made)]))
    for problem in made:
        click.echo(f"Warning: {problem}", err=True)
    if is_running(layout.lock):
        click.echo(_when(made), err=True)
    return after.snapshot or given.snapshot


def _when(missing: list[Problem]) -> str:
    """When the running gateway has the change: it takes over nothing that has problems."""
    if missing:
        return "The running gateway takes this over as soon as nothing is missing."
    return "The running gateway takes this over within three seconds."


def _incomplete(problem: Problem) -> bool:
    """Whether an agent as a whole lacks something, so that no single setting of it is wrong."""
    group, _, rest = problem.path.partition(".")
    return problem.scope == "agent" and group == "agents" and "." not in rest


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _take_back(path: Path, old: bytes | None, new: bytes | None) -> None:
    """Puts the old content back, unless somebody else has edited the file since."""
    file = path.resolve()
    with locked(file.parent):
        if _content(file) != new:
            raise Failed(f"{path} was changed by another program just now. `serai config check` tells what is wrong.")
        if old is None:
            file.unlink()
        else:
            write(file, old)
