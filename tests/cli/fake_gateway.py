"""A gateway as the command line sees one: a held lock file, and an HTTP server on loopback."""

import fcntl
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

PID = 4711
TOKEN = "fake-token-of-the-lock"
SILENCE = (0, b"")
"""The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    document: Any


class FakeGateway:
    """Answers the paths that it was told of, 404 elsewhere; keeps what it was asked."""

    def __init__(self, home: Path) -> None:
        self._lock = home / "gateway.lock"
        self._answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answers(self, path: str, document: object, status: int = 200) -> None:
        self._answers[path] = (status, json.dumps(document).encode())

    def streams(self, path: str, *events: object, end: bool = True) -> None:
        """Server-sent events of a streamed completion; without `end` the stream is cut."""
        lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if end else [])
        self._answers[path] = (200, (": hello\n\n" + "".join(lines)).encode())

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        self.asked.append(asked)
        unknown = json.dumps({"error": {"message": "There is nothing here."}}).encode()
        return self._answers.get(asked.path, (404, unknown))

    def __enter__(self) -> Self:
        self._file = self._lock.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.writes({"pid": PID, "url": self.url, "token": TOKEN})
        self._thread.start()
        return self

    def writes(self, document: object) -> None:
        """What stands in the lock file."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(document))
        self._file.flush()

    def hang_up(self) -> None:
        """The process still holds the lock, but nobody listens any more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._file.close()


def _handler(gateway: FakeGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(body) if body else None)
            status, answer = gateway.answer(asked)
            if status == SILENCE[0]:
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = _reply  # noqa: N815 - the server looks for these names
        do_POST = _reply  # noqa: N815
        do_PATCH = _reply  # noqa: N815
        do_DELETE = _reply  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler
