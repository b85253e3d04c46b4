"""Responses: asked, read again, cancelled, deleted (SPEC 11.4, 16.3)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from aiohttp.web_response import StreamResponse

from serai.api.ask import asked
from serai.api.body import decode, read
from serai.api.code import TURN
from serai.api.error import ApiError, invalid, unanswered
from serai.api.header import CHAT, IDEMPOTENCY, THREAD, USER
from serai.api.models import stamp
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.api.response.convert import question
from serai.api.response.echo import Echo, echo
from serai.api.response.id import response_id, run_id
from serai.api.response.item import inputs
from serai.api.response.item_list import page
from serai.api.response.object import About, Response, Status, outputs, status_of
from serai.api.response.shape import ItemPage, ItemQuery, ResponseDeleted, ResponseEvent, ResponseQuery
from serai.api.response.stream import Facts, ResponseStream
from serai.api.response.wire import ResponseRequest
from serai.api.services import Lasting, Run, Runs
from serai.core.message import Message
from serai.gateway.request.run import Ask
from serai.ports.clock import Clock
from serai.ports.conversation import ConversationRow
from serai.ports.record import NewRecord, RecordRow

_ERRORS: Final = ("response_not_found", "storage_failed")
_REQUEST: Final = msgspec.json.Decoder(ResponseRequest)
_decode_echo: Final = msgspec.json.Decoder(Echo).decode


FindConversation = Callable[[Call, str, str | None], Awaitable[ConversationRow]]
"""Finds a conversation of the caller's for a model. Raises ApiError 404."""


