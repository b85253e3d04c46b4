"""docs/cli.md has a section for every command, with exactly the options that the command has."""

import re

import click
import pytest

from serai.cli.catalogue import COMMANDS
from serai.cli.root import root
from serai.cli.supervisor import INTERRUPTED
from tests.docs.page import prose, read, rows, sections

TEXT = read("cli.md")
SECTIONS = {heading.replace("`", ""): text for heading, text in sections(TEXT).items()}
_EVERYWHERE = {"--help", "-h"}


def command_at(path: str) -> click.Command:
    found: click.Command = root
    with click.Context(root) as context:
        for name in path.split():
            assert isinstance(found, click.Group)
            below = found.get_command(context, name)
            assert below is not None, path
            found = below
    return found


def options(command: click.Command) -> set[str]:
    """The options' names, also of those that take several forms."""
    return {
        name for one in command.params if isinstance(one, click.Option) for name in (*one.opts, *one.secondary_opts)
    }


def documented(text: str) -> set[str]:
    """The options in the first column of a section's tables."""
    return {name.split()[0] for row in rows(text, "option") for name in row.names}


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_a_command_has_a_section_with_its_options_and_no_others(path: str) -> None:
    command = command_at(path)
    heading = next((title for title in SECTIONS if re.match(rf"serai {path}( [A-Z.\[]|$)", title)), None)
    assert heading is not None, f"there is no section `serai {path}`"
    arguments = [
        one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)
    ]
    assert heading == " ".join(["serai", path, *arguments])
    assert documented(SECTIONS[heading]) == options(command) - _EVERYWHERE


def test_no_section_is_about_a_command_that_does_not_exist() -> None:
    for title in SECTIONS:
        if title.startswith("serai "):
            words = [word for word in title.split()[1:] if word.islower()]
            assert " ".join(words) in COMMANDS, title


def test_the_global_options_are_told() -> None:
    assert documented(SECTIONS["Everywhere"]) == options(root) | _EVERYWHERE


def test_the_exit_codes_are_told() -> None:
    told = {int(row.names[0]) for row in rows(TEXT, "code")}
    assert told == {0, 1, 2, INTERRUPTED}


def test_no_page_names_a_command_that_does_not_exist() -> None:
    groups = {path.split()[0] for path in COMMANDS if " " in path}
    for first, second in re.findall(r"`serai ([a-z]+)(?: ([a-z]+))?", prose(TEXT)):
        if first in groups and second:
            assert f"{first} {second}" in COMMANDS
        else:
            assert first in groups or first in COMMANDS
