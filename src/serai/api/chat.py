"""POST /v1/chat/completions (SPEC 11.2, 11.3, 11.7)."""

from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec
from aiohttp import web

from serai.api.answer import Chunks, Completion, completion
from serai.api.body import decode, read
from serai.api.chunk import Chunk
from serai.api.code import TURN
from serai.api.convert import input_body
from serai.api.error import unanswered
from serai.api.header import CHAT, IDEMPOTENCY, SESSION, THREAD, USER, identifier, text
from serai.api.models import stamp
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply
from serai.api.services import Run, Runs
from serai.api.stream import Stream
from serai.api.wire import ChatRequest
from serai.core.ids import AgentId, SessionId
from serai.core.message import Answer
from serai.core.source import Source
from serai.gateway.run import Ask

PLATFORM: Final = "api_server"

_DECODER: Final = msgspec.json.Decoder(ChatRequest)


class Chat:
    """Chat completions, whole and streamed."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    @Operation(
        summary="Asks an agent",
        answer=Completion,
        body=ChatRequest,
        stream=Chunk,
        headers=(CHAT, USER, THREAD, SESSION, IDEMPOTENCY),
        errors=(
            *TURN,
            "unsupported_parameter",
            "invalid_tools",
            "model_not_found",
            "no_tool_call",
            "session_not_found",
            "idempotency_conflict",
        ),
    )
    async def complete(self, call: Call) -> web.StreamResponse:
        """Asks the agent and answers. Raises the errors of `Runs.start`, and ApiError for what is wrong."""
        body = await read(call.request)
        asked = decode(_DECODER, body)
        run = await self._runs.start(_ask(call, asked, body))
        lines = ((SESSION, run.session),)
        if not asked.stream:
            return await _whole(run, lines)
        usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)
        return await Stream(call, run, Chunks(run, usage=usage), lines).tell()


async def _whole(run: Run, lines: tuple[tuple[str, str], ...]) -> Reply:
    ended = None
    try:
        ended = await run.ended()
    finally:
        if ended is None:
            run.abandon()
        run.close()
    if ended.state != "done":
        raise unanswered(ended, lines)
    return Reply(200, completion(run, ended.answer or Answer("")), lines=lines)


def _ask(call: Call, asked: ChatRequest, body: bytes) -> Ask:
    headers = call.request.headers
    chat, user, thread = text(headers, CHAT), text(headers, USER), text(headers, THREAD)
    session, key = identifier(headers, SESSION, empty_is_absent=True), identifier(headers, IDEMPOTENCY)
    agent = stamp(asked.model, call.principal, call.snapshot)
    source = _source(chat, user, thread, agent)
    question = input_body(asked, stored=session is not None)
    name = SessionId(session) if session is not None else None
    if key is None:
        return Ask(source, question, call.principal, name)
    route = (call.request.path, chat, user, thread, session, asked.model)
    digest = sha256("\0".join([part or "" for part in route]).encode()).hexdigest()
    return Ask(source, question, call.principal, name, key, digest, sha256(body).hexdigest())


@lru_cache(maxsize=1024)
def _source(chat: str | None, user: str | None, thread: str | None, agent: AgentId | None) -> Source:
    """Remembered, because making this value costs more than all the reading before it."""
    return Source(PLATFORM, chat_id=chat, user_id=user, thread_id=thread, agent_id=agent)
