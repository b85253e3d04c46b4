"""The client of OpenAI-compatible endpoints: what it sends, and what it makes of good answers (SPEC 7.2)."""

import asyncio
import dataclasses
import json

import pytest
from aiohttp import web

from serai.core.error import ModelError, ModelTimeout, NoModel
from serai.core.ids import AgentId
from serai.core.message import Image, Message, ToolCall, Usage
from serai.models.openai_chat import OpenAIChat
from serai.ports.model import ToolSpec
from serai.testing.clock import virtual_time
from tests.patience import PATIENCE_S

from .calling import KEY, OPS, PATIENT, Safe, ask, client, request
from .stub import (
    DONE,
    USAGE,
    Stub,
    answer,
    chunk,
    documents,
    event,
    http,
    read_request,
    replies,
    says,
    serving,
    speaking,
    stalls,
    streams,
)


async def test_a_streamed_answer_comes_back_whole() -> None:
    async with serving(says("Paris ", "is the capital.")) as stub:
        reply = await ask(request(stub.base_url))
    assert reply.message == Message("assistant", "Paris is the capital.")
    assert reply.usage == Usage(input_tokens=11, output_tokens=7, cached_tokens=5, reasoning_tokens=3)
    assert (reply.model, reply.finish_reason) == ("stub-model-1", "stop")


async def test_the_pieces_of_text_are_told_as_they_come() -> None:
    told: list[str] = []
    arrived = asyncio.Event()

    def tell(text: str) -> None:
        told.append(text)
        arrived.set()

    async def one_by_one(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in answer("one ", "two ", "three"):
            arrived.clear()
            await response.write(piece)
            if b'"content": "' in piece and b'"role"' not in piece:
                await arrived.wait()
        return response

    async with serving(one_by_one) as stub, client() as chat:
        reply = await chat.complete(request(stub.base_url), tell)
    assert told == ["one ", "two ", "three"]
    assert reply.message.text == "one two three"


async def test_an_answer_that_comes_byte_by_byte_is_the_same() -> None:
    stream = b"".join(answer("Grüße, ", "日本 👩‍👩‍👧", " ok"))
    async with serving(streams([stream[at : at + 1] for at in range(len(stream))])) as stub:
        reply = await ask(request(stub.base_url))
    assert reply.message.text == "Grüße, 日本 👩‍👩‍👧 ok"


async def test_a_whole_answer_without_a_stream_is_understood() -> None:
    said = {"role": "assistant", "content": "whole"}
    document = {"model": "m", "choices": [{"index": 0, "message": said, "finish_reason": "length"}], "usage": USAGE}
    told: list[str] = []
    async with serving(documents(document)) as stub, client() as chat:
        reply = await chat.complete(request(stub.base_url), told.append)
    assert (reply.message.text, reply.finish_reason, reply.usage.cached_tokens) == ("whole", "length", 5)
    assert told == ["whole"]


async def test_what_is_asked_is_sent_in_the_protocols_words() -> None:
    called = ToolCall("call_1", "look", '{"where": "here"}')
    history = (
        Message("system", "Be brief."),
        Message("user", "What is this?", images=(Image("https://a.example/cat.png", "low"),)),
        Message("user", images=(Image("data:image/png;base64,AAAA"),), name="ann"),
        Message("assistant", tool_calls=(called,)),
        Message("tool", "a cat", tool_call_id="call_1"),
        Message("assistant", "A cat."),
        Message("user", 'And "this"\n\u2028?'),
    )
    look = ToolSpec("look", "Looks.", {"type": "object", "properties": {"where": {"type": "string"}}})
    options = {"temperature": 0.5, "stop": ["\n"], "max_completion_tokens": 9, "reasoning_effort": "low"}
    async with serving(says("ok")) as stub:
        await ask(request(stub.base_url, *history, tools=(look,), options=options))
    assert stub.last.path == "/v1/chat/completions"
    assert stub.last.headers["user-agent"].startswith("serai/")
    function = {"name": "look", "arguments": '{"where": "here"}'}
    assert stub.last.body == {
        "model": "stub-model",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "stop": ["\n"],
        "max_completion_tokens": 9,
        "reasoning_effort": "low",
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": look.parameters}}
        ],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "https://a.example/cat.png", "detail": "low"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "auto"}}
                ],
                "name": "ann",
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            },
            {"role": "tool", "content": "a cat", "tool_call_id": "call_1"},
            {"role": "assistant", "content": "A cat."},
            {"role": "user", "content": 'And "this"\n\u2028?'},
        ],
    }


