"""Answers on the wire: whole ones leave in a single write, streams chunk by chunk.

aiohttp's own Response costs 50 µs of processor time more than writing the finished bytes, a third of everything
that the server does for a small request, so these two only borrow its interface.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import HttpVersion10, HttpVersion11
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from serai.core.redact import Redactor

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream; charset=utf-8"
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
Lines = Sequence[tuple[str, str]]

KNOWS_NOTHING: Final = Redactor()
_TOLD: Final = frozenset({JSON, TEXT})
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class ClientGone(ConnectionError):
    """Nobody is there to be answered."""


class Reply(StreamResponse):
    """A complete answer. `common` are header lines that the dispatcher adds to every answer, `redactor` takes known
    secrets out of it."""

    common: bytes = b""
    redactor: Redactor = KNOWS_NOTHING

    def __init__(self, status: int, body: bytes, *, kind: str = JSON, lines: Lines = (), close: bool = False) -> None:
        super().__init__(status=status)
        self._content = body
        self._kind = kind
        self._lines = lines
        self._open = not close

    @property
    def keep_alive(self) -> bool | None:
        return self._open

    async def prepare(self, request: BaseRequest) -> None:
        """Sends everything. Raises ClientGone where the client is gone."""
        self._open = self._open and request.keep_alive
        content = _cleaned(self.redactor, self._kind, self._content)
        head = _status_line(self.status) + self.common + header_lines(self._lines) + _connection(request, self._open)
        if self.status not in _BODILESS:
            head += b"Content-Type: %b\r\nContent-Length: %d\r\n" % (self._kind.encode(), len(content))
        await send(request, head + b"\r\n" + (b"" if request.method == "HEAD" else content))

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""


class EventStream(StreamResponse):
    """Server-sent events. The headers leave with the first bytes, so until then the answer may still be an error.

    The known secrets that `redactor` gives are taken out of each event; out of a text that is told in several, they
    must have been before.
    """

    def __init__(self, request: BaseRequest, common: bytes, lines: Lines, redactor: Callable[[], Redactor]) -> None:
        super().__init__()
        self._redactor = redactor
        self._request = request
        self._head = common + header_lines(lines)
        self._chunks = request.version >= HttpVersion11
        self._open = self._chunks and request.keep_alive
        self.started = False

    @property
    def keep_alive(self) -> bool | None:
        return self._open

    async def send(self, data: bytes) -> None:
        """Sends complete events. Raises ClientGone."""
        await self._write(self._framed(data))

    async def end(self, data: bytes, *, broken: bool = False) -> None:
        """Sends the last events and ends the answer, and a `broken` one's connection. Raises ClientGone."""
        self._open = self._open and not broken
        await self._write(self._framed(data) + (b"0\r\n\r\n" if self._chunks else b""))

    def _framed(self, data: bytes) -> bytes:
        data = clean_events(self._redactor(), data)
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunks else data

    async def _write(self, data: bytes) -> None:
        opening = b"" if self.started else self._opening()
        self.started = True
        await send(self._request, opening + data)

    def _opening(self) -> bytes:
        kind = b"Content-Type: %b\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n" % EVENTS.encode()
        framing = b"Transfer-Encoding: chunked\r\n" if self._chunks else b""
        last = self._head + _connection(self._request, self._open) + b"\r\n"
        return b"HTTP/1.1 200 OK\r\n" + kind + framing + last

    async def prepare(self, request: BaseRequest) -> None:
        """The headers have been sent."""

    async def write_eof(self, data: bytes = b"") -> None:
        """`end` has been called."""


def clean_events(redactor: Redactor, data: bytes) -> bytes:
    """Complete events without known secrets; their data stays JSON."""
    if not redactor.in_json(data):
        return data
    return b"\n".join(
        b"data: " + redactor.clean_json(line[6:]) if line.startswith(b"data: ") else redactor.clean_json(line)
        for line in data.split(b"\n")
    )


def _cleaned(redactor: Redactor, kind: str, content: bytes) -> bytes:
    """What is made of texts; the page's own files, and pictures, are as they are."""
    return redactor.clean_json(content) if kind in _TOLD else content


def document(status: int, value: Any, lines: Lines = ()) -> Reply:
    """An answer that is a JSON document."""
    return Reply(status, msgspec.json.encode(value), lines=lines)


async def send(request: BaseRequest, data: bytes) -> None:
    """Writes to the client, waiting while it is slow. Raises ClientGone where it is gone."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ClientGone("the client is gone")
    transport.write(data)
    await request.writer.drain()


def header_lines(lines: Lines) -> bytes:
    """Header lines as bytes. Raises ValueError for a value that would end its line."""
    for name, value in lines:
        if not value.isprintable():
            raise ValueError(f"the value of {name} is no header value")
    return "".join([f"{name}: {value}\r\n" for name, value in lines]).encode("latin-1", "replace")


def _connection(request: BaseRequest, keep: bool) -> bytes:
    if not keep:
        return b"Connection: close\r\n"
    return b"Connection: keep-alive\r\n" if request.version == HttpVersion10 else b""


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
