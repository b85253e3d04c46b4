"""/api/jobs/{id}/run and …/runs: running a job now, and how its runs went (SPEC 9.3, 11.6)."""

from math import isfinite

from serai.api.error import invalid
from serai.api.header import IDEMPOTENCY, identifier
from serai.api.job import document as documents
from serai.api.job.access import ERRORS, known, refusals
from serai.api.job.document import JobRunDocument
from serai.api.job.request import JobQuery, RunsQuery
from serai.api.operation import Operation
from serai.api.page import ListOf, cut, not_found, page, query
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.ids import AgentId, InputId
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.ports.slots import SlotRow


class JobRunResource:
    """The runs of a job."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    @Operation(
        summary="Runs a job now, beside its schedule; also one that rests",
        answer=JobRunDocument,
        status=202,
        query=JobQuery,
        headers=(IDEMPOTENCY,),
        errors=(*ERRORS, "job_running", "jobs_off", "agent_refused"),
    )
    async def run(self, call: Call) -> Reply:
        """POST /api/jobs/{id}/run. A repeat with the same Idempotency-Key is told of the run that there is."""
        key = identifier(call.request.headers, IDEMPOTENCY)
        view = await known(self._jobs, call.principal, call.parts[0], query(JobQuery, call).agent)
        once = "\n".join(("api", call.principal.name, view.agent, view.job.id, key)) if key is not None else None
        with refusals(call.principal):
            run = await self._jobs.run(view.agent, view.job.id, once)
            row = await self._slot(view, run)
        return document(202, documents.run(view, row))

    @Operation(
        summary="A job's slots, the latest first: what ran, and what was missed",
        answer=ListOf[JobRunDocument],
        query=RunsQuery,
        errors=ERRORS,
    )
    async def list(self, call: Call) -> Reply:
        """GET /api/jobs/{id}/runs."""
        asked = query(RunsQuery, call)
        before = _moment(asked.before)
        view = await known(self._jobs, call.principal, call.parts[0], asked.agent)
        with refusals(call.principal):
            found = await self._jobs.history(view.agent, view.job.id, limit=asked.limit + 1, before=before)
        rows, last = cut(found, asked.limit)
        return document(200, page((documents.run(view, row) for row in rows), after=repr(last.at) if last else None))

    @Operation(
        summary="One run of a job, and what it has left",
        answer=JobRunDocument,
        query=JobQuery,
        errors=(*ERRORS, "job_run_not_found"),
    )
    async def one(self, call: Call) -> Reply:
        """GET /api/jobs/{id}/runs/{run}. The text is cut at a bound, and null as long as nothing is kept."""
        view = await known(self._jobs, call.principal, call.parts[0], query(JobQuery, call).agent)
        with refusals(call.principal):
            row = await self._slot(view, InputId(call.parts[1]))
            text = await self._jobs.output(AgentId(view.agent), view.job.id, row)
        return document(200, documents.run(view, row, text))

    async def _slot(self, view: JobView, run: InputId) -> SlotRow:
        row = await self._jobs.slot(view.agent, view.job.id, run)
        if row is None:
            raise not_found("job_run_not_found", run)
        return row


def _moment(before: str | None) -> float | None:
    """Before which slot the page begins. Raises ApiError 400."""
    if before is None:
        return None
    try:
        moment = float(before)
    except ValueError:
        moment = float("nan")
    if not isfinite(moment):
        raise invalid("before", "`before` is the `next` of an earlier page.")
    return moment
