"""Runs: questions that are answered in the background (SPEC 11.5, 16.3)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal

import msgspec
from aiohttp.web_response import StreamResponse
from msgspec import Meta, Struct

from serai.api.ask import asked, session_of
from serai.api.body import decode, read
from serai.api.code import TURN
from serai.api.completion.convert import input_body
from serai.api.completion.wire import ChatMessage, ChatRequest, UserMessage
from serai.api.error import ApiError, invalid
from serai.api.feed import Feed
from serai.api.header import CHAT, IDEMPOTENCY, LAST_EVENT, SESSION, THREAD, USER, only
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import EVENTS, Reply, document
from serai.api.run.event import END, RunEvents, error_of, seen, usage_of
from serai.api.run.told import RunTold
from serai.api.services import Approval, Approvals, Lasting
from serai.api.sse import KEEP_ALIVE, PATIENCE_S
from serai.core.event import TurnEnded
from serai.core.ids import InputId
from serai.core.message import InputBody
from serai.ports.record import NewRecord, RecordRow, RecordState

Status = Literal["queued", "running", "waiting_for_approval", "stopping", "completed", "failed", "cancelled"]


class RunRequest(Struct, forbid_unknown_fields=True):
    """What a run is begun with: a question, or a conversation whose last message is the question."""

    input: Annotated[str, Meta(min_length=1)] | Annotated[list[ChatMessage], Meta(min_length=1)]
    model: str | None = None
    instructions: str | None = None
    session_id: Annotated[str, Meta(pattern="^[!-~]{1,256}$")] | None = None


class AskedApproval(Struct):
    """What a run waits for."""

    id: str
    tool: str
    arguments: str


class RunObject(Struct, tag_field="object", tag="run"):
    """A run as it is now. `model` is the agent; times are seconds since the epoch."""

    run_id: str
    status: Status
    model: str
    session_id: str
    created_at: int
    started_at: int | None
    completed_at: int | None
    output: str | None
    usage: dict[str, int] | None
    error: msgspec.Raw | None
    approval: AskedApproval | None


class Begun(Struct):
    """The answer to a new run."""

    run_id: str
    status: Status


class ApprovalRequest(Struct, forbid_unknown_fields=True):
    """Somebody's answer to what a run waits for; `approval_id` says which one is meant."""

    choice: Literal["once", "session", "always", "deny"]
    approval_id: str | None = None


_ERRORS: Final = ("run_not_found", "storage_failed")
_REQUEST: Final = msgspec.json.Decoder(RunRequest)
_APPROVAL: Final = msgspec.json.Decoder(ApprovalRequest)
_STATUS: Final[Mapping[RecordState, Status]] = {
    "queued": "queued",
    "running": "running",
    "stopping": "stopping",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}


