"""An OpenAI-compatible model that answers with precomputed bytes: `python -m bench.stub_model --port P`.

A plain asyncio protocol: an HTTP framework here would take its processor time from the two cores on which the
gateway is measured. The first byte comes after the latency, the chunks together, or token by token where there is a
pace (`bench.pace`); each event is an HTTP chunk.

    POST /v1/chat/completions     the answer, streamed or whole
    GET  /v1/models, /health      for readiness checks
    GET  /stats                   counters since the last POST /control
    POST /control                 {"latency_ms": 200, "token_ms": 10}; resets the counters
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import cast

import msgspec
import uvloop

from bench import pace, wire


class Control(msgspec.Struct, frozen=True):
    """How the model behaves from now on. With `token_ms`, streamed answers come at that pace."""

    latency_ms: float = 0.0
    token_ms: float = 0.0


class Stats(msgspec.Struct):
    """What arrived since the last control message; `peak` is the most requests in flight at once."""

    requests: int = 0
    in_flight: int = 0
    peak: int = 0
    body_bytes: int = 0
    models: dict[str, int] = {}


def _response(body: bytes, kind: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
    return head + body


def _chunked(*events: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
STREAMED = HEAD + _chunked(*wire.stream()) + LAST
OPENING = HEAD + _chunked(wire.role())
TOKENS = tuple(_chunked(wire.chunk({"content": token})) for token in pace.REST)
CLOSING = _chunked(*wire.ending()) + LAST
WHOLE = _response(msgspec.json.encode(wire.completion("bench", wire.ANSWER)))
MODELS = _response(b'{"object":"list","data":[{"id":"bench","object":"model","owned_by":"bench"}]}')
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
NO_LENGTH = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Model:
    """Latency and pace in force and the counters, shared by all connections."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.token_s = 0.0
        self.stats = Stats()

    def control(self, body: bytes) -> bytes:
        """Set latency and pace; zero the counters but for what is in flight. Returns the HTTP response."""
        told = msgspec.json.decode(body, type=Control)
        self.latency_s, self.token_s = told.latency_ms / 1000, told.token_ms / 1000
        self.stats = Stats(in_flight=self.stats.in_flight)
        return _response(b"{}")

    def count(self, body: bytes) -> None:
        """Count a completion request by the model it names."""
        stats = self.stats
        stats.requests += 1
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        stats.body_bytes += len(body)
        name = model_name(body)
        stats.models[name] = stats.models.get(name, 0) + 1


def model_name(body: bytes) -> str:
    """The value of "model" in a request body, found without decoding the rest."""
    at = body.find(b'"model"')
    start = body.find(b'"', at + 8) + 1
    return body[start : body.find(b'"', start)].decode()


def wants_stream(body: bytes) -> bool:
    """Whether a request body asks for a streamed answer."""
    return b'"stream":true' in body or b'"stream": true' in body


class Writing:
    """A streamed answer under way: each token has its time, which does not move when an earlier one was late."""

    def __init__(
        self, asked: str, model: Model, write: Callable[[bytes], None], end: Callable[[bytes], None]
    ) -> None:
        self.asked = asked
        self.every_s = model.token_s
        self.write = write
        self.end = end
        self.told = 0
        self.loop = asyncio.get_running_loop()
        self.due = self.loop.time() + model.latency_s
        self.loop.call_at(self.due, self._first)

    def _first(self) -> None:
        self._next()
        self.write(OPENING + _chunked(wire.chunk({"content": pace.first_token(self.asked)})))

    def _more(self) -> None:
        token = TOKENS[self.told]
        self.told += 1
        if self.told < len(TOKENS):
            self._next()
            self.write(token)
        else:
            self.end(token + CLOSING)

    def _next(self) -> None:
        self.due += self.every_s
        self.loop.call_at(self.due, self._more)


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection; requests come one after another, not pipelined."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        length = _content_length(head)
        if length is None:
            self._write(NO_LENGTH)
        elif len(self.buffer) >= end + 4 + length:
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        model = self.model
        if path == b"/v1/chat/completions":
            model.count(body)
            answer = STREAMED if wants_stream(body) else WHOLE
            if model.token_s and answer is STREAMED:
                Writing(pace.mark_in(body), model, self._write, self._finish)
            elif model.latency_s:
                asyncio.get_running_loop().call_later(model.latency_s, self._finish, answer)
            else:
                self._finish(answer)
        elif path == b"/control":
            self._write(model.control(body))
        elif path == b"/stats":
            self._write(_response(msgspec.json.encode(model.stats)))
        else:
            self._write(MODELS if path in (b"/v1/models", b"/health") else NOT_FOUND)

    def _finish(self, answer: bytes) -> None:
        self.model.stats.in_flight -= 1
        self._write(answer)

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


def _content_length(head: bytes) -> int | None:
    """The body's length; 0 for a GET, None where the request does not say."""
    if head.startswith(b"GET "):
        return 0
    at = head.lower().find(b"\r\ncontent-length:")
    return None if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])


async def serve(port: int) -> None:
    """Listen on loopback until the process is ended."""
    model = Model()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(model), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    uvloop.run(serve(options.parse_args().port))