async def test_options_cannot_replace_what_makes_the_call() -> None:
    theirs = {
        "model": "other",
        "messages": [],
        "stream": False,
        "stream_options": {"include_usage": False},
        "seed": 1,
    }
    async with serving(says("ok")) as stub:
        await ask(request(stub.base_url, options=theirs))
    body = stub.last.body
    assert (body["model"], body["stream"], body["seed"], len(body["messages"])) == ("stub-model", True, 1, 2)
    assert body["stream_options"] == {"include_usage": True}


async def test_tools_of_the_options_are_sent_where_the_agent_has_none() -> None:
    theirs = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}
    mine = ToolSpec("g", "", {})
    async with serving(says("ok")) as stub, client() as chat:
        await chat.complete(request(stub.base_url, options={"tools": [theirs], "tool_choice": "auto"}))
        await chat.complete(request(stub.base_url, tools=(mine,), options={"tools": [theirs]}))
    assert [seen.body["tools"][0]["function"]["name"] for seen in stub.seen] == ["f", "g"]
    assert stub.seen[0].body["tool_choice"] == "auto"


@pytest.mark.parametrize("own", [(), (ToolSpec("g", "", {}),)])
async def test_the_clients_tools_stand_beside_the_agents_own(own: tuple[ToolSpec, ...]) -> None:
    theirs = ToolSpec("f", "does", {"type": "object"}, strict=True)
    async with serving(says("ok")) as stub, client() as chat:
        made = request(stub.base_url, tools=own)
        await chat.complete(dataclasses.replace(made, client_tools=(theirs,)))
        await chat.complete(made)
    first, second = stub.seen
    function = {"name": "f", "description": "does", "parameters": {"type": "object"}, "strict": True}
    assert first.body["tools"][-1] == {"type": "function", "function": function}
    assert [one["function"]["name"] for one in first.body["tools"]] == [*(one.name for one in own), "f"]
    assert [one["function"]["name"] for one in second.body.get("tools", [])] == [one.name for one in own]


async def test_a_lone_surrogate_does_not_make_a_session_unusable() -> None:
    async with serving(says("ok")) as stub:
        await ask(request(stub.base_url, Message("system", "s"), Message("user", "half \ud83d of one")))
    assert stub.last.body["messages"][1] == {"role": "user", "content": "half ? of one"}


async def test_a_body_of_many_megabytes_is_sent() -> None:
    picture = Image("data:image/png;base64," + "A" * 3_000_000)
    async with serving(says("ok")) as stub:
        await ask(request(stub.base_url, Message("system", "s"), Message("user", "see", images=(picture,))))
    assert stub.last.body["messages"][1]["content"][1]["image_url"]["url"] == picture.url


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("http://{host}/v1", "/v1/chat/completions"),
        ("http://{host}/v1/", "/v1/chat/completions"),
        ("http://{host}", "/chat/completions"),
        (
            "http://{host}/openai/deployments/a%20b?api-version=1",
            "/openai/deployments/a%20b/chat/completions?api-version=1",
        ),
    ],
)
async def test_the_path_follows_from_the_base_url(base_url: str, path: str) -> None:
    async with serving(says("ok")) as stub:
        await ask(request(base_url.format(host=f"127.0.0.1:{stub.port}")))
    assert stub.last.path == path


async def test_the_key_is_read_at_the_moment_of_the_call() -> None:
    held: dict[tuple[AgentId | None, str], str] = {(OPS, "OPS_KEY"): "fake-key-old"}
    async with serving(says("ok")) as stub, client(safe=Safe(held)) as chat:
        await chat.complete(request(stub.base_url))
        held[OPS, "OPS_KEY"] = "fake-key-new"
        await chat.complete(request(stub.base_url))
        await chat.complete(request(stub.base_url, key_name=None))
    assert [seen.key for seen in stub.seen] == ["Bearer fake-key-old", "Bearer fake-key-new", None]


