"""Help is complete, and quick because it loads next to nothing."""

import subprocess
import sys

import click
import pytest

from serai.cli.catalogue import COMMANDS, GROUPS
from serai.cli.overview import overview, overview_asked
from serai.cli.root import root
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_S

HEAVY = {"aiohttp", "asyncio", "json", "pathlib", "prompt_toolkit", "pydantic", "rich", "yaml"}


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules that a command line leaves behind, in a process of its own."""
    code = (
        "import sys; from serai.cli import main; code = main(); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert done.stdout.startswith("Usage: serai")
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_of_serai_lists_every_command_and_global_option(serai: Terminal) -> None:
    said = serai("--help")
    assert said.code == 0
    for word in ("up", "ask", "status", *GROUPS, "--home", "--version"):
        assert f"  {word}" in said.out


@pytest.mark.parametrize("path", ["", *GROUPS])
def test_help_is_the_same_whether_click_is_loaded_or_not(path: str, serai: Terminal) -> None:
    assert overview_asked([*path.split(), "--help"]) == path
    assert serai(*path.split(), "--help").out == overview(path)


def test_help_of_groups_loads_not_even_click() -> None:
    assert not loaded_by("--help") & {*HEAVY, "click", "dataclasses"}
    assert not loaded_by("agent", "-h") & {*HEAVY, "click", "dataclasses"}


@pytest.mark.parametrize(
    "path",
    [
        "agent add",
        "ask",
        "chat",
        "doctor",
        "logs",
        "route test",
        "setup",
        "up",
        "cron list",
        "cron add",
        "cron edit",
        "status",
        "session show",
        "usage",
    ],
)
def test_help_of_a_command_loads_click_and_little_more(path: str) -> None:
    assert not loaded_by(*path.split(), "--help") & HEAVY


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_of_the_catalogue_exists_under_its_name_and_explains_itself(path: str, serai: Terminal) -> None:
    context = click.Context(root)
    command: click.Command | None = root
    for word in path.split():
        assert isinstance(command, click.Group)
        command = command.get_command(context, word)
    assert command is not None
    assert command.name == path.split()[-1]
    said = serai(*path.split(), "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: serai {path} ")
    assert max(map(len, said.out.splitlines())) <= 80


def test_help_fits_into_80_columns() -> None:
    for path in ("", *GROUPS):
        assert max(map(len, overview(path).splitlines())) <= 80
