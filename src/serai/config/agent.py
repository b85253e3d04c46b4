"""The `agents` section: one group of settings per agent (SPEC 2.3, 2.4)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serai.config.environment import expanded
from serai.config.live import read_people
from serai.config.model import ENDPOINT_KEYS, ModelSettings, read_level
from serai.config.report import Place, shown
from serai.config.section import Section
from serai.config.tool import ToolSettings, read_tools
from serai.core.ids import MAIN, RESERVED, AgentId, is_agent_id

_KEYS: Final = (
    "home_dir",
    "model",
    *ENDPOINT_KEYS,
    "enabled_toolsets",
    "disabled_toolsets",
    "fallback",
    "max_turns",
    "allow",
    "cron_owner",
)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What the file says about one agent. `home_dir` is None where its home is the usual one; `written` is false for
    `main` where the file does not name it. `cron_owner` is None where the file does not say."""

    id: AgentId
    place: Place
    model: ModelSettings
    tools: ToolSettings
    home_dir: Path | None = None
    max_turns: int | None = None
    written: bool = True
    allow: frozenset[str] = frozenset()
    cron_owner: bool | None = None


def read_agents(
    section: Section, home: Path, environment: Mapping[str, str], toolsets: Collection[str]
) -> dict[AgentId, AgentSettings]:
    """All agents in the order of the file; `main` comes first where the file does not name it."""
    found: dict[AgentId, AgentSettings] = {}
    if MAIN not in section:
        found[MAIN] = _unnamed_main(section)
    for name in section:
        if _may_be_named(section, name):
            found[AgentId(name)] = _agent(section, AgentId(name), home, environment, toolsets)
    return found


def _unnamed_main(section: Section) -> AgentSettings:
    place = section.place.key(MAIN, None).about("agent", MAIN)
    return AgentSettings(MAIN, place, ModelSettings(place), ToolSettings(), written=False)


def _may_be_named(section: Section, name: str) -> bool:
    """A name that cannot be an agent's is the gateway's problem: there is no agent that it could disable."""
    if name in RESERVED:
        section.report.add(section.place_of(name), f"{shown(name)} is a reserved name")
        return False
    if not is_agent_id(name):
        section.report.add(
            section.place_of(name), "an agent's name has 1 to 64 letters, digits, `-` and `_`, nothing else"
        )
        return False
    return True


def _agent(
    agents: Section, name: AgentId, home: Path, environment: Mapping[str, str], toolsets: Collection[str]
) -> AgentSettings:
    place = agents.place_of(name).about("agent", name)
    section = Section(agents.node(name), place, agents.report, _KEYS)
    return AgentSettings(
        name,
        place,
        read_level(section, section.text("model")),
        read_tools(section, toolsets),
        _home_dir(section, home, environment),
        section.optional_number("max_turns"),
        allow=read_people(section, "allow", anybody=True),
        cron_owner=section.flag("cron_owner") if "cron_owner" in section else None,
    )


def _home_dir(section: Section, home: Path, environment: Mapping[str, str]) -> Path | None:
    text = section.text("home_dir")
    if text is None:
        return None
    try:
        return expanded(text, environment, home)
    except RuntimeError:
        section.report.add(section.place_of("home_dir"), f"there is no such user's home: {shown(text)}")
        return None
