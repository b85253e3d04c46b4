"""Where a job works and was made: its time zone, its paths, its origin (SPEC 9.2)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from serai.core.delivery import Target
from serai.core.ids import DEFAULT_ACCOUNT, AgentId, is_agent_id
from serai.core.source import CHAT_TYPES
from serai.core.zone import UnknownZone, zone_named, zone_names
from serai.jobs.folder import is_inside
from serai.jobs.value import ITEMS_MOST, Hints, Reader, Wrong, line, repeated, shown, word, wrong


def zone(hints: Hints) -> Reader[str]:
    """Reads the name of an IANA time zone."""

    def read(value: object) -> str:
        name = line(value)
        try:
            zone_named(name)
        except UnknownZone:
            raise Wrong(f"names no time zone: {shown(name)}{hints.near(name, zone_names)}") from None
        return name

    return read


def script(value: object) -> str:
    """A path inside of `cron/scripts/`, as far as it shows without looking there."""
    path = _path(value)
    if path.startswith("/"):
        raise Wrong("must be a path inside of `cron/scripts/`, not an absolute one")
    if _climbs(path) or os.path.normpath(path) == ".":
        raise Wrong("must be a path inside of `cron/scripts/`")
    return path


def workdir(home: Path) -> Reader[str]:
    """Reads a folder inside of that home (a real path); a relative one starts in its `workspace`.

    Links of relative ones are looked at when the job runs: then they count.
    """

    def read(value: object) -> str:
        path = _path(value)
        inside = is_inside(path, home) if path.startswith("/") else not _climbs(f"workspace/{path}")
        if not inside:
            raise Wrong("must be a folder inside of the agent's home")
        return path

    return read


def _path(value: object) -> str:
    path = line(value)
    if path.startswith("~"):
        raise Wrong("must be written without `~`")
    return path


def _climbs(path: str) -> bool:
    return os.path.normpath(path).split("/", 1)[0] == ".."


def origin(hints: Hints) -> Reader[Target]:
    """Reads the chat that a job was made in."""

    def read(value: object) -> Target:
        if not isinstance(value, dict):
            raise wrong("a map with platform and chat_id", value)
        if len(value) > ITEMS_MOST:
            raise Wrong(f"has more than {ITEMS_MOST} keys")
        if twice := repeated(value):
            raise Wrong(f"has {shown(twice[0])} twice")
        found = {key: _part(key, item, hints) for key, item in value.items() if item is not None}
        for key in ("platform", "chat_id"):
            if key not in found:
                raise Wrong(f"has no `{key}`")
        return _target(found)

    return read


def _target(parts: Mapping[str, str]) -> Target:
    agent = parts.get("agent_id")
    return Target(
        parts["platform"],
        parts["chat_id"],
        account=parts.get("account", DEFAULT_ACCOUNT),
        thread_id=parts.get("thread_id"),
        agent_id=AgentId(agent) if agent else None,
        chat_type=parts.get("chat_type", "dm"),
        user_id=parts.get("user_id"),
    )


def _part(key: str, value: object, hints: Hints) -> str:
    read = _ORIGIN.get(key)
    if read is None:
        raise Wrong(f"has an unknown key {shown(key)}{hints.near(key, origin_keys)}")
    try:
        return read(value)
    except Wrong as fault:
        raise Wrong(f"has a `{key}` that {fault}") from None


def _chat_type(value: object) -> str:
    found = line(value)
    if found not in CHAT_TYPES:
        raise Wrong(f"must be one of {', '.join(sorted(CHAT_TYPES))}")
    return found


def _agent(value: object) -> str:
    found = line(value)
    if not is_agent_id(found):
        raise Wrong("must be the id of an agent")
    return found


def _platform(value: object) -> str:
    return line(value).lower()


_ORIGIN: Final[Mapping[str, Reader[str]]] = {
    "platform": _platform,
    "account": line,
    "chat_id": word,
    "thread_id": word,
    "chat_type": _chat_type,
    "user_id": word,
    "agent_id": _agent,
}


def origin_keys() -> tuple[str, ...]:
    """The keys of an origin."""
    return tuple(_ORIGIN)