async def test_userinfo_of_the_base_url_is_used_only_without_a_key() -> None:
    async with serving(says("ok")) as stub, client() as chat:
        base_url = f"http://ann:fake-password@127.0.0.1:{stub.port}/v1"
        await chat.complete(request(base_url, key_name=None))
        await chat.complete(request(base_url))
    assert [seen.key for seen in stub.seen] == ["Basic YW5uOmZha2UtcGFzc3dvcmQ=", f"Bearer {KEY}"]


async def test_a_key_that_is_not_there_is_no_model() -> None:
    async with client() as chat:
        with pytest.raises(NoModel, match=r"`stub-model` needs the key OTHER_KEY, which is not set for agent `ops`"):
            await chat.complete(request("http://127.0.0.1:9/v1", key_name="OTHER_KEY"))


async def test_a_key_with_a_line_break_is_no_model() -> None:
    async with client(safe=Safe({(OPS, "OPS_KEY"): "fake-key\nHost: x"})) as chat:
        with pytest.raises(NoModel, match="OPS_KEY holds a line break") as caught:
            await chat.complete(request("http://127.0.0.1:9/v1"))
    assert "fake-key" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["", "api.example/v1", "ftp://127.0.0.1/v1", "http://", "http://a:b/v1"])
async def test_a_base_url_that_is_none_is_no_model(base_url: str) -> None:
    async with client() as chat:
        with pytest.raises(NoModel, match="base_url"):
            await chat.complete(request(base_url))


async def test_256_calls_at_once_share_one_session_and_never_a_key() -> None:
    agents = [AgentId(f"agent-{n}") for n in range(256)]
    safe = Safe({(agent, "OPS_KEY"): f"fake-key-of-{agent}" for agent in agents})
    all_here = asyncio.Event()
    stub: Stub

    async def echo(request: web.Request) -> web.StreamResponse:
        if len(stub.seen) == len(agents):
            all_here.set()
        model = json.loads(await request.read())["model"]
        await all_here.wait()
        return await says(f"{model} has {request.headers['Authorization']}")(request)

    async with serving(echo) as stub, client(safe=safe) as chat:
        calls = (chat.complete(request(stub.base_url, agent=agent, model=f"of-{agent}")) for agent in agents)
        replies = await asyncio.gather(*calls)
    assert [reply.message.text for reply in replies] == [f"of-{a} has Bearer fake-key-of-{a}" for a in agents]
    assert all(seen.key == f"Bearer fake-key-{seen.body['model']}" for seen in stub.seen)


async def test_connections_are_used_again() -> None:
    async with serving(says("ok")) as stub, client() as chat:
        for _ in range(5):
            await chat.complete(request(stub.base_url))
    assert {seen.connection for seen in stub.seen} == {0}


async def test_cookies_are_not_kept() -> None:
    async with serving(replies(500, "", {"Set-Cookie": "session=1"}), says("ok")) as stub, client() as chat:
        base_url = f"http://localhost:{stub.port}/v1"
        with pytest.raises(ModelError):
            await chat.complete(request(base_url))
        await chat.complete(request(base_url))
    assert all("cookie" not in seen.headers for seen in stub.seen)


async def test_a_cancelled_call_closes_its_connection() -> None:
    told = asyncio.Event()
    async with serving(stalls([chunk({"content": "begun"})])) as stub, client() as chat:
        call = asyncio.create_task(chat.complete(request(stub.base_url), lambda _: told.set()))
        await told.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(stub.gone.wait(), PATIENCE_S)


async def _fails_then_answers(chat: OpenAIChat, port: int) -> list[str]:
    """The outcome of two calls in a row: text, or the error's name."""
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append((await chat.complete(request(f"http://127.0.0.1:{port}/v1"))).message.text)
        except ModelError as error:
            outcomes.append(type(error).__name__)
    return outcomes


