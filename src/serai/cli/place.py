"""The SERAI_HOME that a command works on, and its configuration."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from serai.cli.failure import Failed
from serai.cli.given import Given

if TYPE_CHECKING:
    from pathlib import Path

    from serai.config.layout import Layout
    from serai.config.load import Loaded
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot


class Place:
    """`chosen` is what `--home` said; without it SERAI_HOME counts.

    A plain class with text in it: dataclasses and pathlib would cost every `--help` a third of its time.
    """

    __slots__ = ("chosen",)

    def __init__(self, chosen: str | None = None) -> None:
        self.chosen = chosen

    @property
    def environment(self) -> Mapping[str, str]:
        from serai.config.environment import read

        return read()

    @property
    def home(self) -> "Path":
        from pathlib import Path

        from serai.config.environment import serai_home

        return Path(self.chosen).expanduser().absolute() if self.chosen else serai_home(self.environment)

    @property
    def layout(self) -> "Layout":
        from serai.config.layout import Layout

        return Layout(self.home)

    def load(self, environment: Mapping[str, str] | None = None) -> "Loaded":
        """The configuration as it is in the files now, with its problems; secrets come from `environment` too.

        Agents for which no model is configured get `local.AT_START`.
        """
        from serai.cli.frugal import import_log

        import_log()
        from serai.app import platforms, toolsets
        from serai.cli.local import AT_START
        from serai.config.load import LocalModel, load

        known = self.environment if environment is None else environment
        return load(self.home, known, platforms.Schemas(self.layout.plugins), toolsets.names(), LocalModel(AT_START))

    def snapshot(self) -> "Snapshot":
        """The configuration as the gateway would have it. Raises Failed, naming every problem, where it has none.

        Variables that are only missing in this environment are warned of.
        """
        loaded = self.load()
        if loaded.snapshot is not None:
            return loaded.snapshot
        given = self.load(Given(self.environment)).snapshot
        if given is None:
            raise Failed("\n".join(["The configuration has problems:", *map(str, loaded.problems)]))
        for problem in loaded.problems:
            click.echo(f"Warning: {problem}", err=True)
        return given

    def agent(self, snapshot: "Snapshot", agent: str) -> "AgentProfile":
        """A configured agent. Raises Failed for an unknown one."""
        from serai.cli.nearest import hint

        found = {str(profile.id): profile for profile in snapshot.agents.values()}
        if agent not in found:
            raise Failed(f"Agent `{agent}` not found{hint(agent, found)}.")
        return found[agent]

    def shown(self, path: "Path") -> str:
        """A path for people: below the user's own directory it starts with `~`."""
        user = self.environment.get("HOME", "")
        return f"~/{path.relative_to(user)}" if user and path.is_relative_to(user) else str(path)
