"""POST /v1/chat/completions (SPEC 11.2, 11.3, 11.7)."""

from typing import Final

import msgspec
from aiohttp.web_response import StreamResponse

from serai.api.ask import asked, session_of
from serai.api.body import decode, read
from serai.api.code import TURN
from serai.api.completion.answer import Chunks, Completion, completion
from serai.api.completion.chunk import Chunk
from serai.api.completion.convert import input_body
from serai.api.completion.stream import Stream
from serai.api.completion.wire import ChatRequest
from serai.api.error import unanswered
from serai.api.header import CHAT, IDEMPOTENCY, SESSION, THREAD, USER
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply
from serai.api.services import Run, Runs
from serai.core.message import Answer

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
    async def complete(self, call: Call) -> StreamResponse:
        """Asks the agent and answers. Raises the errors of `Runs.start`, and ApiError for what is wrong."""
        body = await read(call.request)
        wanted = decode(_DECODER, body)
        session = session_of(call)
        question = input_body(wanted, stored=session is not None)
        run = await self._runs.start(asked(call, body, question, model=wanted.model, session=session))
        lines = ((SESSION, run.session),)
        if not wanted.stream:
            return await _whole(run, lines)
        usage = wanted.stream_options is not None and bool(wanted.stream_options.include_usage)
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