@pytest.mark.parametrize("reset", [False, True])
async def test_a_kept_connection_that_the_server_closed_is_replaced_silently(reset: bool) -> None:
    connections = 0

    async def once_per_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(http(b"".join(answer("ok"))))
        await read_request(reader)
        if reset:
            writer.transport.abort()

    async with speaking(once_per_connection) as port, client() as chat:
        assert await _fails_then_answers(chat, port) == ["ok", "ok"]
    assert connections == 2


async def test_a_new_connection_that_is_closed_without_an_answer_is_not_tried_again() -> None:
    connections = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)

    async with speaking(hang_up) as port, client() as chat:
        assert await _fails_then_answers(chat, port) == ["ModelGarbled", "ModelGarbled"]
    assert connections == 2


async def test_a_call_is_not_repeated_once_a_byte_of_the_answer_has_come() -> None:
    requests = 0

    async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1
        writer.write(http(b"".join(answer("ok"))))
        await read_request(reader)
        requests += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")

    async with speaking(half_a_head) as port, client() as chat:
        assert await _fails_then_answers(chat, port) == ["ok", "ModelGarbled"]
    assert requests == 2


@virtual_time
async def test_the_end_is_not_waited_for_once_the_answer_is_complete() -> None:
    endings = {
        "done": [*answer("ok")],
        "finished": [chunk({"content": "ok"}), chunk({}, "stop")],
    }
    async with client() as chat:
        for pieces in endings.values():
            async with serving(stalls(pieces)) as stub, asyncio.timeout(PATIENT.between_chunks / 2):
                assert (await chat.complete(request(stub.base_url))).message.text == "ok"


async def test_errors_name_host_and_model_and_nothing_secret() -> None:
    told = {"error": {"message": f"no such key {KEY}\nsee\x1b[31m https://example.org " + "x" * 900}}
    async with serving(documents(told, status=401)) as stub, client() as chat:
        base_url = f"http://ann:fake-password@127.0.0.1:{stub.port}/v1?token=fake-token"
        with pytest.raises(ModelError) as caught:
            await chat.complete(request(base_url))
    text = str(caught.value)
    assert text.startswith(
        f"the model `stub-model` at 127.0.0.1:{stub.port} did not accept the key (status 401): no such"
    )
    assert "no such key [redacted] see [31m https://example.org xxx" in text
    assert not any(secret in text for secret in (KEY, "fake-password", "fake-token", "\n", "\x1b"))
    assert len(text.split("401): ")[1]) == 300
    assert caught.value.__cause__ is None


async def test_a_cut_in_the_middle_of_the_key_does_not_show_its_beginning() -> None:
    told = {"error": {"message": "y" * 290 + KEY}}
    async with serving(documents(told, status=400)) as stub:
        with pytest.raises(ModelError) as caught:
            await ask(request(stub.base_url))
    assert "fake" not in str(caught.value)


async def test_reasoning_is_not_text_and_a_refusal_is() -> None:
    pieces = [
        chunk({"role": "assistant", "reasoning_content": "hm"}),
        chunk({"reasoning": "let me see"}),
        chunk({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "I "}]}),
        chunk({"content": None, "refusal": "cannot."}),
        event({"choices": [{"index": 1, "delta": {"content": "another alternative"}, "finish_reason": None}]}),
        chunk({}, "content_filter"),
        DONE,
    ]
    async with serving(streams(pieces)) as stub:
        reply = await ask(request(stub.base_url))
    assert (reply.message.text, reply.finish_reason) == ("I cannot.", "content_filter")


async def test_a_timeout_around_the_call_stays_the_callers() -> None:
    async with serving(stalls([])) as stub, client() as chat:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await chat.complete(request(stub.base_url))
    assert not isinstance(caught.value, ModelTimeout)


async def test_two_calls_with_the_same_long_history_send_the_same_body() -> None:
    history = [Message("system", "s")]
    async with serving(says("ok")) as stub, client() as chat:
        for turn in range(40):
            history += [Message("user", f"question {turn}")]
            reply = await chat.complete(request(stub.base_url, *history))
            history += [reply.message]
    sent = [{"role": message.role, "content": message.text} for message in history[:-1]]
    assert stub.last.body["messages"] == sent
