"""The configuration that a script's settings describe."""

from collections.abc import Mapping
from dataclasses import replace

from serai.core.ids import Account, AgentId
from serai.core.lane import LanePolicy
from serai.core.live import LivePolicy
from serai.core.reset import ResetPolicy
from serai.core.snapshot import Access, AccountSettings, Snapshot
from tests.gateway.stage import routes, snapshot

_KNOWN = frozenset(
    {
        "busy_mode",
        "merge",
        "admins",
        "access",
        "shared",
        "dm_scope",
        "idle",
        "agent_prefix",
        "mentions",
        "limit",
        "through",
        "agent",
        "route",
        "person",
        "schedules",
    }
)


def configure(settings: Mapping[str, str], account: Account, without: frozenset[str]) -> Snapshot:
    """The snapshot, for a platform account, `without` the agents that are gone."""
    unknown = {name.split()[0] for name in settings} - _KNOWN
    assert not unknown, f"unknown settings: {', '.join(sorted(unknown))}"
    agents = {agent: value for agent, value in _of("agent", settings) if agent not in without}
    made = snapshot(
        *agents,
        accounts={account: _account(settings, account)},
        routes=routes(*(({"chat_id": chat}, agent) for chat, agent in _routes(settings))),
        live=LivePolicy(
            busy_mode=settings.get("busy_mode", "steer"),  # type: ignore[arg-type]
            admins=_names(account, settings.get("admins", "")),
            agent_prefix="agent_prefix" in settings,
        ),
        lanes=LanePolicy(
            group_sessions_per_user=settings.get("shared") != "groups",
            dm_scope=settings.get("dm_scope", "chat"),  # type: ignore[arg-type]
            identities={name: person for person, who in _of("person", settings) for name in _names(account, who)},
        ),
        reset=ResetPolicy(idle_minutes=int(settings.get("idle", "1440"))),
    )
    allowed = {
        AgentId(agent): replace(made.agents[AgentId(agent)], allow=_names(account, value.removeprefix("allow ")))
        for agent, value in agents.items()
    }
    return replace(made, agents={**made.agents, **allowed})


def _of(kind: str, settings: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.split()[1], value) for name, value in settings.items() if name.startswith(f"{kind} ")]


def _routes(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(f"#{chat}", agent) for chat, agent in _of("route", settings)]


def _names(account: Account, people: str) -> frozenset[str]:
    return frozenset(name if name == "*" else f"{account.platform}:{name}" for name in people.split())


def _account(settings: Mapping[str, str], account: Account) -> AccountSettings:
    kind, *names = settings.get("access", "open").split()
    access = Access(
        allow_users=frozenset(names if kind == "users" else ()),
        allow_chats=frozenset(names if kind == "chats" else ()),
        open=kind == "open",
        pairing=kind == "pairing",
    )
    return AccountSettings(
        account, access, require_mention="mentions" not in settings, merge=settings.get("merge") != "off"
    )
