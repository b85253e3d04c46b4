"""Asking plugins (SPEC 8)."""

from dataclasses import dataclass
from typing import Protocol

from serai.core.source import Source


@dataclass(frozen=True, slots=True)
class Choice:
    """A plugin's choice of an agent."""

    agent: str
    plugin: str


class Hooks(Protocol):
    """The enabled plugins, asked in their configured order. A hook that raises or overruns is logged and skipped."""

    @property
    def selects_agents(self) -> bool:
        """Whether any plugin implements `select_agent`, so that nobody waits for nothing."""
        ...

    async def select_agent(self, source: Source, route_match: str | None) -> Choice | None:
        """The first non-blank text, trimmed, or None (SPEC 4.4)."""
        ...
