"""GET /api/usage: turns and tokens (SPEC 11.6)."""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from serai.api import document as documents
from serai.api.document import UsageDocument
from serai.api.error import invalid
from serai.api.operation import Operation
from serai.api.page import ListOf, not_found, page, query
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.ids import AgentId
from serai.ports.clock import Clock
from serai.ports.store.archive import Archive

COLUMNS: Final = ("day", "agent", "model")
DAY_S: Final = 86400


class UsageQuery(Struct, forbid_unknown_fields=True):
    """How far back, of whom, and by what it is summed up."""

    days: Annotated[int, Meta(ge=1, le=3650, description="How far back, in days.")] = 7
    agent: Annotated[str, Meta(max_length=64)] | None = None
    by: Annotated[str, Meta(max_length=40, description="Of `day`, `agent` and `model`, joined by commas.")] = (
        "day,agent,model"
    )


class Usages:
    """What the agents took that a key may use, whoever asked them."""

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self._archive = archive
        self._clock = clock

    @Operation(
        summary="Turns that ended, and their tokens",
        answer=ListOf[UsageDocument],
        query=UsageQuery,
        errors=("agent_not_found", "storage_failed"),
    )
    async def list(self, call: Call) -> Reply:
        """GET /api/usage: in one page, the latest day first."""
        asked = query(UsageQuery, call)
        columns = _columns(asked.by)
        since = self._clock.now() - asked.days * DAY_S
        rows = documents.summed(await self._archive.usage(since=since, agents=_agents(asked.agent, call)), columns)
        return document(200, page(documents.usage(row, columns) for row in rows))


def _columns(by: str) -> Sequence[str]:
    names = by.split(",")
    if not set(names) <= set(COLUMNS):
        raise invalid("by", "`by` lists some of `day`, `agent` and `model`, joined by commas.")
    return [name for name in COLUMNS if name in names]


def _agents(wanted: str | None, call: Call) -> frozenset[AgentId] | None:
    """Whose usage is told; None: everybody's, also of agents that are no longer configured."""
    if wanted is None:
        return call.principal.agents
    if not call.principal.may_use(AgentId(wanted)):
        raise not_found("agent_not_found", wanted)
    return frozenset({AgentId(wanted)})
