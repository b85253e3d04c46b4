"""What goes wrong at a model endpoint, and the error that each fault is (SPEC 7.2, 11.8)."""

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from serai.core.error import (
    ModelError,
    ModelFailed,
    ModelGarbled,
    ModelLimited,
    ModelRejected,
    ModelTimeout,
    ModelUnreachable,
)
from serai.core.redact import Redactor
from serai.models.fault import Upstream, retry_after
from serai.models.openai_chat import OpenAIChat, Timeouts
from serai.testing.clock import virtual_time
from tests.patience import PATIENCE_S

from .calling import HASTY, PATIENT, RESTLESS, Safe, ask, client, request
from .stub import (
    DONE,
    Act,
    answer,
    breaks_off,
    chunk,
    documents,
    event,
    http,
    read_request,
    replies,
    serving,
    silent,
    speaking,
    stalls,
    streams,
)

HTML = "<!DOCTYPE html><html><body>Welcome to nginx</body></html>"
TEXT = chunk({"content": "Half an"})


def told(message: str) -> dict[str, object]:
    return {"error": {"message": message, "type": "some_type", "param": None, "code": None}}


FAULTS: list[tuple[str, Act, type[ModelError], str]] = [
    # statuses
    ("400", documents(told("bad field"), 400), ModelRejected, "refused the call (status 400): bad field"),
    ("401", documents(told("bad key"), 401), ModelRejected, "did not accept the key (status 401): bad key"),
    ("402", documents(told("no credit"), 402), ModelRejected, "refused the call (status 402): no credit"),
    ("403", documents({"detail": "no"}, 403), ModelRejected, "does not allow this (status 403): no"),
    ("404", documents({"error": "no model"}, 404), ModelRejected, "does not know this model or address (status 404)"),
    ("408", documents({}, 408), ModelTimeout, "gave up waiting (status 408)"),
    ("413", replies(413, HTML), ModelRejected, "refused the call (status 413)"),
    ("422", documents({"detail": [{"msg": "a"}, {"msg": "b"}]}, 422), ModelRejected, "(status 422): a; b"),
    (
        "429",
        documents(told("slow down"), 429),
        ModelLimited,
        "has reached a limit of its use (status 429): slow down",
    ),
    ("500", documents(told("oops"), 500), ModelFailed, "failed (status 500): oops"),
    ("502 page", replies(502, HTML), ModelFailed, "failed (status 502)"),
    ("503", replies(503, "overloaded"), ModelFailed, "failed (status 503): overloaded"),
    ("504", replies(504, b"\xff\xfe"), ModelFailed, "failed (status 504)"),
    ("529", documents([told("busy")], 529), ModelFailed, "failed (status 529): busy"),
    ("redirect", replies(308, "", {"Location": "/v2/chat/completions"}), ModelRejected, "redirects elsewhere"),
    ("redirect page", replies(302, HTML, {"Location": "http://127.0.0.1:9/"}), ModelRejected, "redirects elsewhere"),
    # bodies that are no answer
    ("web page", replies(200, HTML, {"Content-Type": "text/html"}), ModelGarbled, "answered with a web page"),
    ("web page as stream", streams([HTML.encode()]), ModelGarbled, "answered with a web page"),
    ("nothing", replies(200, ""), ModelGarbled, "sent no answer"),
    ("no content", replies(204, ""), ModelGarbled, "sent no answer"),
    ("blanks", replies(200, "\n \n"), ModelGarbled, "sent no answer"),
    ("plain text", replies(200, "Ollama is running"), ModelGarbled, "sent no answer"),
    ("other JSON", documents({"status": "ok"}), ModelGarbled, "sent no answer"),
    ("JSON list", documents([1, 2]), ModelGarbled, "sent no answer"),
    ("no choices", documents({"choices": []}), ModelGarbled, "sent no answer"),
    ("cut JSON", replies(200, '{"choices": [{"message": {"content": "Ha'), ModelGarbled, "JSON that is no answer"),
    ("wrong types", documents({"choices": "none"}), ModelGarbled, "JSON that is no answer"),
    ("deep JSON", replies(200, '{"a":' + "[" * 99_999), ModelGarbled, "JSON that is no answer"),
    # streams
    ("only comments", streams([b": ping\n\n"] * 3), ModelGarbled, "sent no answer"),
    ("only done", streams([DONE]), ModelGarbled, "sent no answer"),
    ("not JSON", streams([TEXT, b"data: oops\n\n"]), ModelGarbled, "not of the chat-completions protocol"),
    (
        "not UTF-8",
        streams([TEXT, TEXT.replace(b"Half", b"\xff")]),
        ModelGarbled,
        "not of the chat-completions protocol",
    ),
    ("deep event", streams([b'data: {"a":' + b"[" * 99_999 + b"\n\n"]), ModelGarbled, "not of the chat-completions"),
    ("ended early", streams([TEXT]), ModelGarbled, "broke off in the middle"),
    ("ended in an event", streams([TEXT, TEXT[:-9]]), ModelGarbled, "not of the chat-completions protocol"),
    ("connection cut", breaks_off([TEXT]), ModelGarbled, "closed the connection before its answer was complete"),
    ("cut at once", breaks_off([]), ModelGarbled, "closed the connection before its answer was complete"),
    ("too much", streams([b":" + b"x" * 2**20] * 17), ModelGarbled, "sent more than 16 MB"),
    (
        "nameless tool",
        streams([chunk({"tool_calls": [{"id": "a"}]}, "tool_calls")]),
        ModelGarbled,
        "without naming it",
    ),
    # errors told inside an answer
    ("error event", streams([TEXT, event(told("broke"))]), ModelFailed, "reported an error: broke"),
    ("error text", streams([event({"error": "broke"})]), ModelFailed, "reported an error: broke"),
    ("error with a number", streams([event({"error": {"code": 429, "message": "m"}})]), ModelLimited, "error: m"),
    ("error with digits", streams([event({"error": {"code": "400", "message": "m"}})]), ModelRejected, "error: m"),
    ("error with a code", streams([event({"error": {"code": "rate_limit_exceeded"}})]), ModelLimited, "an error"),
    ("error with a type", streams([event({"error": {"type": "invalid_request_error"}})]), ModelRejected, "an error"),
    ("error of overload", streams([event({"error": {"type": "overloaded_error"}})]), ModelFailed, "an error"),
    (
        "error without envelope",
        streams([event({"object": "error", "message": "m", "code": 400})]),
        ModelRejected,
        "m",
    ),
    ("named error event", streams([b'event: error\ndata: {"message": "m"}\n\n']), ModelFailed, "error: m"),
    (
        "error as the finish",
        streams([chunk({"content": "x"}, "error")]),
        ModelFailed,
        "ended its answer with `error`",
    ),
    ("error as a document", documents(told("m")), ModelFailed, "reported an error: m"),
    (
        "deep error",
        streams([event({"error": {"error": {"error": {"error": {"error": "x"}}}}})]),
        ModelFailed,
        "error",
    ),
]


