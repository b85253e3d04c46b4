"""/api/jobs: list, make, get, change, delete, pause, resume (SPEC 9, 11.6, 11.7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from serai.api.body import decode, read
from serai.api.error import invalid
from serai.api.header import IDEMPOTENCY, identifier
from serai.api.job import document as documents
from serai.api.job.access import ERRORS, WRITING, known, may_see, owner_of, refusals, refuse_fields, usable
from serai.api.job.document import JobDocument, JobProblemDocument
from serai.api.job.problem import problems
from serai.api.job.request import JobPatch, JobQuery, JobsQuery, NewJob
from serai.api.operation import Operation
from serai.api.page import cut, query
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.api.services import CheckJob
from serai.core.ids import AgentId, JobId
from serai.core.job import Job, JobProblem, derived_id
from serai.core.principal import Principal
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.view import JobView
from serai.ports.clock import Entropy
from serai.ports.jobs import BadJob, JobExists

_BETWEEN: Final = "/"


class JobList(Struct, tag_field="object", tag="list"):
    """A page of jobs, and all that is wrong with jobs of these agents. `next` is what to send as `before` for the
    page behind it."""

    data: list[JobDocument]
    has_more: bool
    next: str | None
    problems: Sequence[JobProblemDocument]


class JobGone(Struct, tag_field="object", tag="job.deleted"):
    """What was deleted."""

    id: str
    agent: str
    deleted: bool = True


_NEW: Final = msgspec.json.Decoder(NewJob)
_PATCH: Final = msgspec.json.Decoder(JobPatch)


class JobResource:
    """Jobs as objects."""

    def __init__(self, jobs: Jobs, check: CheckJob, entropy: Entropy) -> None:
        self._jobs = jobs
        self._check = check
        self._entropy = entropy

    @Operation(
        summary="Jobs, by agent and id, and what is wrong with them",
        answer=JobList,
        query=JobsQuery,
        errors=("storage_failed",),
    )
    async def list(self, call: Call) -> Reply:
        """GET /api/jobs."""
        asked, principal = query(JobsQuery, call), call.principal
        agents = [AgentId(asked.agent)] if asked.agent else [*call.snapshot.agents]
        agents = [agent for agent in agents if principal.may_use(agent)]
        behind = _place(asked.before)
        found = sorted(
            (view for view in await self._jobs.outlines(agents) if _fits(view, principal, asked, behind)), key=_order
        )
        rows, last = cut(found, asked.limit)
        shown = await self._jobs.views(rows)
        after = _BETWEEN.join(_order(last)) if last else None
        wrong = await problems(self._jobs, principal, agents)
        return document(200, JobList([_told(view, principal) for view in shown], after is not None, after, wrong))

    @Operation(
        summary="Makes a job",
        answer=JobDocument,
        status=201,
        body=NewJob,
        headers=(IDEMPOTENCY,),
        errors=(
            *WRITING,
            "admin_required",
            "unauthorised",
            "agent_not_found",
            "idempotency_conflict",
            "storage_failed",
        ),
    )
    async def create(self, call: Call) -> Reply:
        """POST /api/jobs. With an Idempotency-Key the job's id is made of that and of the API key's name, so that a
        repeat finds the job, whatever happened meanwhile, and makes it where it is not there."""
        key = identifier(call.request.headers, IDEMPOTENCY)
        asked, principal = decode(_NEW, await read(call.request)), call.principal
        agent = usable(call.snapshot, principal, asked.agent)
        fields = asked.fields()
        await refuse_fields(self._jobs, principal, agent, fields)
        id = derived_id(self._entropy.token()) if key is None else await self._jobs.derived_id(principal.name, key)
        with refusals(principal):
            warnings = [] if await self._is_there(id, agent) else await self._checked(agent, fields)
            view = await self._jobs.add(agent, fields, owner_of(principal), wanted=id)
        return document(201, _told(view, principal, warnings))

    @Operation(summary="One job", answer=JobDocument, query=JobQuery, errors=ERRORS)
    async def one(self, call: Call) -> Reply:
        """GET /api/jobs/{id}."""
        return document(200, _told(await self._known(call), call.principal))

    @Operation(
        summary="Changes a job",
        answer=JobDocument,
        body=JobPatch,
        query=JobQuery,
        errors=(*ERRORS, *WRITING, "admin_required"),
    )
    async def patch(self, call: Call) -> Reply:
        """PATCH /api/jobs/{id}: a changed schedule begins now."""
        view = await self._known(call)
        fields = decode(_PATCH, await read(call.request)).fields()
        await refuse_fields(self._jobs, call.principal, view.agent, fields, view.job.origin is not None)
        with refusals(call.principal):
            warnings = await self._checked(view.agent, fields, view.job)
        return await self._changed(call, view, fields, warnings)

    @Operation(
        summary="Deletes a job; a run that is under way goes on",
        answer=JobGone,
        query=JobQuery,
        errors=(*ERRORS, *WRITING),
    )
    async def delete(self, call: Call) -> Reply:
        """DELETE /api/jobs/{id}."""
        view = await self._known(call)
        with refusals(call.principal):
            await self._jobs.remove(view.agent, view.job.id)
        return document(200, JobGone(view.job.id, view.agent))

    @Operation(summary="Lets a job rest", answer=JobDocument, query=JobQuery, errors=(*ERRORS, *WRITING))
    async def pause(self, call: Call) -> Reply:
        """POST /api/jobs/{id}/pause."""
        return await self._changed(call, await self._known(call), {"enabled": False})

    @Operation(
        summary="Lets a job run again; what was meanwhile is not made up for",
        answer=JobDocument,
        query=JobQuery,
        errors=(*ERRORS, *WRITING),
    )
    async def resume(self, call: Call) -> Reply:
        """POST /api/jobs/{id}/resume."""
        return await self._changed(call, await self._known(call), {"enabled": None})

    async def _known(self, call: Call) -> JobView:
        return await known(self._jobs, call.principal, call.parts[0], query(JobQuery, call).agent)

    async def _changed(
        self, call: Call, view: JobView, fields: dict[str, object], warnings: Sequence[JobProblem] = ()
    ) -> Reply:
        with refusals(call.principal):
            changed = await self._jobs.change(view.agent, view.job.id, fields)
        return document(200, _told(changed, call.principal, warnings))

    async def _checked(
        self, agent: AgentId, fields: Mapping[str, Any], job: Job | None = None
    ) -> Sequence[JobProblem]:
        """What may come right of what is wrong. Raises BadJob for what cannot."""
        found = await self._check(agent, fields, job)
        if fatal := [one for one in found if one.fatal]:
            raise BadJob(fatal)
        return found

    async def _is_there(self, id: JobId, agent: AgentId) -> bool:
        """Whether the agent has a job of that id. Raises JobExists where it was made for another one."""
        found = await self._jobs.find(id)
        if any(view.agent != agent for view in found):
            raise JobExists(f"another agent has a job `{id}`")
        return bool(found)


def _fits(view: JobView, principal: Principal, asked: JobsQuery, behind: tuple[str, str]) -> bool:
    return _order(view) > behind and asked.state in (None, view.state) and may_see(principal, view)


def _order(view: JobView) -> tuple[str, str]:
    return view.agent, view.job.id


def _place(before: str | None) -> tuple[str, str]:
    """Behind which job the page begins. Raises ApiError 400."""
    if before is None:
        return "", ""
    agent, between, job = before.partition(_BETWEEN)
    if not between:
        raise invalid("before", "`before` is the `next` of an earlier page.")
    return agent, job


def _told(view: JobView, principal: Principal, warnings: Sequence[JobProblem] = ()) -> JobDocument:
    return documents.job(view, whole=principal.admin, warnings=warnings)
