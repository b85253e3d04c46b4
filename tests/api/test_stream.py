"""Streamed chat completions (SPEC 11.3; OpenAI API reference, "Chat completion chunk")."""

import asyncio
import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from serai.api.sse import PATIENCE_S, untold
from serai.core.event import TextDelta, ToolStarted, TurnEnded, TurnFault
from serai.core.message import Answer
from serai.testing.clock import virtual_time
from tests.api.stage import ALL_KEY, ANSWER, Answered, FakeRuns, request, serving

USER = {"role": "user", "content": "2+2?"}
SPOKEN = (TextDelta("It "), TextDelta("is "), TextDelta("4."))
BROKEN = TurnEnded("failed", fault=TurnFault("the model broke off", 502, "upstream_bad_answer"))


def events(answer: Answered) -> list[Any]:
    """The data of all events; [DONE] stays text."""
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = answer.body.decode().split("\n\n")
    assert blocks.pop() == ""
    data = [block.removeprefix("data: ") for block in blocks if not block.startswith(":")]
    return [text if text == "[DONE]" else json.loads(text) for text in data]


def chunks(answer: Answered) -> list[ChatCompletionChunk]:
    *some, done = events(answer)
    assert done == "[DONE]"
    return [ChatCompletionChunk.model_validate(document, strict=True) for document in some]


def told(answer: Answered) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks(answer) for choice in chunk.choices)


async def test_a_stream_begins_with_the_role_and_ends_with_the_reason() -> None:
    async with serving(FakeRuns(*SPOKEN, ANSWER)) as stage:
        answer = await stage.chat(stream=True, model="ops")
    assert answer.headers["x-hermes-session-id"] == "ses_1"
    assert answer.headers["cache-control"] == "no-cache"
    role, *texts, last = chunks(answer)
    assert (role.choices[0].delta.role, role.choices[0].delta.content) == ("assistant", "")
    assert [chunk.choices[0].delta.content for chunk in texts] == ["It ", "is ", "4."]
    assert (last.choices[0].delta.content, last.choices[0].finish_reason) == (None, "stop")
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks(answer)} == {
        ("chatcmpl-run_1", "ops", 1700000000)
    }
    assert not any("usage" in document for document in events(answer)[:-1])


async def test_usage_comes_last_where_it_was_asked_for() -> None:
    async with serving(FakeRuns(*SPOKEN, ANSWER)) as stage:
        answer = await stage.chat(stream=True, stream_options={"include_usage": True})
    *others, last = chunks(answer)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 41
    assert all("usage" in document and document["usage"] is None for document in events(answer)[:-2])
    assert others[-1].choices[0].finish_reason == "stop"


async def test_the_official_client_reads_the_stream() -> None:
    async with serving(FakeRuns(*SPOKEN, ANSWER)) as stage, stage.client() as client:
        stream = await client.chat.completions.create(model="default", messages=[USER], stream=True)
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(texts) == "It is 4."


async def test_text_is_written_as_json_whatever_it_holds() -> None:
    text = 'He said: "no"\n\ndata: [DONE]\n\n\u2028\x00\\ Zürich 🦜'
    async with serving(FakeRuns(TextDelta(text), TurnEnded("done", Answer(text)))) as stage:
        assert told(await stage.chat(stream=True)) == text


@pytest.mark.parametrize(
    ("pieces", "final", "expected"),
    [
        ((), "It is 4.", "It is 4."),
        (("It is ",), "It is 4.", "It is 4."),
        (("Let me see. ", "It is 4."), "It is 4.", "Let me see. It is 4."),
        (("I guess",), "It is 4.", "I guess\n\nIt is 4."),
        (("",), "", ""),
    ],
)
async def test_the_final_text_arrives_whole_whatever_was_told_before(
    pieces: tuple[str, ...], final: str, expected: str
) -> None:
    script = (*map(TextDelta, pieces), TurnEnded("done", Answer(final)))
    async with serving(FakeRuns(*script)) as stage:
        assert told(await stage.chat(stream=True)) == expected
    assert untold("".join(pieces), final) in expected


async def test_who_repeats_a_request_is_told_the_answer_whole_whatever_it_came_into() -> None:
    runs = FakeRuns(TextDelta("is 4."), ANSWER)
    runs.replayed = True
    async with serving(runs) as stage:
        assert told(await stage.chat(stream=True)) == "It is 4."