class ResponseResource:
    """`/v1/responses` and what lies under it."""

    def __init__(self, runs: Runs, lasting: Lasting, find_conversation: FindConversation, clock: Clock) -> None:
        self._runs = runs
        self._find_conversation = find_conversation
        self._lasting = lasting
        self._clock = clock

    @Operation(
        summary="Asks an agent, as a response",
        answer=Response,
        body=ResponseRequest,
        stream=ResponseEvent,
        headers=(CHAT, USER, THREAD, IDEMPOTENCY),
        errors=(
            *TURN,
            "unsupported_parameter",
            "invalid_tools",
            "model_not_found",
            "no_tool_call",
            "conversation_not_found",
            "conversation_busy",
            "response_not_found",
            "response_not_ready",
            "session_not_found",
            "idempotency_conflict",
        ),
    )
    async def create(self, call: Call) -> StreamResponse:
        """POST /v1/responses. Raises the errors of `Runs.start`, and ApiError for what is wrong."""
        body = await read(call.request)
        wanted = decode(_REQUEST, body)
        repeated = echo(wanted, _conversation(wanted))
        ask = await self._ask(call, wanted, body, repeated)
        if wanted.background:
            return await self._begin(call, wanted, await self._lasting.start(ask), repeated)
        run = await self._runs.start(ask)
        about = About(run.id, run.agent, run.created_at, repeated)
        try:
            if wanted.stream:
                return await self._stream(call, about).tell(run)
            return await self._whole(call, run, about)
        finally:
            if not repeated.store:
                await self._lasting.forget(run.id)

    @Operation(summary="One response", answer=Response, query=ResponseQuery, stream=ResponseEvent, errors=_ERRORS)
    async def one(self, call: Call) -> StreamResponse:
        """GET /v1/responses/{id}, as it is or, with `stream=true`, as the stream of its events."""
        row = await self._find(call)
        query = call.request.rel_url.query
        if query.get("stream", "false") != "true":
            return document(200, await self._object(row))
        if not row.background and row.ended is None:
            raise invalid("stream", "Only a background response can be followed while it is made.")
        after = query.get("starting_after", "-1")
        if not (after.isascii() and after.lstrip("-").isdigit() and len(after) < 10):
            raise invalid("starting_after", "`starting_after` is the number of an event.")
        return await self._stream(call, _about(row), int(after)).follow(await self._lasting.trail(row))

    @Operation(summary="Deletes a response", answer=ResponseDeleted, errors=_ERRORS)
    async def delete(self, call: Call) -> Reply:
        """DELETE /v1/responses/{id}."""
        row = await self._find(call)
        await self._lasting.drop(row)
        return document(200, ResponseDeleted(response_id(row.id)))

    @Operation(summary="Cancels a background response", answer=Response, errors=(*_ERRORS, "not_in_background"))
    async def cancel(self, call: Call) -> Reply:
        """POST /v1/responses/{id}/cancel. One that has ended stays as it is."""
        row = await self._find(call)
        if not row.background:
            raise invalid("id", "Only a background response can be cancelled.", "not_in_background")
        if row.ended is None:
            await self._lasting.stop(row)
            row = await self._find(call)
        return document(200, await self._object(row))

    @Operation(summary="What was asked", answer=ItemPage, query=ItemQuery, errors=_ERRORS)
    async def input_items(self, call: Call) -> Reply:
        """GET /v1/responses/{id}/input_items."""
        row = await self._find(call)
        said = await self._lasting.said(row.id, row.owner, row.agent)
        messages = (*said.body.before, said.body.message) if said is not None else ()
        return document(200, page(call.request.rel_url.query, inputs(row.id, messages)))

    async def _ask(self, call: Call, wanted: ResponseRequest, body: bytes, repeated: Echo) -> Ask:
        earlier = await self._earlier(call, wanted) if wanted.previous_response_id is not None else None
        name = repeated.conversation.id if repeated.conversation is not None else None
        conversation = await self._find_conversation(call, name, wanted.model) if name is not None else None
        agent = earlier.agent if earlier is not None else None
        record = NewRecord(
            "response",
            msgspec.json.encode(repeated),
            background=repeated.background,
            most=call.snapshot.api.max_runs if repeated.background else None,
            fleeting=not repeated.store,
        )
        return asked(
            call,
            body,
            question(wanted, continued=earlier is not None or conversation is not None),
            model=wanted.model,
            session=name,
            agent=conversation.agent if conversation is not None else agent,
            conversation=name,
            record=record,
            follows=earlier.id if earlier is not None else None,
            place=await self._lasting.place(earlier) if earlier is not None and repeated.store else None,
        )

    async def _earlier(self, call: Call, wanted: ResponseRequest) -> RecordRow:
        """The response that is continued: of this key, and of the agent that `model` names, if it names one."""
        name = wanted.previous_response_id or ""
        row = await self._lasting.find(run_id(name), "response", call.principal)
        agent = stamp(wanted.model, call.principal, call.snapshot)
        if row is None or row.owner != call.principal.name or agent not in (None, row.agent):
            raise _missing(name, "previous_response_id")
        if row.ended is None or not row.turn:
            text = "This response was cancelled before it began." if row.ended else "This response is not ready yet."
            raise ApiError(409, "response_not_ready", text, param="previous_response_id")
        return row

    async def _begin(self, call: Call, wanted: ResponseRequest, run: Run, repeated: Echo) -> StreamResponse:
        row = await self._lasting.find(run.id, "response", call.principal)
        if row is None:
            raise _missing(response_id(run.id), None)
        if wanted.stream:
            return await self._stream(call, _about(row)).follow(await self._lasting.trail(row))
        if run.replayed:
            return document(200, await self._object(row))
        about = About(run.id, run.agent, run.created_at, repeated)
        return document(200, about.response("queued"))

    async def _whole(self, call: Call, run: Run, about: About) -> Reply:
        ended = None
        try:
            ended = await run.ended()
        finally:
            if ended is None:
                run.abandon()
            run.close()
        if ended.state != "done":
            raise unanswered(ended)
        said = await self._said(call.principal.name, about)
        items = outputs(about, said, ended, final_only=self._lasting.hides_drafts)
        ended_at = await self._ended_at(call, about)
        return document(200, about.response(status_of(ended), items, ended, ended_at))

    async def _object(self, row: RecordRow) -> Response:
        about = _about(row)
        if row.ended is None:
            state: Status = "queued" if row.state == "queued" else "in_progress"
            return about.response(state)
        said = await self._said(row.owner, about)
        items = outputs(about, said, row.ended, final_only=self._lasting.hides_drafts)
        return about.response(status_of(row.ended), items, row.ended, row.ended_at)

    async def _said(self, owner: str, about: About) -> Sequence[Message]:
        """What the agent said in the turn."""
        exchange = await self._lasting.said(about.run, owner, about.agent)
        return exchange.answered() if exchange is not None else ()

    def _stream(self, call: Call, about: About, after: int = -1) -> ResponseStream:
        facts = Facts(lambda: self._said(call.principal.name, about), lambda: self._ended_at(call, about))
        return ResponseStream(call, about, facts, after)

    async def _ended_at(self, call: Call, about: About) -> float:
        """When a response ended, as everybody is told who asks later; of one that is not kept, now."""
        row = await self._lasting.find(about.run, "response", call.principal) if about.echo.store else None
        return row.ended_at if row is not None and row.ended_at is not None else self._clock.now()

    async def _find(self, call: Call) -> RecordRow:
        row = await self._lasting.find(run_id(call.parts[0]), "response", call.principal)
        if row is None:
            raise _missing(call.parts[0], None)
        return row


def _conversation(wanted: ResponseRequest) -> str | None:
    """The id of the conversation that is meant. Raises ApiError 400 where that cannot be."""
    if wanted.conversation is None:
        return None
    if wanted.previous_response_id is not None:
        raise invalid("conversation", "`conversation` and `previous_response_id` exclude each other.")
    if wanted.store is False:
        raise invalid("store", "What is said in a conversation is kept in it.")
    return wanted.conversation if isinstance(wanted.conversation, str) else wanted.conversation.id


def _about(row: RecordRow) -> About:
    return About(row.id, row.agent, row.created_at, _decode_echo(row.document))


def _missing(name: str, param: str | None) -> ApiError:
    return ApiError(404, "response_not_found", f"There is no response `{name}`.", param=param)
