"""A configuration as a document shaped like config.yaml, defaults filled in, secrets by name (SPEC 2.3, 16.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from serai.cli.local import configured
from serai.cli.written import Written, WrittenModels
from serai.core.address import without_credentials
from serai.core.place import written_place
from serai.core.profile import AgentProfile, Endpoint
from serai.core.route import Route
from serai.core.snapshot import AccountSettings, ApiKey, ApiSettings, Snapshot

Document = dict[str, Any]


def effective(snapshot: Snapshot, models: WrittenModels) -> Document:
    """Everything of a snapshot that a config.yaml could say. Holds no secret and no password in a URL."""
    return {
        "model": _endpoint(snapshot.gateway_model),
        "default_agent": str(snapshot.default_agent),
        "agents": {str(profile.id): _agent(profile, models.of(profile)) for profile in snapshot.agents.values()},
        "routes": [_route(route) for route in snapshot.routes.routes],
        "platforms": _platforms(snapshot.accounts.values()),
        "api_server": _api(snapshot.api),
        "sessions": _sessions(snapshot),
        "identities": _identities(snapshot),
        "admins": sorted(snapshot.live.admins),
        "display": {"agent_prefix": snapshot.live.agent_prefix},
        "cron": {"timezone": snapshot.cron.zone_name, "max_parallel_jobs": snapshot.cron.max_parallel_jobs},
        "tools": {"enabled_toolsets": sorted(snapshot.toolsets)},
        "shared_secrets": sorted(snapshot.shared_secrets),
        "delivery": {"on_unknown": snapshot.on_unknown},
        "plugins": {"enabled": list(snapshot.plugins)},
        "engine": {"max_turns": snapshot.max_turns},
        "logging": {"level": snapshot.log_level},
        "retention": {"dedupe_days": snapshot.dedupe_days, "step_days": snapshot.step_days},
    }


def _endpoint(endpoint: Endpoint | None) -> Document | None:
    if endpoint is None:
        return None
    return {
        "name": endpoint.name,
        "provider": endpoint.provider,
        "base_url": without_credentials(endpoint.base_url),
        "api_key_env": endpoint.key_name,
    }


def _agent(profile: AgentProfile, model: Written) -> Document:
    settings = {"model": model["name"], **{key: model[key] for key in ("provider", "base_url", "api_key_env")}}
    refused = {"refused": profile.refusal} if profile.refusal else {}
    off = {"schedules": profile.schedules} if profile.schedules else {}
    return {
        "home_dir": str(profile.home),
        **{key: value for key, value in settings.items() if value is not None},
        "fallback": [_endpoint(endpoint) for endpoint in configured(profile)[1:]],
        "enabled_toolsets": sorted(profile.toolsets),
        "max_turns": profile.max_turns,
        "allow": sorted(profile.allow),
        **off,
        **refused,
    }


def _route(route: Route) -> Document:
    match = {key: min(wanted) if len(wanted) == 1 else sorted(wanted) for key, wanted in route.match.items()}
    return {"match": match, "agent": str(route.agent), "inherit_threads": route.inherit_threads}


def _platforms(accounts: Iterable[AccountSettings]) -> Document:
    platforms: Document = {}
    for entry in accounts:
        settings, home = {key: _shown(value) for key, value in entry.settings.items()}, entry.home_chat
        access = {
            "allow_users": sorted(entry.access.allow_users),
            "allow_chats": sorted(entry.access.allow_chats),
            "open": entry.access.open,
            "pairing": entry.access.pairing,
            "require_mention": entry.require_mention,
            "merge": entry.merge,
            "stream": entry.stream,
            "file_limit_mb": entry.file_limit // 1_000_000,
            "home_chat": home and written_place(home.chat_id, home.thread_id, entry.chat_form),
        }
        platform = platforms.setdefault(entry.account.platform, {"accounts": {}})
        refused = {"refused": entry.refusal} if entry.refusal else {}
        platform["accounts"][entry.account.name] = {**settings, **access, **refused}
    return platforms


def _shown(value: object) -> object:
    """A platform's setting as plain data."""
    if isinstance(value, Mapping):
        return {str(key): _shown(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return without_credentials(text) if "://" in text else text


def _api(api: ApiSettings) -> Document:
    return {
        "host": api.host,
        "port": api.port,
        "keys": [_key(key) for key in api.keys],
        "cors_origins": sorted(api.cors_origins),
        "model_aliases": sorted(api.model_aliases),
        "accept_any_model": api.accept_any_model,
        "allowed_hosts": sorted(api.allowed_hosts),
        "trusted_proxies": list(api.trusted_proxies),
        "public_url": api.public_url,
    }


def _key(key: ApiKey) -> Document:
    agents = "*" if key.agents is None else sorted(key.agents)
    return {"name": key.name, "key_env": key.secret_name, "agents": agents, "admin": key.admin}


def _sessions(snapshot: Snapshot) -> Document:
    return {
        "group_sessions_per_user": snapshot.lanes.group_sessions_per_user,
        "thread_sessions_per_user": snapshot.lanes.thread_sessions_per_user,
        "dm_scope": snapshot.lanes.dm_scope,
        "busy_mode": snapshot.live.busy_mode,
        "approval_timeout_s": snapshot.live.approval_s,
        "merge": asdict(snapshot.live.merge),
        "reset": asdict(snapshot.reset),
    }


def _identities(snapshot: Snapshot) -> Document:
    people: dict[str, list[str]] = {}
    for name, person in snapshot.lanes.identities.items():
        people.setdefault(person, []).append(name)
    return people
