"""POST /api/sessions/{id}/chat: the next message of a stored session, whole or as a stream (SPEC 11.6, 16.3).

The events of a stream have the names and shapes of a run's (SPEC 16.7): the name stands in `event:` and in `type`.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from aiohttp.web_response import StreamResponse
from msgspec import Meta, Struct

from serai.api.body import decode, read
from serai.api.code import TURN
from serai.api.error import ApiError, unanswered
from serai.api.feed import Feed
from serai.api.header import IDEMPOTENCY, SESSION, identifier
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import EventStream, document
from serai.api.run.told import (
    ApprovalAsked,
    ApprovalGiven,
    MessageDelta,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunUsage,
    SessionTold,
    ToolEnd,
    ToolStart,
)
from serai.api.services import Run, Runs
from serai.api.session.resource import Sessions
from serai.api.sse import KEEP_ALIVE, PATIENCE_S, untold
from serai.core.event import (
    ApprovalAnswered,
    ApprovalRequested,
    RunEvent,
    TextDelta,
    ToolEnded,
    ToolStarted,
    TurnEnded,
)
from serai.core.message import Answer, InputBody, Message
from serai.core.source import Source
from serai.gateway.request.run import Ask
from serai.gateway.request.sessions import API
from serai.ports.store.archive import SessionRow


class SessionMessage(Struct, forbid_unknown_fields=True):
    """What is said."""

    message: Annotated[str, Meta(min_length=1)]
    stream: bool = False


class Tokens(Struct):
    """Tokens of all model calls of the turn."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int
    reasoning_tokens: int


class Said(Struct, tag_field="role", tag="assistant"):
    """The answer's text."""

    content: str


class SessionAnswer(Struct, tag_field="object", tag="session.answer"):
    """A turn that ended with an answer. `model` is the one that the agent thought with."""

    id: str
    created: int
    session_id: str
    agent: str
    model: str
    message: Said
    finish_reason: str
    usage: Tokens


_DECODER: Final = msgspec.json.Decoder(SessionMessage)
_encode: Final = msgspec.json.Encoder().encode


class SessionChat:
    """Talks in stored sessions."""

    def __init__(self, sessions: Sessions, runs: Runs) -> None:
        self._sessions = sessions
        self._runs = runs

    @Operation(
        summary="Says something in a session",
        answer=SessionAnswer,
        body=SessionMessage,
        stream=SessionTold,
        headers=(IDEMPOTENCY,),
        errors=(*TURN, "session_not_found", "session_of_chat", "idempotency_conflict"),
    )
    async def say(self, call: Call) -> StreamResponse:
        """Asks the session's agent. Raises the errors of `Runs.start`, and ApiError for what is wrong."""
        row = await self._sessions.known(call)
        body = await read(call.request)
        asked = decode(_DECODER, body)
        if row.platform != API:
            text = "This session belongs to a chat: what is said in it, is said there."
            raise ApiError(409, "session_of_chat", text)
        run = await self._runs.start(_ask(call, row, asked, body))
        lines = ((SESSION, run.session),)
        if asked.stream:
            return await _Stream(call, run, lines).tell()
        return document(200, await _answered(run, lines), lines)


def _ask(call: Call, row: SessionRow, asked: SessionMessage, body: bytes) -> Ask:
    """The question, in the name of the session's own key: an admin may speak there, too."""
    key = identifier(call.request.headers, IDEMPOTENCY)
    source = Source(API, agent_id=row.agent)
    question = InputBody(Message("user", asked.message), stream=asked.stream)
    principal = replace(call.principal, name=row.owner)
    if key is None:
        return Ask(source, question, principal, row.id)
    route = sha256(f"{call.request.path}\0{row.id}".encode()).hexdigest()
    return Ask(source, question, principal, row.id, key, route, sha256(body).hexdigest())


async def _answered(run: Run, lines: Sequence[tuple[str, str]]) -> SessionAnswer:
    ended = None
    try:
        ended = await run.ended()
    finally:
        if ended is None:
            run.abandon()
        run.close()
    if ended.state != "done":
        raise unanswered(ended, tuple(lines))
    return _document(run, ended)


def _document(run: Run, ended: TurnEnded) -> SessionAnswer:
    answer = ended.answer or Answer("")
    used = answer.usage
    total = used.input_tokens + used.output_tokens
    tokens = Tokens(used.input_tokens, used.output_tokens, total, used.cached_tokens, used.reasoning_tokens)
    created, reason = int(run.created_at), answer.finish_reason
    return SessionAnswer(run.id, created, run.session, run.agent, answer.model, Said(answer.text), reason, tokens)


class _Stream:
    """One streamed answer. Nothing is sent before something happens, so an early failure has its status."""

    def __init__(self, call: Call, run: Run, lines: tuple[tuple[str, str], ...]) -> None:
        self._run = run
        self._lines = lines
        self._out = call.stream = call.events(lines)
        self._text: list[str] = []

    async def tell(self) -> EventStream:
        """Sends everything. Raises ApiError where the turn failed before it was heard of, ClientGone where nobody
        listens; then, and when it is cancelled, the run is abandoned."""
        feed = Feed(self._run.events())
        ended = None
        try:
            while ended is None:
                batch = await feed.batch(PATIENCE_S)
                ended = last if batch and isinstance(last := batch[-1], TurnEnded) else None
                if ended is not None and ended.state != "done" and not self._out.started:
                    raise unanswered(ended, self._lines)
                events = b"".join(_event(told) for one in batch for told in self._told(one))
                if ended is None:
                    await self._out.send(events or KEEP_ALIVE)
                else:
                    await self._out.end(events)
        finally:
            feed.close()
            if ended is None:
                self._run.abandon()
            self._run.close()
        return self._out

    def _told(self, event: RunEvent) -> Sequence[SessionTold]:
        run = self._run.id
        match event:
            case TextDelta(text=text):
                self._text.append(text)
                return [MessageDelta(run, text)] if text else []
            case ToolStarted():
                return [ToolStart(run, event.name, event.call_id)]
            case ToolEnded():
                return [ToolEnd(run, event.name, event.call_id, event.ok)]
            case ApprovalRequested(approval, call, name, arguments):
                return [ApprovalAsked(run, approval, event.question, event.expires_at, name, call, arguments)]
            case ApprovalAnswered(approval, choice, by):
                return [ApprovalGiven(run, approval, choice, by)]
            case TurnEnded():
                return self._end(event)

    def _end(self, ended: TurnEnded) -> Sequence[SessionTold]:
        run = self._run.id
        if ended.state == "cancelled":
            return [RunCancelled(run)]
        if ended.state == "failed":
            return [RunFailed(run, msgspec.json.decode(unanswered(ended).detail()))]
        answer = ended.answer or Answer("")
        rest = untold("".join(self._text), answer.text)
        used = answer.usage
        usage = RunUsage(used.input_tokens, used.output_tokens, used.input_tokens + used.output_tokens)
        completed = RunCompleted(run, answer.text, usage)
        return [MessageDelta(run, rest), completed] if rest else [completed]


def _event(told: SessionTold) -> bytes:
    name = type(told).__struct_config__.tag
    return b"event: %b\ndata: %b\n\n" % (str(name).encode(), _encode(told))
