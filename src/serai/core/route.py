"""Declarative routes, compiled so that a look-up's cost does not grow with their number (SPEC 4.1, 4.2).

Routes that name the same keys share one dictionary from the keys' values to the first route with those values, so
a look-up asks one dictionary per distinct set of keys, whatever the number of routes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from operator import attrgetter
from typing import Final

from serai.core.decision import Considered
from serai.core.ids import AgentId
from serai.core.source import Source

MATCH_KEYS: Final = (
    "platform",
    "account",
    "chat_id",
    "thread_id",
    "topic_id",
    "user_id",
    "user_id_alt",
    "chat_type",
    "guild_id",
    "parent_chat_id",
    "role",
)

_EXPANDED_MOST: Final = 4096
"""A route whose lists have more combinations than this is tried one by one instead of being expanded."""


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of `routes`. `number` counts from 1 in declared order, `line` is its line in the file."""

    number: int
    match: Mapping[str, frozenset[str]]
    agent: AgentId
    inherit_threads: bool = False
    line: int | None = None


def values(source: Source, key: str) -> tuple[str, ...]:
    """What a source offers for a match key: nothing, one text, or all of the sender's roles."""
    if key == "role":
        return source.roles
    value: str | None = getattr(source, key)
    return () if value is None else (value,)


class RouteTable:
    """All routes of one configuration, immutable once made."""

    __slots__ = ("_direct", "_inherited", "_naming", "routes")

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._direct = _Index((route, route.match) for route in self.routes)
        self._inherited = _Index((route, _inherited_match(route)) for route in self.routes if _inherits(route))
        self._naming = _Index((route, route.match) for route in self.routes if _names_thread(route))

    def first(self, source: Source) -> Route | None:
        """The first route in declared order that matches; one that names the thread itself beats an inherited one."""
        direct = self._direct.first(source)
        if source.parent_chat_id is None:
            return direct
        inherited = self._inherited.first(source)
        if inherited is None or (direct is not None and direct.number < inherited.number):
            return direct
        return self._naming.first(source) or inherited

    def considered(self, source: Source, until: Route | None) -> tuple[Considered, ...]:
        """For each route tried before `until` (all, when None): the first key that did not hold."""
        tried = self.routes if until is None else self.routes[: until.number - 1]
        return tuple(entry for route in tried if (entry := _failure(route, source)) is not None)


def _inherits(route: Route) -> bool:
    return route.inherit_threads and "chat_id" in route.match


def _inherited_match(route: Route) -> Mapping[str, frozenset[str]]:
    """The same conditions asked of the parent chat instead of the chat."""
    rest = {key: wanted for key, wanted in route.match.items() if key not in ("chat_id", "parent_chat_id")}
    return rest | {"parent_chat_id": route.match["chat_id"]}


def _names_thread(route: Route) -> bool:
    return "chat_id" in route.match or "thread_id" in route.match or "topic_id" in route.match


def _failure(route: Route, source: Source) -> Considered | None:
    """The first key that did not hold; None for a route that matched but lost to one that names the thread."""
    for key, wanted in route.match.items():
        got = values(source, key)
        if not wanted.intersection(got):
            return Considered(route.number, route.line, route.agent, key, tuple(sorted(wanted)), got)
    return None


class _Index:
    """Routes grouped by the set of keys they name."""

    __slots__ = ("_groups", "_wide")

    def __init__(self, entries: Iterable[tuple[Route, Mapping[str, frozenset[str]]]]) -> None:
        groups: dict[tuple[str, ...], dict[tuple[str | None, ...], Route]] = {}
        self._wide: list[tuple[Route, Mapping[str, frozenset[str]]]] = []
        for route, match in entries:
            if prod(len(wanted) for wanted in match.values()) > _EXPANDED_MOST:
                self._wide.append((route, match))
                continue
            keys = tuple(key for key in MATCH_KEYS if key in match)
            table = groups.setdefault(keys, {})
            for combination in product(*(match[key] for key in keys)):
                table.setdefault(combination, route)
        self._groups = [(_candidates(keys), table) for keys, table in groups.items()]

    def first(self, source: Source) -> Route | None:
        best: Route | None = None
        for candidates, table in self._groups:
            for candidate in candidates(source):
                found = table.get(candidate)
                if found is not None and (best is None or found.number < best.number):
                    best = found
        for route, match in self._wide:
            if best is not None and best.number < route.number:
                break
            if all(wanted.intersection(values(source, key)) for key, wanted in match.items()):
                return route
        return best


def _candidates(keys: tuple[str, ...]) -> Callable[[Source], Iterable[tuple[str | None, ...]]]:
    """The combinations of values that a source offers for `keys`: one, or one per role.

    An absent value is None, which no route names. `role` is the last of the keys, where it is one.
    """
    plain = [key for key in keys if key != "role"]
    fields = attrgetter(*plain, "platform") if plain else None  # two names or more give a tuple

    def one(source: Source) -> Iterable[tuple[str | None, ...]]:
        return ((() if fields is None else fields(source)[:-1]),)

    def one_per_role(source: Source) -> Iterable[tuple[str | None, ...]]:
        rest = () if fields is None else fields(source)[:-1]
        return [(*rest, role) for role in source.roles]

    return one_per_role if "role" in keys else one
