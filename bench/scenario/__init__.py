"""The scenarios, in the order in which they run; each module has a NAME and `run(setting) -> Outcome`."""

from __future__ import annotations

from collections.abc import Callable

from bench import dearest
from bench.figure import Outcome
from bench.scenario import (
    agent_count,
    burst,
    cpu_per_turn,
    first_answer,
    help_text,
    many_clients,
    memory,
    route_count,
    route_lookup,
    session_length,
    stall,
    streamed_turn,
    streaming_clients,
)
from bench.setting import Setting

Scenario = Callable[[Setting], Outcome]

SCENARIOS: dict[str, Scenario] = {
    module.NAME: module.run
    for module in (
        cpu_per_turn,
        many_clients,
        burst,
        first_answer,
        memory,
        route_lookup,
        session_length,
        agent_count,
        route_count,
        streamed_turn,
        streaming_clients,
        help_text,
        stall,
        dearest,
    )
}
NOT_FOR_A_PROXY = frozenset({route_count.NAME, session_length.NAME, help_text.NAME})
