"""The fields of a job as options of commands (SPEC 9.2)."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from serai.cli.suggest import agents, jobs

F = TypeVar("F", bound=Callable[..., Any])

agent_option = click.option("--agent", metavar="ID", shell_complete=agents, help="Whose job it is.")
job_argument = click.argument("job", metavar="ID", shell_complete=jobs)

_FIELDS = (
    click.option("--schedule", metavar="S", help="`30m`, `every 2h`, `0 9 * * 1-5` or 2026-12-24T18:00."),
    click.option("--prompt", metavar="TEXT", help="What the agent is asked; `-` reads it from standard input."),
    click.option("--name", metavar="TEXT", help="How people call it."),
    click.option("--deliver", metavar="TARGET", multiple=True, help="Where its answer goes; may be repeated."),
    click.option("--timezone", metavar="NAME", help="Of its schedule  [the configuration's]"),
    click.option("--repeat", metavar="N", type=click.IntRange(1), help="How many times it runs  [without end]"),
    click.option("--once", is_flag=True, help="The same as --repeat 1."),
    click.option("--model", metavar="NAME", help="Another model than the agent's."),
    click.option("--skill", "skills", metavar="NAME", multiple=True, help="A skill it is given; may be repeated."),
    click.option("--toolsets", metavar="A,B", help="Only these of the agent's toolsets; a blank text is no tools."),
    click.option("--script", metavar="FILE", help="Runs first: a file in the agent's cron/scripts."),
    click.option("--no-agent/--with-agent", "no_agent", default=None, help="The script's output is the answer."),
    click.option("--context-from", metavar="ID", multiple=True, help="A job whose last output it is given."),
    click.option("--workdir", metavar="PATH", help="Where the script works; inside of the agent's home."),
    click.option("--silent-ok/--not-silent", "silent_ok", default=None, help="Whether it may say nothing  [it may]"),
)


def fields(command: F) -> F:
    """Gives a command all options of a job."""
    for option in reversed(_FIELDS):
        command = option(command)
    return command


def given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the options, as fields of a job. `prompt` is read where it is `-`."""
    found = {name: value for name, value in settings.items() if value is not None and value != ()}
    if found.pop("once", False):
        found["repeat"] = 1
    if "toolsets" in found:
        names = found.pop("toolsets").split(",")
        found["enabled_toolsets"] = [name.strip() for name in names if name.strip()]
    if found.get("prompt") == "-":
        import sys

        found["prompt"] = sys.stdin.buffer.read().decode(errors="replace").rstrip("\n")
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
