"""config.yaml as a whole: every key that exists, and its settings as values (SPEC 2.3, 16.1).

The order of the top-level keys here is the order of the reference; a key that is not built yet is an unknown key.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from serai.config.account import AccountSection, Extensible, read_accounts
from serai.config.agent import AgentSettings, read_agents
from serai.config.api import ApiSection, read_api
from serai.config.cron import read_cron
from serai.config.model import ModelSettings, read_model
from serai.config.report import shown
from serai.config.route import read_routes
from serai.config.section import Section
from serai.config.session import read_sessions
from serai.config.tool import TOOL_KEYS, ToolSettings, read_tools
from serai.config.value import is_variable
from serai.core.cron import CronPolicy
from serai.core.ids import MAIN, Account, AgentId
from serai.core.lane import LanePolicy
from serai.core.live import LivePolicy
from serai.core.reset import ResetPolicy
from serai.core.route import Route
from serai.core.snapshot import OnUnknown

if TYPE_CHECKING:
    from pydantic import BaseModel

TOP_KEYS: Final = (
    "model",
    "agents",
    "routes",
    "default_agent",
    "platforms",
    "api_server",
    "sessions",
    "identities",
    "admins",
    "display",
    "cron",
    "tools",
    "plugins",
    "delivery",
    "engine",
    "logging",
    "retention",
    "shared_secrets",
)
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the file's names are checked against, and where its paths begin."""

    home: Path
    environment: Mapping[str, str]
    platforms: "Mapping[str, type[BaseModel]]"
    toolsets: Collection[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that config.yaml says, with its places, before secrets and endpoints are looked up."""

    model: ModelSettings
    agents: Mapping[AgentId, AgentSettings]
    explicit_agents: bool
    routes: tuple[Route, ...]
    default_agent: AgentId
    accounts: Mapping[Account, AccountSection]
    api: ApiSection
    lanes: LanePolicy
    reset: ResetPolicy
    live: LivePolicy
    cron: CronPolicy
    tools: ToolSettings
    plugins: tuple[str, ...]
    on_unknown: OnUnknown
    max_turns: int
    log_level: LogLevel
    dedupe_days: int
    step_days: int
    shared_secrets: frozenset[str]

    @property
    def unused_agents(self) -> frozenset[AgentId]:
        """`main`, where the file neither names it nor leads anybody to it: it exists all the same (SPEC 2.4)."""
        led_to = {self.default_agent, *(route.agent for route in self.routes)}
        return frozenset(one.id for one in self.agents.values() if not one.written and one.id not in led_to)


def read_settings(root: Section, around: Surroundings) -> Settings:
    """All sections, all problems. A key with a problem has its default in the result."""
    root.refuse_unknown(TOP_KEYS)
    named = root.section("agents")
    agents = read_agents(named, around.home, around.environment, around.toolsets)
    lanes, reset, live = read_sessions(root)
    plugins, platforms = _plugins(root), around.platforms
    if plugins and isinstance(platforms, Extensible):
        platforms = platforms.having(plugins)
    accounts = read_accounts(root, platforms)
    _refuse_open_lane(root, lanes, accounts)
    retention = root.section("retention", ("dedupe_days", "step_days"))
    return Settings(
        model=read_model(root.node("model"), root.place_of("model"), root.report),
        agents=agents,
        explicit_agents=bool(list(named)),
        routes=read_routes(root, agents),
        default_agent=_default_agent(root, agents),
        accounts=accounts,
        api=read_api(root, agents),
        lanes=lanes,
        reset=reset,
        live=live,
        cron=read_cron(root, around.environment),
        tools=read_tools(root.section("tools", TOOL_KEYS), around.toolsets),
        plugins=plugins,
        on_unknown=root.section("delivery", ("on_unknown",)).choice("on_unknown", get_args(OnUnknown), "hold"),
        max_turns=root.section("engine", ("max_turns",)).number("max_turns", 1000),
        log_level=root.section("logging", ("level",)).choice("level", get_args(LogLevel), "info"),
        dedupe_days=retention.number("dedupe_days", 30),
        step_days=retention.number("step_days", 7),
        shared_secrets=_shared(root),
    )


def _default_agent(root: Section, agents: Mapping[AgentId, object]) -> AgentId:
    name = root.word("default_agent")
    if name is None or name in agents:
        return AgentId(name or MAIN)
    root.report.unknown(root.place_of("default_agent"), f"no agent named {shown(name)}", name, agents)
    return MAIN


def _refuse_open_lane(root: Section, lanes: LanePolicy, accounts: Mapping[Account, AccountSection]) -> None:
    """One session for all direct chats, and strangers among them, would show everybody what others wrote."""
    if lanes.dm_scope != "agent":
        return
    for one in accounts.values():
        if one.access.open:
            place = root.section("sessions").place_of("dm_scope")
            root.report.add(place, f"`agent` cannot be used while {one.account} has `open: true`")


def _plugins(root: Section) -> tuple[str, ...]:
    section = root.section("plugins", ("enabled",))
    found = section.placed_words("enabled") or []
    for index, (place, word) in enumerate(found):
        if any(word == earlier for _, earlier in found[:index]):
            section.report.add(place, f"{shown(word)} stands here twice")
    return tuple(dict.fromkeys(word for _, word in found))


def _shared(root: Section) -> frozenset[str]:
    found = root.placed_words("shared_secrets") or []
    for place, word in found:
        if not is_variable(word):
            root.report.add(place, "must be the NAME of a variable (letters, digits, _), never the secret itself")
    return frozenset(word for _, word in found)
