"""Which toolsets the gateway and its agents enable (SPEC 7.4)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from serai.config.section import Section

TOOL_KEYS: Final = ("enabled_toolsets", "disabled_toolsets")

ON_REQUEST: Final = frozenset({"cron"})
"""Toolsets that agents have only where they are named: with them an agent acts without being asked."""


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """One level's lists. `enabled` is None where the level does not say."""

    enabled: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()

    def over(self, inherited: frozenset[str]) -> frozenset[str]:
        """The toolsets of this level: its own list instead of the inherited one, less what it disables."""
        if self.enabled is None and not self.disabled:
            return inherited
        return (inherited if self.enabled is None else frozenset(self.enabled)).difference(self.disabled)


def usual(toolsets: Collection[str]) -> frozenset[str]:
    """What agents have where nothing is said, of the toolsets that exist."""
    return frozenset(toolsets) - ON_REQUEST


def read_tools(section: Section, toolsets: Collection[str]) -> ToolSettings:
    """The two lists of a section whose keys were checked before; an unknown toolset is a problem."""
    return ToolSettings(
        section.names("enabled_toolsets", toolsets, "toolset"),
        section.names("disabled_toolsets", toolsets, "toolset") or (),
    )