@pytest.mark.parametrize(("act", "kind", "sentence"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS])
async def test_each_fault_is_an_error_of_its_kind(act: Act, kind: type[ModelError], sentence: str) -> None:
    async with serving(act) as stub:
        with pytest.raises(ModelError) as caught:
            await ask(request(stub.base_url))
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"the model `stub-model` at 127.0.0.1:{stub.port} ")
    assert sentence in str(caught.value)
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("act", "timeouts", "sentence"),
    [
        (silent, HASTY, "did not answer within 0.15 s"),
        (stalls([]), HASTY, "did not answer within 0.15 s"),
        (stalls([b"\xef\xbb\xbf", b"\n"]), HASTY, "did not answer within 0.15 s"),
        (stalls([b": ping\n\n"]), RESTLESS, "sent nothing more for 0.1 s"),
        (stalls([TEXT]), RESTLESS, "sent nothing more for 0.1 s"),
        (stalls([b'{"choices": [']), RESTLESS, "sent nothing more for 0.1 s"),
    ],
)
@virtual_time
async def test_an_endpoint_that_is_too_slow_is_a_timeout(act: Act, timeouts: Timeouts, sentence: str) -> None:
    async with serving(act) as stub:
        with pytest.raises(ModelTimeout, match=sentence):
            await ask(request(stub.base_url), timeouts)
        await asyncio.wait_for(stub.gone.wait(), PATIENCE_S)


@virtual_time
async def test_a_body_of_an_error_that_does_not_end_is_a_timeout_too() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{")
        await reader.read()

    async with speaking(endless) as port:
        with pytest.raises(ModelTimeout):
            await ask(request(f"http://127.0.0.1:{port}/v1"), HASTY)


@virtual_time
async def test_a_server_that_never_finishes_the_handshake_is_a_timeout() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(mute) as port:
        with pytest.raises(ModelTimeout, match=r"could not be connected to within 0\.1 s"):
            await ask(request(f"https://127.0.0.1:{port}/v1"), Timeouts(connect=0.1))


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ModelUnreachable, match=f"at 127.0.0.1:{port} cannot be reached: Conn"):
            await ask(request(f"http://127.0.0.1:{port}/v1"))


