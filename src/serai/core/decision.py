"""Which agent answers, and why (SPEC 4.3, 4.6)."""

from dataclasses import dataclass
from typing import Literal

from serai.core.ids import AgentId

Reason = Literal["stamped", "hook", "binding", "route", "default"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The agent that was chosen, by what, and whether it may act.

    `route` is the number of the route that matched (from 1) and `line` its line in the file, also where a hook or
    a binding won over it. `refused` is None, or the sentence that says why the message is refused.
    """

    agent: AgentId
    reason: Reason
    route: int | None = None
    line: int | None = None
    plugin: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    """A route that was tried before the one that matched, and the first key that did not hold."""

    route: int
    line: int | None
    agent: AgentId
    failed: str
    wanted: tuple[str, ...]
    got: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the routes that were tried before it, as shown by `serai route test`."""

    decision: Decision
    considered: tuple[Considered, ...]