async def test_pieces_are_told_as_they_come() -> None:
    go_on = asyncio.Event()
    async with serving(FakeRuns(TextDelta("It "), go_on, TextDelta("is 4."), ANSWER)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        await reader.readuntil(b'"content":"It "')
        go_on.set()
        await reader.readuntil(b'"content":"is 4."')
        await reader.readuntil(b"data: [DONE]")
        writer.close()


async def test_what_is_there_at_once_is_written_at_once() -> None:
    async with serving(FakeRuns(*SPOKEN, ANSWER)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked\r\n" in head
        size = int(await reader.readline(), 16)
        assert (await reader.readexactly(size)).endswith(b"data: [DONE]\n\n")
        writer.close()


async def test_an_error_after_the_first_piece_is_an_event_and_ends_the_connection() -> None:
    wait = asyncio.Event()
    async with serving(FakeRuns(TextDelta("It "), wait, BROKEN)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        await reader.readuntil(b'"content":"It "')
        wait.set()
        rest = await reader.read()
        writer.close()
    assert b'data: {"error":{"message":"the model broke off"' in rest
    assert rest.endswith(b"\n\n\r\n0\r\n\r\n")
    assert b"[DONE]" not in rest


async def test_the_official_client_raises_an_error_in_the_midst_of_a_stream() -> None:
    wait = asyncio.Event()
    async with serving(FakeRuns(TextDelta("It "), wait, BROKEN)) as stage, stage.client() as client:
        stream = await client.chat.completions.create(model="default", messages=[USER], stream=True)
        wait.set()
        with pytest.raises(openai.APIError, match="broke off"):
            async for _ in stream:
                pass


async def test_an_unforeseen_error_in_the_midst_of_a_stream_tells_nothing() -> None:
    wait = asyncio.Event()
    async with serving(FakeRuns(TextDelta("It "), wait, RuntimeError("fake-secret"))) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        await reader.readuntil(b'"content":"It "')
        wait.set()
        rest = await reader.read()
        writer.close()
    assert b'"code":"internal_error"' in rest
    assert b"fake-secret" not in rest
    assert stage.runs.runs[0].abandoned.is_set()


async def test_a_run_whose_events_stop_short_is_an_error() -> None:
    async with serving(FakeRuns(ToolStarted("c1", "add"))) as stage:
        answer = await stage.chat(stream=True)
    assert (answer.status, answer.error["code"]) == (500, "internal_error")


async def test_a_failure_before_anything_was_said_keeps_its_status() -> None:
    async with serving(FakeRuns(ToolStarted("c1", "add"), BROKEN)) as stage:
        answer = await stage.chat(stream=True)
    assert (answer.status, answer.error["code"]) == (502, "upstream_bad_answer")


@virtual_time
async def test_silence_is_filled_with_comments_every_15_seconds() -> None:
    loop = asyncio.get_running_loop()
    go_on = asyncio.Event()
    async with serving(FakeRuns(go_on, *SPOKEN, ANSWER)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        begun = loop.time()
        writer.write(_ask())
        await reader.readuntil(b": keep-alive\n\n")
        assert loop.time() - begun == pytest.approx(PATIENCE_S)
        await reader.readuntil(b": keep-alive\n\n")
        assert loop.time() - begun == pytest.approx(2 * PATIENCE_S)
        go_on.set()
        rest = await reader.readuntil(b"data: [DONE]")
        assert rest.index(b'"role":"assistant"') < rest.index(b'"content":"It "')
        writer.close()


@virtual_time
async def test_a_failure_after_a_comment_is_an_event() -> None:
    go_on = asyncio.Event()
    async with serving(FakeRuns(go_on, BROKEN)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        head = await reader.readuntil(b": keep-alive\n\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        go_on.set()
        await reader.readuntil(b'"code":"upstream_bad_answer"')
        writer.close()


async def test_a_listener_that_goes_away_abandons_the_run() -> None:
    async with serving(FakeRuns(TextDelta("It "), asyncio.Event())) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask())
        await reader.readuntil(b'"content":"It "')
        writer.close()
        (run,) = stage.runs.runs
        await run.abandoned.wait()
        assert run.closed


async def test_a_replayed_stream_is_told_as_a_stream() -> None:
    async with serving(FakeRuns(ANSWER)) as stage:
        stage.runs.replayed = True
        assert told(await stage.chat(stream=True, headers={"Idempotency_Key": "k"})) == "It is 4."


async def test_an_old_client_gets_the_stream_without_chunks() -> None:
    async with serving(FakeRuns(*SPOKEN, ANSWER)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(_ask().replace(b"HTTP/1.1", b"HTTP/1.0"))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert b"chunked" not in head
    assert b"Connection: close" in head
    assert body.endswith(b"data: [DONE]\n\n")


def _ask() -> bytes:
    body = {"messages": [USER], "stream": True}
    return request("POST", "/v1/chat/completions", body, [("Authorization", f"Bearer {ALL_KEY}")])
