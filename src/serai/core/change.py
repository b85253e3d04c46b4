"""One configuration after another: what is different, and what keeps the earlier one in force (SPEC 2.6)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from serai.core.error import Startup
from serai.core.ids import Account
from serai.core.snapshot import ApiSettings, Problem, Snapshot


class BadConfiguration(Startup):
    """A configuration that cannot be used; `problems` says all that is wrong."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("the configuration has problems:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload has brought: a sentence for each thing that is different, the settings that count only from the
    next start on, and what the operator should see although nothing is wrong."""

    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "model": ("gateway_model",),
        "default_agent": ("default_agent",),
        "sessions, identities, admins or display": ("lanes", "reset", "live"),
        "cron": ("cron",),
        "tools": ("toolsets",),
        "delivery": ("on_unknown",),
        "engine": ("max_turns",),
        "logging": ("log_level",),
        "retention": ("dedupe_days", "step_days"),
        "shared_secrets": ("shared_secrets",),
    }
)
"""What config.yaml calls the parts of a snapshot that are compared as a whole."""

_FIXED: Final = ("api.host", "api.port", "plugins")
_FIXED_KEYS: Final = ("api_server.host", "api_server.port", "plugins.enabled")


def differences(old: Snapshot, new: Snapshot, reconnected: Collection[Account] = ()) -> tuple[str, ...]:
    """Sentences about what `new` has changed. `reconnected` accounts have new credentials."""
    accounts = _members("account", old.accounts, new.accounts, reconnected)
    sections = (
        f"{name} changed"
        for name, parts in _SECTIONS.items()
        if any(getattr(old, part) != getattr(new, part) for part in parts)
    )
    routes = ["routes changed"] if _routes(old) != _routes(new) else []
    api = ["api_server changed"] if _api(old) != _api(new) else []
    return (*_members("agent", old.agents, new.agents), *routes, *accounts, *api, *sections)


def fixed_at_start(started: Snapshot, new: Snapshot) -> tuple[str, ...]:
    """The settings that differ from those the process was started with, and which it cannot change while running."""
    pairs = zip(_FIXED, _FIXED_KEYS, strict=True)
    return tuple(key for path, key in pairs if attrgetter(path)(started) != attrgetter(path)(new))


def new_problems(known: Collection[Problem], found: Collection[Problem]) -> tuple[Problem, ...]:
    """The problems that are not known already. A line may have moved."""
    earlier = {_identity(problem) for problem in known}
    return tuple(problem for problem in found if problem.scope == "gateway" or _identity(problem) not in earlier)


def _identity(problem: Problem) -> tuple[object, ...]:
    return problem.scope, problem.subject, problem.path, problem.text, problem.file


def _members(
    noun: str, old: Mapping[Any, object], new: Mapping[Any, object], touched: Collection[object] = ()
) -> Iterator[str]:
    for name in (*new, *(name for name in old if name not in new)):
        if name not in old:
            yield f"{noun} {name} added"
        elif name not in new:
            yield f"{noun} {name} removed"
        elif old[name] != new[name] or name in touched:
            yield f"{noun} {name} changed"


def _routes(snapshot: Snapshot) -> list[tuple[object, ...]]:
    """Without their lines, which move with every comment."""
    return [(route.match, route.agent, route.inherit_threads) for route in snapshot.routes.routes]


def _api(snapshot: Snapshot) -> ApiSettings:
    """Without the address, which is fixed at start."""
    return replace(snapshot.api, host="", port=0)