class RunResource:
    """`/v1/runs` and what lies under it."""

    def __init__(self, lasting: Lasting, approvals: Approvals) -> None:
        self._lasting = lasting
        self._approvals = approvals

    @Operation(
        summary="Asks an agent in the background",
        answer=Begun,
        status=202,
        body=RunRequest,
        headers=(CHAT, USER, THREAD, SESSION, IDEMPOTENCY),
        errors=(*TURN, "unsupported_parameter", "model_not_found", "session_not_found", "idempotency_conflict"),
    )
    async def begin(self, call: Call) -> Reply:
        """POST /v1/runs. Raises the errors of `Runs.start`, and ApiError for what is wrong."""
        body = await read(call.request)
        wanted = decode(_REQUEST, body)
        session = wanted.session_id or session_of(call)
        record = NewRecord("run", b"", background=True, most=call.snapshot.api.max_runs)
        question = _question(wanted, stored=session is not None)
        run = await self._lasting.start(
            asked(call, body, question, model=wanted.model, session=session, record=record)
        )
        row = await self._lasting.find(run.id, "run", call.principal)
        status = await self._status(row) if row is not None else "queued"
        return document(202, Begun(run.id, status), (("Location", f"/v1/runs/{run.id}"),))

    @Operation(summary="How a run is", answer=RunObject, errors=_ERRORS)
    async def one(self, call: Call) -> Reply:
        """GET /v1/runs/{id}."""
        row = await self._find(call)
        return document(200, _object(row, await self._status(row), await self._approvals.open(row.id)))

    @Operation(summary="Stops a run", answer=RunObject, errors=_ERRORS)
    async def stop(self, call: Call) -> Reply:
        """POST /v1/runs/{id}/stop. One that has ended stays as it is."""
        row = await self._find(call)
        if row.ended is None:
            await self._lasting.stop(row)
            row = await self._find(call)
        return document(200, _object(row, await self._status(row), None))

    @Operation(
        summary="Answers what a run waits for",
        answer=RunObject,
        body=ApprovalRequest,
        errors=(*_ERRORS, "no_approval"),
    )
    async def approve(self, call: Call) -> Reply:
        """POST /v1/runs/{id}/approval."""
        row = await self._find(call)
        wanted = decode(_APPROVAL, await read(call.request))
        waiting = await self._approvals.open(row.id)
        if waiting is None or wanted.approval_id not in (None, waiting.id):
            raise ApiError(409, "no_approval", "The run does not wait for this approval.", param="approval_id")
        if not await self._approvals.answer(waiting.id, wanted.choice, call.principal.name):
            raise ApiError(409, "no_approval", "Somebody else was faster.", param="approval_id")
        return await self.one(call)

    @Operation(summary="What a run does", stream=RunTold, headers=(LAST_EVENT,), also={204: None}, errors=_ERRORS)
    async def events(self, call: Call) -> StreamResponse:
        """GET /v1/runs/{id}/events. The stream ends after the last event."""
        row = await self._find(call)
        last = only(call.request.headers, LAST_EVENT) or ""
        after = seen(last)
        if last and last != END and after is None:
            raise invalid(LAST_EVENT, "This is no id of an event of a run.", "invalid_header")
        if last == END:
            return Reply(204, b"")  # tells browsers not to come back
        if call.request.method == "HEAD":
            return Reply(200, b"", kind=EVENTS)
        call.stream = out = call.events()
        trail = await self._lasting.trail(row)
        events = RunEvents(row.id, after)
        feed = Feed(trail.follow())
        try:
            await out.send(KEEP_ALIVE)
            while True:
                batch = await feed.batch(PATIENCE_S)
                data = b"".join(events.take(event) for event in batch)
                if batch and isinstance(batch[-1], TurnEnded):
                    await out.end(data)
                    return out
                if data or not batch:
                    await out.send(data or KEEP_ALIVE)
        finally:
            feed.close()

    async def _find(self, call: Call) -> RecordRow:
        row = await self._lasting.find(InputId(call.parts[0]), "run", call.principal)
        if row is None:
            raise ApiError(404, "run_not_found", f"There is no run `{call.parts[0]}`.")
        return row

    async def _status(self, row: RecordRow) -> Status:
        if row.state == "running" and await self._approvals.open(row.id) is not None:
            return "waiting_for_approval"
        return _STATUS[row.state]


def _question(wanted: RunRequest, *, stored: bool) -> InputBody:
    messages: list[ChatMessage] = [UserMessage(wanted.input)] if isinstance(wanted.input, str) else wanted.input
    body = input_body(ChatRequest(messages, stream=True), stored=stored)
    system = "\n\n".join(filter(None, (wanted.instructions, body.system)))
    return replace(body, system=system, approvable=True)


def _object(row: RecordRow, status: Status, approval: Approval | None) -> RunObject:
    ended = row.ended
    answer = ended.answer if ended is not None else None
    return RunObject(
        run_id=row.id,
        status=status,
        model=row.agent,
        session_id=row.session,
        created_at=int(row.created_at),
        started_at=_second(row.started_at),
        completed_at=_second(row.ended_at),
        output=answer.text if answer is not None else None,
        usage=usage_of(answer.usage) if answer is not None else None,
        error=error_of(ended) if ended is not None and ended.state == "failed" else None,
        approval=AskedApproval(approval.id, approval.tool, approval.arguments) if approval is not None else None,
    )


def _second(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
