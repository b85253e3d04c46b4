"""The gateway that runs for this SERAI_HOME, found by its lock file and asked over HTTP.

The lock file holds the gateway's address and a key that makes its reader the local admin.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from serai.cli.failure import Failed, NotRunning

CONNECT_S = 5.0
ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway. `started_at` in seconds since the epoch; `token` is secret."""

    pid: int
    url: str
    token: str
    started_at: float

    def ask(
        self, method: str, path: str, document: Mapping[str, Any] | None = None, answer_s: float = ANSWER_S
    ) -> tuple[int, Any]:
        """One call: the status, and the JSON answer (None where it is none). Raises Failed without an answer."""
        with self.call(method, path, document, answer_s=answer_s) as response:
            text = b"".join(self.lines(response))
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, None

    @contextmanager
    def call(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        answer_s: float | None = ANSWER_S,
    ) -> Iterator[HTTPResponse]:
        """One call whose body is read with `lines` inside the block; leaving it early hangs up.

        `answer_s` bounds each wait for the gateway; None waits for ever. Raises Failed without an answer.
        """
        connection = _connection(self.url)
        try:
            with self._answering():
                connection.connect()
                connection.sock.settimeout(answer_s)
                body = None if document is None else json.dumps(document).encode()
                connection.request(method, path, body, self._headers(headers or {}))
                response = connection.getresponse()
            yield response
        finally:
            connection.close()

    def lines(self, response: HTTPResponse) -> Iterator[bytes]:
        """The body's lines as they come, with their ends. Raises Failed where the connection breaks."""
        while True:
            with self._answering():
                line = response.readline()
            if not line:
                return
            yield line

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (HTTPException, OSError) as error:
            raise Failed(f"The gateway at {self.url} (pid {self.pid}) did not answer: {_reason(error)}.") from error

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **more}


def running(lock: Path) -> Gateway | None:
    """The gateway that holds `lock`, or None. Raises Failed while it is starting, or where the file is unreadable."""
    try:
        with lock.open(encoding="utf-8") as file:
            if not _held(file.fileno()):
                return None
            text = file.read()
            started_at = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    return _parsed(text, started_at)


def is_running(lock: Path) -> bool:
    """Whether a gateway holds `lock`, also one that is still starting."""
    try:
        with lock.open(encoding="utf-8") as file:
            return _held(file.fileno())
    except FileNotFoundError:
        return False


def required(lock: Path) -> Gateway:
    """As `running`, but raises NotRunning instead of returning None."""
    found = running(lock)
    if found is None:
        raise NotRunning(f"No gateway runs for {lock.parent}; start it with `serai up`.")
    return found


def fault(status: int, document: object) -> str:
    """The sentence of an error answer of the API (SPEC 11.1)."""
    match document:
        case {"error": {"message": str(message)}}:
            return message
        case _:
            return f"The gateway answered with status {status} and nothing that could be understood."


def _held(descriptor: int) -> bool:
    """Whether another process holds the file's lock."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _parsed(text: str, started_at: float) -> Gateway:
    try:
        document = json.loads(text)
        return Gateway(int(document["pid"]), str(document["url"]), str(document["token"]), started_at)
    except (ValueError, KeyError, TypeError) as error:
        raise NotRunning("The gateway is just starting or stopping; try again in a moment.") from error


def _connection(url: str) -> HTTPConnection:
    address = urlsplit(url)
    return HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=CONNECT_S)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
