"""Click groups whose commands are loaded when they are called."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from serai.cli.catalogue import COMMANDS, GROUPS, names
from serai.cli.nearest import hint
from serai.cli.overview import HELP_OPTIONS, overview
from serai.cli.supervisor import supervise

_SETTINGS = {"help_option_names": [*HELP_OPTIONS], "terminal_width": 80}
"""The width is given, because to find it out would be a tenth of what help costs."""


class LazyGroup(click.Group):
    """A group of the catalogue. `path` is "" for `serai` itself."""

    def __init__(self, name: str | None = None, *, path: str = "", **settings: Any) -> None:
        super().__init__(name, context_settings={**_SETTINGS}, **settings)
        self.path = path

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(names(self.path))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        path = f"{self.path} {cmd_name}".lstrip()
        if path in GROUPS:
            return LazyGroup(cmd_name, path=path)
        if path not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[path][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = names(self.path)
        if args[0] in known or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"There is no command `{args[0]}`{hint(args[0], known)}.", ctx)

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002 - click's
        return overview(self.path).rstrip("\n")


class Root(LazyGroup):
    """`serai` itself: whatever goes wrong below it ends in a sentence and an exit code."""

    def run(self, arguments: Sequence[str]) -> int:
        """Runs one command line and returns its exit code."""
        return supervise(lambda: super(Root, self).main(list(arguments), prog_name="serai", standalone_mode=False))

    def main(self, args: Any = None, *_: Any, **__: Any) -> Any:
        """Runs one command line and leaves by SystemExit, as click's does."""
        sys.exit(self.run(sys.argv[1:] if args is None else args))
