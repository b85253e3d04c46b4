"""What a process does with the store when it starts, and from time to time (SPEC 5.6, 7.6, 15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.ids import Account, AgentId, LaneId


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a start-up finds to be done: lanes with work, and chats with deliveries."""

    lanes: Sequence[tuple[AgentId, LaneId]]
    chats: Sequence[tuple[Account, str]]


class Upkeep(Protocol):
    """Recovery, sweeps, and which agents are stopped."""

    async def stop_agent(self, agent: AgentId, now: float) -> None:
        """Notes that the agent is stopped, until `start_agent`."""
        ...

    async def start_agent(self, agent: AgentId) -> None: ...

    async def stopped(self) -> frozenset[AgentId]:
        """The agents that are stopped (SPEC 7.6)."""
        ...

    async def recover(self, repeatable: frozenset[str], now: float) -> Unfinished:
        """After a start: voids the tokens of turns that were running (attempt + 1), marks their started tool calls
        that are not idempotent as interrupted, cancels inputs that do not survive, and puts deliveries that were
        being sent back to `new` for the platforms in `repeatable`, else to `unknown`."""
        ...

    async def unfinished(self, now: float) -> Unfinished:
        """What a sweep should wake: due inputs, waiting turns and due deliveries."""
        ...

    async def prune(self, dedupe_before: float, step_before: float, now: float) -> int:
        """Forgets dedupe keys, steps and expired idempotency records; returns how many rows went."""
        ...

    async def close(self) -> None: ...