async def test_a_server_without_tls_is_unreachable_over_https() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(b""))
        await reader.read()

    async with speaking(plain) as port:
        with pytest.raises(ModelUnreachable, match="the TLS connection failed"):
            await ask(request(f"https://127.0.0.1:{port}/v1"))


class _Nowhere(AbstractResolver):
    """Knows no name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(None, f"{host} is not known")

    async def close(self) -> None:
        """Holds nothing."""


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    connector = aiohttp.TCPConnector(resolver=_Nowhere())
    async with aiohttp.ClientSession(connector=connector) as session:
        chat = OpenAIChat(session, Safe, PATIENT)
        with pytest.raises(ModelUnreachable, match=r"at models\.example cannot be reached: its name is not known"):
            await chat.complete(request("https://models.example/v1"))


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + TEXT,
    ],
    ids=["no HTTP", "bad length", "bad chunk", "bad compression", "short body"],
)
async def test_what_is_not_http_is_garbled(wire: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(wire)

    async with speaking(speak) as port:
        with pytest.raises(ModelGarbled):
            await ask(request(f"http://127.0.0.1:{port}/v1"))


@pytest.mark.parametrize(
    "pieces",
    [
        answer("ok")[:-1],
        answer("ok")[:-2],
        [chunk({"content": "ok"}), DONE],
        [chunk({"content": "ok"}), DONE.rstrip()],
        [chunk({"content": "ok"}, "stop").rstrip()],
        [chunk({"content": "ok"}, "stop"), b'data: {"choi'],
        [chunk({"content": "ok"}, "stop"), DONE, b"data: nonsense\n\n"],
        [chunk({"content": "ok"}).replace(b"\n\n", b"\n"), chunk({}, "stop").replace(b"\n\n", b"\n"), DONE],
        [b"\xef\xbb", b"\xbf\r\n", b": hello\r\n", chunk({"content": "ok"}, "eos_token")],
    ],
    ids=["no done", "no usage", "no finish", "no end", "no line end", "cut usage", "junk", "no blank lines", "mark"],
)
async def test_small_sins_of_servers_are_forgiven(pieces: Sequence[bytes]) -> None:
    async with serving(streams(pieces)) as stub:
        reply = await ask(request(stub.base_url))
    assert (reply.message.text, reply.finish_reason) == ("ok", "stop")


async def test_a_connection_that_breaks_after_the_finish_does_no_harm() -> None:
    told_text = asyncio.Event()
    pieces = [chunk({"content": "ok"}, "stop")]
    async with serving(breaks_off(pieces, after=told_text)) as stub, client() as chat:
        reply = await chat.complete(request(stub.base_url), lambda _: told_text.set())
    assert reply.message.text == "ok"


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
NOW = datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0),
        ({"Retry-After": DATE}, 30.0),
        ({"Retry-After": DATE, "Date": "Wed, 21 Oct 2026 07:27:50 GMT"}, 10.0),
        ({"Retry-After": DATE, "Date": "Wed, 21 Oct 2026 08:00:00 GMT"}, 0.0),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 99 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, lambda: NOW) == seconds


@pytest.mark.parametrize(("status", "kind"), [(429, ModelLimited), (503, ModelFailed)])
async def test_the_wait_that_the_endpoint_names_is_passed_on(status: int, kind: type[ModelError]) -> None:
    async with serving(documents({}, status, {"retry-after": "11"})) as stub:
        with pytest.raises(kind) as caught:
            await ask(request(stub.base_url))
    assert caught.value.retry_after == 11.0


async def test_a_refused_call_leaves_the_connection_usable() -> None:
    async with serving(documents(told("no"), 400)) as stub, client() as chat:
        for _ in range(3):
            with pytest.raises(ModelRejected):
                await chat.complete(request(stub.base_url))
    assert {seen.connection for seen in stub.seen} == {0}


def test_any_known_secret_is_taken_out_before_the_text_is_cut() -> None:
    secret = "fake-key-of-another-agent"
    upstream = Upstream("m", "models.example", hide=Redactor([secret]).clean)
    told = str(upstream.refused(400, {"error": {"message": "x" * 290 + secret}}))
    assert "fake-key" not in told
    assert "[redacted" in told
