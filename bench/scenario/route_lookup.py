"""One look-up in compiled routes: 10, 100 and 10,000 of them, in this process, without a gateway around it."""

from __future__ import annotations

import statistics
import time

from bench.figure import Figure, Goal, Outcome, Sense
from bench.setting import Setting
from serai.core.ids import AgentId
from serai.core.route import Route, RouteTable
from serai.core.source import Source

NAME = "route_lookup"
SIZES = (10, 100, 10_000)
ASKED = 1000


def run(setting: Setting) -> Outcome:
    """The sizes in turns; every look-up's answer is checked before the clock runs."""
    times = setting.size(15, 3)
    cases = {size: (RouteTable(_routes(size)), _sources(size)) for size in SIZES}
    wrong = {size: count for size, (table, sources) in cases.items() if (count := _wrong(table, sources))}
    problem = f"wrong routes: {wrong}" if wrong else None
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(times):
        for size, (table, sources) in cases.items():
            taken[size].append(_look_up(table, sources))
    few, some, many = (taken[size] for size in SIZES)
    growth = [later / earlier for earlier, later in zip(few, many, strict=True)]
    return Outcome(
        [
            Figure(NAME, "routing, 10,000 routes", "µs", many, goal=Goal(Sense.UNDER, 10), problem=problem),
            Figure(f"{NAME}_100", "routing, 100 routes", "µs", some),
            Figure(f"{NAME}_10", "routing, 10 routes", "µs", few),
            Figure(f"{NAME}_flat", "routing, 10 to 10,000 routes", "×", growth, goal=Goal(Sense.UNDER, 1.2)),
        ]
    )


def _routes(size: int) -> list[Route]:
    """Half of the routes name a chat, a quarter a guild and a role, a quarter a person."""
    return [Route(number + 1, _match(number), AgentId(f"a{number}")) for number in range(size)]


def _match(number: int) -> dict[str, frozenset[str]]:
    platform = {"platform": frozenset({"discord"})}
    if number % 4 < 2:
        return platform | {"chat_id": frozenset({f"chat-{number}"})}
    if number % 4 == 2:
        return platform | {"guild_id": frozenset({f"guild-{number}"}), "role": frozenset({f"role-{number}"})}
    return platform | {"user_id": frozenset({f"user-{number}"})}


def _sources(size: int) -> list[tuple[Source, int | None]]:
    """A thousand messages with the number of the route each belongs to; every fifth belongs to none."""
    found: list[tuple[Source, int | None]] = []
    for asked in range(ASKED):
        number = asked * 7919 % size
        chat, guild, user, role = (f"{kind}-{number}" for kind in ("chat", "guild", "user", "role"))
        if asked % 5 == 4:
            found.append((Source("discord", chat_id="elsewhere", user_id=f"stranger-{asked}"), None))
        elif number % 4 < 2:
            found.append((Source("discord", chat_id=chat, chat_type="group", user_id="7"), number + 1))
        elif number % 4 == 2:
            roles = ("member", role)
            source = Source("discord", chat_id="other", chat_type="group", guild_id=guild, roles=roles)
            found.append((source, number + 1))
        else:
            found.append((Source("discord", chat_id="other", user_id=user), number + 1))
    return found


def _wrong(table: RouteTable, sources: list[tuple[Source, int | None]]) -> int:
    answers = [(table.first(source), number) for source, number in sources]
    return sum((None if route is None else route.number) != number for route, number in answers)


def _look_up(table: RouteTable, sources: list[tuple[Source, int | None]]) -> float:
    """Microseconds for one look-up: the median over ten passes of all sources."""
    asked = [source for source, _ in sources]
    passes = []
    for _ in range(10):
        began = time.perf_counter()
        for source in asked:
            table.first(source)
        passes.append((time.perf_counter() - began) / len(asked) * 1e6)
    return statistics.median(passes)
