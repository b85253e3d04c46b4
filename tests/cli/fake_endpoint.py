"""A model endpoint on loopback that lists its models to whoever has the key."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def fake_endpoint(models: Sequence[str], key: str | None = None, text: str = "Ready.") -> Iterator[str]:
    """Yields its base URL. It answers GET …/models, and POST …/chat/completions with `text`, streamed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(models, key, text))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(models: Sequence[str], key: str | None, text: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listed = [{"id": name, "object": "model", "owned_by": "tests"} for name in models]
            self._reply(200, json.dumps({"object": "list", "data": listed}))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if asked["model"] not in models:
                self._reply(404, json.dumps({"error": {"message": f"no model {asked['model']}"}}))
                return
            choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self._reply(200, f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n", "text/event-stream")

        def _reply(self, status: int, body: str, kind: str = "application/json") -> None:
            if key is not None and self.headers.get("Authorization") != f"Bearer {key}":
                status, body, kind = 401, '{"error": {"message": "wrong key"}}', "application/json"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler
