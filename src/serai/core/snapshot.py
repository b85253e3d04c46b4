"""One complete, validated configuration: what everything else reads. Immutable (SPEC 2)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from serai.core.cron import CronPolicy
from serai.core.home_chat import HomeChat
from serai.core.ids import MAIN, Account, AgentId
from serai.core.lane import LanePolicy
from serai.core.live import LivePolicy
from serai.core.profile import AgentProfile, Endpoint
from serai.core.reset import ResetPolicy
from serai.core.route import RouteTable

Scope = Literal["gateway", "agent", "account"]
OnUnknown = Literal["hold", "repeat"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the configuration (SPEC 2.4).

    `path` is the key as it would be typed (`routes[2].match.chatid`); `line` counts from 1; `nearest` is the valid
    name that was probably meant; `subject` is the agent's id or the account (`telegram@work`) of a scoped problem.
    """

    scope: Scope
    text: str
    path: str = ""
    file: str = "config.yaml"
    line: int | None = None
    nearest: str | None = None
    subject: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        named = f"{place}: {self.path}: " if self.path else f"{place}: "
        hint = f" (did you mean `{self.nearest}`?)" if self.nearest else ""
        return f"{named}{self.text}{hint}"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may talk through an account (SPEC 6.7). Nothing set means nobody.

    `pairing`: an unknown person in a direct chat gets a code, with which the operator may admit them.
    """

    allow_users: frozenset[str] = frozenset()
    allow_chats: frozenset[str] = frozenset()
    open: bool = False
    pairing: bool = False

    def admits(self, user: str | None, user_alt: str | None, chat: str | None) -> bool:
        """Whether a sender is authorised. Stable ids alone count, never display names."""
        if self.open or (chat is not None and chat in self.allow_chats):
            return True
        return any(name in self.allow_users for name in (user, user_alt) if name)


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One configured connection. `settings` holds the platform's own, already validated, keys.

    `refusal` says why the account is disabled, else None. `require_mention`: in groups, only what is said to the bot
    is answered. `merge`: pieces that come quickly are one message; without it each message has its own turn.
    `stream`: an answer is shown while it is written, where the platform can. `file_limit`: bytes of a file that is
    taken from people. `home_chat` is the one of the file. `chat_form` is what its platform's chat ids look like
    where they hold colons (`serai.core.place`).
    """

    account: Account
    access: Access
    settings: Mapping[str, object] = field(default_factory=dict)
    refusal: str | None = None
    require_mention: bool = True
    merge: bool = True
    stream: bool = True
    file_limit: int = 20_000_000
    home_chat: HomeChat | None = None
    chat_form: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A caller of the HTTP API (SPEC 11.1). `secret_name` names the variable; `agents` None means all."""

    name: str
    secret_name: str
    agents: frozenset[AgentId] | None
    admin: bool = False


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The HTTP server (SPEC 11.1, 16.1)."""

    host: str = "127.0.0.1"
    port: int = 8642
    keys: tuple[ApiKey, ...] = ()
    cors_origins: frozenset[str] = frozenset()
    model_aliases: frozenset[str] = frozenset()
    accept_any_model: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    trusted_proxies: tuple[str, ...] = ()
    public_url: str | None = None
    max_runs: int = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything of one configuration. `revision` is a digest of what it was made from.

    `gateway_model` is None where no model is configured, so that a local server or the embedded model serves.
    """

    revision: str
    home: Path
    agents: Mapping[AgentId, AgentProfile]
    routes: RouteTable
    default_agent: AgentId = MAIN
    accounts: Mapping[Account, AccountSettings] = field(default_factory=dict)
    api: ApiSettings = ApiSettings()
    lanes: LanePolicy = LanePolicy()
    live: LivePolicy = LivePolicy()
    reset: ResetPolicy = ResetPolicy()
    cron: CronPolicy = CronPolicy()
    max_turns: int = 1000
    on_unknown: OnUnknown = "hold"
    plugins: tuple[str, ...] = ()
    gateway_model: Endpoint | None = None
    log_level: str = "info"
    toolsets: frozenset[str] = frozenset()
    shared_secrets: frozenset[str] = frozenset()
    dedupe_days: int = 30
    step_days: int = 7
    problems: tuple[Problem, ...] = ()
    explicit_agents: bool = True
    unused_agents: frozenset[AgentId] = frozenset()

    def refusal(self, agent: AgentId) -> str | None:
        """Why this agent must not act: None when it may (SPEC 4.3)."""
        profile = self.agents.get(agent)
        if profile is None:
            return f"no agent named `{agent}` is configured"
        return profile.refusal

    def with_stopped(self, stopped: Collection[AgentId]) -> "Snapshot":
        """The same configuration, in which the agents that somebody has stopped refuse, too (SPEC 7.6)."""
        if self.agents.keys().isdisjoint(stopped):
            return self
        profiles = {
            agent: replace(profile, refusal=stopped_text(agent)) if agent in stopped else profile
            for agent, profile in self.agents.items()
        }
        return replace(self, agents=MappingProxyType(profiles))


def stopped_text(agent: AgentId) -> str:
    """Why an agent refuses that somebody has stopped."""
    return f"agent `{agent}` is stopped; `serai agent start {agent}` lets it answer again"
