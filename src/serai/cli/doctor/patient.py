"""What the checks look at; everything is read once, when the first check asks for it."""

from collections.abc import Iterator
from functools import cached_property
from shlex import quote
from typing import TYPE_CHECKING, Any

from serai.cli.failure import Failed
from serai.cli.gateway import Gateway, running
from serai.cli.place import Place

if TYPE_CHECKING:
    from pathlib import Path

    from serai.config.layout import Layout
    from serai.config.load import Loaded
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot


class Patient:
    """A home as it is now. `now` is in seconds since the epoch."""

    def __init__(self, place: Place, now: float) -> None:
        self.place = place
        self.now = now

    @property
    def layout(self) -> "Layout":
        return self.place.layout

    @cached_property
    def loaded(self) -> "Loaded":
        return self.place.load()

    @property
    def snapshot(self) -> "Snapshot | None":
        return self.loaded.snapshot

    def agents(self) -> "Iterator[AgentProfile]":
        """Those that can answer, and are used."""
        snapshot = self.snapshot
        if snapshot is not None:
            for agent, profile in snapshot.agents.items():
                if profile.refusal is None and agent not in snapshot.unused_agents:
                    yield profile

    @cached_property
    def gateway(self) -> Gateway | None:
        """The running gateway; None also while one is starting."""
        try:
            return running(self.layout.lock)
        except Failed:
            return None

    @cached_property
    def ready(self) -> dict[str, Any] | None:
        """What the running gateway says of itself; None where it does not answer."""
        if self.gateway is None:
            return None
        try:
            _, document = self.gateway.ask("GET", "/ready")
        except Failed:
            return None
        return document if isinstance(document, dict) else None

    def shown(self, path: "Path") -> str:
        return self.place.shown(path)


def edit(path: "Path", line: int | None = None) -> str:
    """The command that opens a file."""
    at = f"+{line} " if line else ""
    return f"${{EDITOR:-vi}} {at}{quote(str(path))}"
