"""Where each agent lives, and who shares a home with whom (SPEC 2.2)."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from serai.config.agent import AgentSettings
from serai.config.layout import Layout
from serai.config.report import Report, shown
from serai.core.ids import AgentId


def settle(
    layout: Layout, agents: Mapping[AgentId, AgentSettings], report: Report, notices: list[str]
) -> tuple[dict[AgentId, Path], frozenset[AgentId]]:
    """Every agent's home, and the agents that may not live in theirs, because others do.

    Two may share one only where both name it; that is told in `notices`.
    """
    homes = {one.id: one.home_dir or layout.agent_home(one.id) for one in agents.values()}
    tenants: dict[str, list[AgentSettings]] = {}
    for one in agents.values():
        tenants.setdefault(real(homes[one.id]), []).append(one)
    shared = (group for group in tenants.values() if len(group) > 1)
    stopped = [one.id for group in shared for one in _judge(group, homes, report, notices)]
    return homes, frozenset(stopped)


def real(directory: Path) -> str:
    """A directory's one name, also through links. The file systems of macOS do not tell `Ops` from `ops`."""
    path = os.path.realpath(directory)
    return path.casefold() if sys.platform == "darwin" else path


def _judge(
    group: list[AgentSettings], homes: Mapping[AgentId, Path], report: Report, notices: list[str]
) -> list[AgentSettings]:
    naming = [one for one in group if one.home_dir is not None]
    if len(naming) == len(group):
        notices.append(f"the agents {listed(one.id for one in group)} share the home {homes[group[0].id]}")
        return []
    # An agent in its usual home has done nothing to share it, so those that name it are stopped.
    stopped = naming or group
    for one in stopped:
        others = listed(other.id for other in group if other.id != one.id)
        place = one.place.key("home_dir", one.place.line) if naming else one.place
        report.add(
            place, f"this is also the home of {others}; agents share a home only where each names it in home_dir"
        )
    return stopped


def listed(ids: Iterable[AgentId]) -> str:
    """`one`, `two`."""
    return ", ".join(map(shown, ids))
