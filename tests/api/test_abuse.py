"""Nothing that a client sends is answered with a 5xx or another shape than the one for errors (SPEC 11.1)."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.stage import ALL_KEY, OPS_KEY, FakeRuns, request, serving

LIMIT = 10 * 2**20
CHAT = "/v1/chat/completions"
KEY = ("Authorization", f"Bearer {ALL_KEY}")
USER = {"role": "user", "content": "2+2?"}


@dataclass(frozen=True)
class Case:
    name: str
    status: int
    code: str
    param: str | None
    data: bytes


def said(name: str, status: int, code: str, param: str | None, **body: Any) -> Case:
    """A chat completion with these fields beside its one good message."""
    return Case(name, status, code, param, request("POST", CHAT, {"messages": [USER], **body}, [KEY]))


def history(name: str, param: str, *messages: Any, code: str = "invalid_value") -> Case:
    """A chat completion of these messages."""
    return Case(name, 400, code, param, request("POST", CHAT, {"messages": list(messages)}, [KEY]))


def raw(name: str, status: int, code: str, param: str | None, body: bytes, *headers: tuple[str, str]) -> Case:
    """A chat completion with this body."""
    return Case(name, status, code, param, request("POST", CHAT, body, [KEY, *headers]))


def header(name: str, status: int, code: str, param: str | None, *headers: tuple[str, str]) -> Case:
    """A good chat completion with these headers."""
    return Case(name, status, code, param, request("POST", CHAT, {"messages": [USER]}, list(headers)))


def parts(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", **fields}


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
DEEP = b"[" * 100_000

BODIES: Sequence[Case] = (
    raw("no body", 400, "invalid_json", None, b""),
    raw("half a body", 400, "invalid_json", None, b'{"messages": ['),
    raw("not JSON", 400, "invalid_json", None, b"hello"),
    raw("two documents", 400, "invalid_json", None, json.dumps({"messages": [USER]}).encode() + b"{}"),
    raw("a list", 400, "invalid_value", None, b"[]"),
    raw("a number", 400, "invalid_value", None, b"1"),
    raw("null", 400, "invalid_value", None, b"null"),
    raw("no UTF-8", 400, "invalid_json", None, b'{"messages": [{"role": "user", "content": "\xff"}]}'),
    raw("half a surrogate", 400, "invalid_json", None, b'{"messages": [{"role": "user", "content": "\\ud800"}]}'),
    raw("NaN", 400, "invalid_json", None, b'{"messages": [{"role": "user", "content": ""}], "top_p": NaN}'),
    raw("a number beyond all", 400, "invalid_value", "seed", b'{"seed": 1e999}'),
    raw("nested without end", 400, "invalid_json", None, b'{"audio": ' + DEEP + b"}"),
    raw("nested in a message", 400, "invalid_json", None, b'{"messages": [{"role": "user", "x": ' + DEEP + b"}]}"),
    raw("no messages", 400, "missing_required_parameter", "messages", b"{}"),
    raw("too large", 413, "body_too_large", None, b"x" * (LIMIT + 1)),
    raw(
        "too large unpacked",
        413,
        "body_too_large",
        None,
        gzip.compress(b" " * (LIMIT + 1)),
        ("Content-Encoding", "gzip"),
    ),
    raw("not packed as it says", 400, "invalid_body", None, b"hello", ("Content-Encoding", "gzip")),
    said("an unknown parameter", 400, "unknown_parameter", "temprature", temprature=1),
    said("a parameter with a strange name", 400, "unknown_parameter", "a`b\nc", **{"a`b\nc": 1}),
    said("an endless name", 400, "unknown_parameter", "x" * 200, **{"x" * 100_000: 1}),
    said("messages as text", 400, "invalid_value", "messages", messages="hi"),
    said("messages as null", 400, "invalid_value", "messages", messages=None),
    said("model as a number", 400, "invalid_value", "model", model=4),
    said("stream as text", 400, "invalid_value", "stream", stream="yes"),
    said("stream options without stream", 400, "invalid_value", "stream_options", stream_options={}),
    said("unknown stream option", 400, "unknown_parameter", "stream_options.x", stream=True, stream_options={"x": 1}),
    said("too hot", 400, "invalid_value", "temperature", temperature=2.1),
    said("temperature as text", 400, "invalid_value", "temperature", temperature="1"),
    said("top_p beyond 1", 400, "invalid_value", "top_p", top_p=1.01),
    said("top_p below 0", 400, "invalid_value", "top_p", top_p=-0.1),
    said("no tokens", 400, "invalid_value", "max_tokens", max_tokens=0),
    said("a fraction of a token", 400, "invalid_value", "max_completion_tokens", max_completion_tokens=1.5),
    said("two limits", 400, "invalid_value", "max_tokens", max_tokens=1, max_completion_tokens=1),
    said("five stops", 400, "invalid_value", "stop", stop=list("abcde")),
    said("stop as numbers", 400, "invalid_value", "stop[0]", stop=[1]),
    said("penalty too high", 400, "invalid_value", "presence_penalty", presence_penalty=3),
    said("penalty too low", 400, "invalid_value", "frequency_penalty", frequency_penalty=-3),
    said("bias too strong", 400, "invalid_value", "logit_bias", logit_bias={"1": 101}),
    said("bias as a list", 400, "invalid_value", "logit_bias", logit_bias=[1]),
    said("seed as true", 400, "invalid_value", "seed", seed=True),
    said("seed beyond 64 bits", 400, "invalid_value", "seed", seed=2**64),
    said("an unknown effort", 400, "invalid_value", "reasoning_effort", reasoning_effort="heroic"),
    said("an unknown verbosity", 400, "invalid_value", "verbosity", verbosity="loud"),
    said("format as text", 400, "invalid_value", "response_format", response_format="json"),
    said("an unknown format", 400, "invalid_value", "response_format.type", response_format={"type": "xml"}),
    said(
        "a schema without its name",
        400,
        "missing_required_parameter",
        "response_format.json_schema.name",
        response_format={"type": "json_schema", "json_schema": {}},
    ),
    said("no answers", 400, "invalid_value", "n", n=0),
    said("two answers", 400, "unsupported_parameter", "n", n=2),
    said("a tool that is no function", 400, "invalid_value", "tools[0].type", tools=[{"type": "custom"}]),
    said(
        "a tool without a name",
        400,
        "missing_required_parameter",
        "tools[0].function.name",
        tools=[{"type": "function", "function": {}}],
    ),
    said(
        "a tool with a bad name",
        400,
        "invalid_value",
        "tools[0].function.name",
        tools=[{"type": "function", "function": {"name": "a b"}}],
    ),
    said(
        "a misspelt field of a tool",
        400,
        "unknown_parameter",
        "tools[0].function.desc",
        tools=[{"type": "function", "function": {"name": "f", "desc": ""}}],
    ),
    said("two tools of one name", 400, "invalid_value", "tools", tools=[tool("f"), tool("f")]),
    said("129 tools", 400, "invalid_value", "tools", tools=[tool(f"f{n}") for n in range(129)]),
    said("an unknown tool chosen", 400, "invalid_value", "tool_choice", tools=[tool("f")], tool_choice=tool("g")),
    said("functions", 400, "unsupported_parameter", "functions", functions=[{"name": "f"}]),
    said("a choice of no tools", 400, "invalid_value", "tool_choice", tool_choice="required"),
    said("function call", 400, "unsupported_parameter", "function_call", function_call={"name": "f"}),
    said("logprobs", 400, "unsupported_parameter", "logprobs", logprobs=True),
    said("top logprobs", 400, "unsupported_parameter", "top_logprobs", top_logprobs=3),
    said("audio settings", 400, "unsupported_parameter", "audio", audio={"voice": "alloy", "format": "mp3"}),
    said("spoken answers", 400, "unsupported_parameter", "modalities", modalities=["text", "audio"]),
    said("web search", 400, "unsupported_parameter", "web_search_options", web_search_options={}),
    said("prediction", 400, "unsupported_parameter", "prediction", prediction={"type": "content", "content": ""}),
    said("moderation", 400, "unsupported_parameter", "moderation", moderation={"model": "m"}),
    said("metadata of numbers", 400, "invalid_value", "metadata", metadata={"a": 1}),
    said("user as a number", 400, "invalid_value", "user", user=1),
    said("a model that is no agent", 404, "model_not_found", "model", model="gpt-9"),
)

MESSAGES: Sequence[Case] = (
    history("none", "messages"),
    history("a text", "messages[0]", "hi"),
    history("without a role", "messages[0].role", {"content": "hi"}, code="missing_required_parameter"),
    history("an unknown role", "messages[0].role", {"role": "wizard", "content": "hi"}),
    history("the role of old function answers", "messages[0].role", {"role": "function", "content": "", "name": "f"}),
    history("role as a number", "messages[0].role", {"role": 1, "content": "hi"}),
    history("without content", "messages[0].content", {"role": "user"}, code="missing_required_parameter"),
    history("content null", "messages[0].content", {"role": "user", "content": None}),
    history("content as a number", "messages[0].content", {"role": "user", "content": 1}),
    history("no parts", "messages[0].content", parts()),
    history("a part as text", "messages[0].content[0]", parts("hi")),
    history("an unknown part", "messages[0].content[0].type", parts({"type": "hologram"})),
    history("sound", "messages[0].content[0].type", parts({"type": "input_audio", "input_audio": {}})),
    history(
        "a picture in a system message",
        "messages[0].content[0].type",
        {"role": "system", "content": [{"type": "image_url"}]},
    ),
    history(
        "a picture of a file",
        "messages[0].content[0].image_url.url",
        parts({"type": "image_url", "image_url": {"url": "file:///x"}}),
    ),
    history(
        "a plain picture",
        "messages[0].content[0].image_url.url",
        parts({"type": "image_url", "image_url": {"url": "http://x/y"}}),
    ),
    history(
        "an unknown detail",
        "messages[0].content[0].image_url.detail",
        parts({"type": "image_url", "image_url": {"url": "https://x/y", "detail": "8k"}}),
    ),
    history("the assistant's last", "messages[1].role", USER, assistant(content="4")),
    history("the system's last", "messages[0].role", {"role": "system", "content": "hi"}),
    history("an assistant's last", "messages[1].role", USER, assistant(content="4")),
    history(
        "a result that nobody asked for",
        "messages[0].tool_call_id",
        {"role": "tool", "content": "", "tool_call_id": "c1"},
    ),
    history(
        "one of two results missing",
        "messages",
        USER,
        assistant(tool_calls=[CALL, {**CALL, "id": "c2"}]),
        {"role": "tool", "content": "", "tool_call_id": "c1"},
    ),
    history("an answer of nothing", "messages[0].content", assistant(), USER),
    history(
        "an old function call",
        "messages[0].function_call",
        assistant(content="", function_call={"name": "f"}),
        USER,
        code="unsupported_parameter",
    ),
    history(
        "a result of no call", "messages[0].tool_call_id", {"role": "tool", "content": "", "tool_call_id": "c1"}, USER
    ),
    history("a call without result", "messages[1].role", assistant(tool_calls=[CALL]), USER, USER),
    history("a last call without result", "messages[1].role", assistant(tool_calls=[CALL]), USER),
    history("a call as text", "messages[0].tool_calls[0]", assistant(tool_calls=["f"]), USER),
)

AGENT = (("X-Hermes-Chat-Id", "1"),)
HEADERS: Sequence[Case] = (
    header("no key", 401, "invalid_api_key", None),
    header("an unknown key", 401, "invalid_api_key", None, ("Authorization", "Bearer fake-key-other")),
    header("another scheme", 401, "invalid_api_key", None, ("Authorization", "Basic ZmFrZQ==")),
    header("a scheme alone", 401, "invalid_api_key", None, ("Authorization", "Bearer")),
    header("an empty key", 401, "invalid_api_key", None, ("Authorization", "Bearer ")),
    header("a key with umlauts", 401, "invalid_api_key", None, ("Authorization", "Bearer fäke-key-all")),
    header("a known key twice", 400, "invalid_header", "Authorization", KEY, KEY),
    header("a chat twice", 400, "invalid_header", "X-Hermes-Chat-Id", KEY, *AGENT, *AGENT),
    header("a long chat", 400, "invalid_header", "X-Hermes-Chat-Id", KEY, ("X-Hermes-Chat-Id", "x" * 257)),
    header("a long user", 400, "invalid_header", "X-Hermes-User-Id", KEY, ("X-Hermes-User-Id", "x" * 257)),
    header("a tab in a thread", 400, "invalid_header", "X-Hermes-Thread-Id", KEY, ("X-Hermes-Thread-Id", "a\tb")),
    header("a C1 control", 400, "invalid_header", "X-Hermes-User-Id", KEY, ("X-Hermes-User-Id", "a\xc2\x85b")),
    header("no UTF-8 in a chat", 400, "invalid_header", "X-Hermes-Chat-Id", KEY, ("X-Hermes-Chat-Id", "caf\xe9")),
    header("a NUL in a chat", 400, "invalid_http", None, KEY, ("X-Hermes-Chat-Id", "a\0b")),
    header(
        "a session with a space", 400, "invalid_header", "X-Hermes-Session-Id", KEY, ("X-Hermes-Session-Id", "a b")
    ),
    header("a long session", 400, "invalid_header", "X-Hermes-Session-Id", KEY, ("X-Hermes-Session-Id", "x" * 257)),
    header(
        "a session with umlauts",
        400,
        "invalid_header",
        "X-Hermes-Session-Id",
        KEY,
        ("X-Hermes-Session-Id", "f\xc3\xbcr"),
    ),
    header("a blank Idempotency-Key", 400, "invalid_header", "Idempotency-Key", KEY, ("Idempotency-Key", "")),
    header("a long Idempotency-Key", 400, "invalid_header", "Idempotency-Key", KEY, ("Idempotency-Key", "x" * 257)),
    header("two Idempotency-Keys", 400, "invalid_header", "Idempotency-Key", KEY, *[("Idempotency-Key", "k")] * 2),
    header("a foreign origin", 403, "foreign_origin", "Origin", KEY, ("Origin", "https://evil.example")),
    header("no origin's origin", 403, "foreign_origin", "Origin", KEY, ("Origin", "null")),
    header("two origins", 400, "invalid_header", "Origin", KEY, *[("Origin", "http://localhost")] * 2),
    header("a second host", 400, "invalid_http", None, KEY, ("Host", "localhost")),
    header("an endless header", 400, "invalid_http", None, KEY, ("X-Long", "x" * 20_000)),
    Case("no host", 400, "invalid_http", None, request("POST", CHAT, {"messages": [USER]}, [KEY], host=None)),
    Case("no host in old HTTP", 400, "missing_host", "Host", b"GET /v1/models HTTP/1.0\r\n\r\n"),
    Case(
        "a foreign host", 403, "foreign_host", "Host", request("GET", "/v1/models", b"", [KEY], host="evil.example")
    ),
    Case(
        "a foreign host's look",
        403,
        "foreign_host",
        "Host",
        request("GET", "/v1/models", b"", [KEY], host="localhost.evil.example"),
    ),
    Case(
        "a foreign address", 403, "foreign_host", "Host", request("GET", "/v1/models", b"", [KEY], host="192.0.2.1")
    ),
    Case("no path", 404, "not_found", None, request("GET", "/v1/nothing", b"", [KEY])),
    Case("a path below", 404, "not_found", None, request("POST", CHAT + "/x", b"", [KEY])),
    Case("a slash too many", 404, "not_found", None, request("GET", "/v1/models/", b"", [KEY])),
    Case("no account", 404, "not_found", None, request("POST", "/webhook/nobody")),
    Case("no account, asked wrongly", 404, "not_found", None, request("GET", "/webhook/nobody")),
    Case("a wrong method", 405, "method_not_allowed", None, request("GET", CHAT, b"", [KEY])),
    Case("a method nobody knows", 400, "invalid_http", None, request("BREW", CHAT, b"", [KEY])),
    Case(
        "a foreign agent",
        403,
        "unauthorised",
        "model",
        request("POST", CHAT, {"messages": [USER], "model": "main"}, [("Authorization", f"Bearer {OPS_KEY}")]),
    ),
    Case("no admin", 403, "admin_required", None, request("POST", "/api/routes/test", {"platform": "x"}, [KEY])),
    Case("no HTTP", 400, "invalid_http", None, b"hello\r\n\r\n"),
    Case("a TLS greeting", 400, "invalid_http", None, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    Case(
        "a length that is none",
        400,
        "invalid_http",
        None,
        b"POST /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    ),
    Case(
        "two lengths",
        400,
        "invalid_http",
        None,
        b"POST /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ),
    Case(
        "length and chunks",
        400,
        "invalid_http",
        None,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
)

CASES = (*BODIES, *MESSAGES, *HEADERS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_wrong_is_named_in_the_one_shape(case: Case) -> None:
    async with serving(FakeRuns()) as stage:
        answer = await stage.send(case.data)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (case.status, case.code, case.param)
    assert stage.runs.asks == []


async def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)
