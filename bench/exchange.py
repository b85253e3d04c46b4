"""One keep-alive HTTP/1.1 client connection, as cheap as it can be: request bytes in, status and body out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP response. `keep` is false when the server will close the connection."""

    status: int
    body: bytes
    streamed: bool
    keep: bool


class Disconnected(Exception):
    """The server closed the connection while a request was waiting for its answer."""


class Exchange(asyncio.Protocol):
    """Sends one request at a time and collects its response. `seen_ns` is when what it looked out for was there."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[Reply] | None = None
        self.buffer = b""
        self.awaited = b""
        self.seen_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(Disconnected(str(exc or "closed")))

    @property
    def open(self) -> bool:
        """Whether a request can be sent."""
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes, awaited: bytes = b"") -> asyncio.Future[Reply]:
        """Send `request` now; the future gives its response. The moment when `awaited` is in what has come is
        noted. Raises Disconnected when not connected."""
        if self.transport is None:
            raise Disconnected("not connected")
        self.buffer = b""
        self.awaited, self.seen_ns = awaited, 0
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.waiting

    def close(self) -> None:
        """Close the connection."""
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.awaited and self.awaited in self.buffer:
            self.awaited, self.seen_ns = b"", time.monotonic_ns()
        reply = parse(self.buffer)
        if reply is not None and self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(reply)


def parse(data: bytes) -> Reply | None:
    """The response in `data`, or None while it is incomplete. Knows Content-Length and chunked bodies."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end].lower()
    status, keep = int(head[9:12]), b"\r\nconnection: close" not in head
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        body = data[end + 4 :]
        return Reply(status, body, False, keep) if len(body) >= length else None
    if not data.endswith(b"\r\n0\r\n\r\n"):
        return None
    return Reply(status, dechunk(data, end + 4), b"text/event-stream" in head, keep)


def dechunk(data: bytes, at: int) -> bytes:
    """The body of a chunked response whose first chunk starts at offset `at`."""
    body: list[bytes] = []
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if size == 0:
            return b"".join(body)
        body.append(data[end + 2 : end + 2 + size])
        at = end + 4 + size
