"""An archive with nothing in it but the sessions that a test names, and nothing to change, for servers whose test is
about something else."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from serai.core.cursor import Cursor
from serai.core.delivery import Delivery
from serai.core.ids import MAIN, AgentId, DeliveryId, JobId, SessionId
from serai.core.job import Job, JobProblem
from serai.gateway.request.sending import Dispatched
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.ports.jobs import UnknownJob
from serai.ports.store.archive import (
    ANY_DELIVERY,
    ANY_SESSION,
    Counts,
    DeliveryFilter,
    Found,
    MessageRow,
    SessionFilter,
    SessionRow,
    UsageRow,
)
from serai.ports.store.arrival import Idempotency


class NoArchive:
    """Nothing was ever stored, but for empty sessions of agent main: `rows` names their owners."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    async def sessions(
        self, wanted: SessionFilter = ANY_SESSION, *, limit: int = 50, before: Cursor | None = None
    ) -> Sequence[SessionRow]:
        return ()

    async def session(self, name: str) -> SessionRow | None:
        if name not in self.rows:
            return None
        key = f"agent:main:api_server:dm:{name}"
        return SessionRow(SessionId(name), key, MAIN, "api_server", "open", 0, 1.0, 1.0, owner=self.rows[name])

    async def messages(
        self, session: SessionId, *, after: int = -1, limit: int | None = None
    ) -> Sequence[MessageRow]:
        return ()

    async def search(self, words: Sequence[str], *, agent: AgentId | None = None, limit: int = 50) -> Sequence[Found]:
        return ()

    async def usage(self, *, since: float, agents: frozenset[AgentId] | None = None) -> Sequence[UsageRow]:
        return ()

    async def deliveries(
        self, wanted: DeliveryFilter = ANY_DELIVERY, *, limit: int = 50, before: DeliveryId | None = None
    ) -> Sequence[Delivery]:
        return ()

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        return None

    async def counts(self) -> Counts:
        return Counts(0, 0, 0, 0, {})

    async def stopped(self) -> frozenset[AgentId]:
        return frozenset()


class NoSessions:
    """There is nothing to change."""

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        return False

    async def fork(
        self, session: SessionId, agent: AgentId, owner: str, wanted: SessionId | None, title: str | None
    ) -> SessionId | None:
        return None

    async def erase(self, session: SessionId) -> bool:
        return False


async def no_retry(delivery: DeliveryId) -> Delivery | None:
    """There is no such delivery."""
    return None


async def nothing_sent(
    values: Sequence[str], text: str, agent: AgentId | None, request: Idempotency | None
) -> Sequence[Dispatched]:
    """There is no chat."""
    return [Dispatched(value, agent, error="there is no chat") for value in values]


async def no_job(_agent: AgentId, _fields: Mapping[str, Any], _job: Job | None) -> Sequence[JobProblem]:
    """Nothing is wrong with it."""
    return []


class NoJobs(Jobs):
    """There are none."""

    def __init__(self) -> None:
        pass

    async def all(self, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        return []

    async def one(self, agent: AgentId, job: JobId) -> JobView:
        raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
