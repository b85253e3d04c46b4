"""Jobs where no gateway runs: their files, and what the database remembers of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from serai.api.job import document as documents
from serai.app.offline_jobs import NO_GATEWAY, offline_jobs
from serai.cli.cron.book import Job, Problem, Run, Runs
from serai.cli.failure import NotRunning
from serai.cli.place import Place
from serai.core.ids import AgentId, InputId, JobId
from serai.core.snapshot import Snapshot
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.ports.jobs import UnknownJob

T = TypeVar("T")


class LocalBook:
    """`Book` on the home itself. A change is taken up by the next gateway when it starts."""

    runs_jobs = False

    def __init__(self, place: Place, snapshot: Snapshot | None = None) -> None:
        self._place = place
        self._snapshot = snapshot or place.snapshot()

    def jobs(self, agent: str | None = None) -> Sequence[Job]:
        async def all_of(jobs: Jobs) -> Sequence[JobView]:
            return await jobs.all(None if agent is None else {AgentId(agent)})

        found = [_document(documents.job(one)) for one in self._asked(all_of)]
        return sorted(found, key=lambda one: (one["agent"], one["id"]))

    def problems(self, agent: str | None = None) -> Sequence[Problem]:
        async def found(jobs: Jobs) -> list[Problem]:
            agents = [AgentId(agent)] if agent else list(self._snapshot.agents)
            return [_document(documents.problem(one, wrong)) for one in agents for wrong in jobs.problems(one)]

        return self._asked(found)

    def add(self, agent: str, fields: Mapping[str, Any]) -> Job:
        return self._job(lambda jobs: jobs.add(AgentId(agent), fields))

    def change(self, job: Job, fields: Mapping[str, Any]) -> Job:
        return self._job(lambda jobs: jobs.change(*_named(job), fields))

    def remove(self, agent: str, id: str) -> None:
        self._asked(lambda jobs: jobs.remove(AgentId(agent), JobId(id)))

    def history(self, job: Job, limit: int, before: str | None = None) -> Runs:
        async def some(jobs: Jobs) -> Runs:
            view = await jobs.one(*_named(job))
            rows = await jobs.history(*_named(job), limit=limit + 1, before=float(before) if before else None)
            shown = [_document(documents.run(view, row)) for row in rows[:limit]]
            return Runs(shown, str(rows[limit - 1].at) if len(rows) > limit else None)

        return self._asked(some)

    def output(self, job: Job, run: str) -> Run:
        async def whole(jobs: Jobs) -> Run:
            view = await jobs.one(*_named(job))
            row = await jobs.slot(*_named(job), InputId(run))
            if row is None:
                raise UnknownJob(f"the job has no run `{run}`")
            return _document(documents.run(view, row, await jobs.output(*_named(job), row)))

        return self._asked(whole)

    def run(self, job: Job) -> Run:  # noqa: ARG002 - the protocol's
        raise NotRunning(f"Nothing was run: {NO_GATEWAY}.")

    def adopt(self, agent: str) -> None:
        self._asked(lambda jobs: jobs.adopt(AgentId(agent)), make=True)

    def _job(self, work: Callable[[Jobs], Awaitable[JobView]]) -> Job:
        return _document(documents.job(self._asked(work)))

    def _asked(self, work: Callable[[Jobs], Awaitable[T]], *, make: bool = False) -> T:
        async def asking() -> T:
            async with offline_jobs(self._place.layout, self._snapshot, make=make) as jobs:
                return await work(jobs)

        return asyncio.run(asking())


def _named(job: Job) -> tuple[AgentId, JobId]:
    return AgentId(job["agent"]), JobId(job["id"])


def _document(value: msgspec.Struct) -> Mapping[str, Any]:
    document: Mapping[str, Any] = msgspec.to_builtins(value)
    return document
