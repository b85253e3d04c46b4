"""What a client may send that it should not, and the exact answer: `python -m tests.abuse.table` prints it.

Rows are bytes for a socket. `status` None: the connection is closed without an answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.api.stage import ADMIN_KEY, ALL_KEY, OPS_KEY, request
from tests.api.test_abuse import CASES

CHAT: Final = "/v1/chat/completions"
RESPONSES: Final = "/v1/responses"
KEY: Final = ("Authorization", f"Bearer {ALL_KEY}")
ADMIN: Final = ("Authorization", f"Bearer {ADMIN_KEY}")
GOOD: Final = json.dumps({"messages": [{"role": "user", "content": "2+2?"}]}).encode()
MEGABYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Row:
    """What is sent, and what must come."""

    name: str
    data: bytes
    status: int
    code: str | None = None
    param: str | None = None


def head(method: str, path: str, *lines: str, host: str = "localhost", key: str | None = ALL_KEY) -> bytes:
    """A request's head, its lines as they are, in Latin-1."""
    own = [f"{method} {path} HTTP/1.1", f"Host: {host}"] + ([f"Authorization: Bearer {key}"] if key else [])
    return "".join(f"{line}\r\n" for line in (*own, *lines)).encode("latin-1") + b"\r\n"


def got(name: str, path: str, status: int, code: str | None = None, param: str | None = None, **more: Any) -> Row:
    """A GET."""
    return Row(name, head("GET", path, **more), status, code, param)


def posted(name: str, path: str, body: object, status: int, code: str | None = None, param: str | None = None) -> Row:
    """A POST of the admin."""
    return Row(name, request("POST", path, body, [ADMIN]), status, code, param)


def chunked(name: str, body: bytes, status: int, code: str | None = None) -> Row:
    """A completion whose body comes in chunks, as these bytes."""
    return Row(name, head("POST", CHAT, "Transfer-Encoding: chunked") + body, status, code)


def lines(name: str, status: int, code: str | None, param: str | None, *sent: str) -> Row:
    """A good completion with these header lines."""
    return Row(name, head("POST", CHAT, f"Content-Length: {len(GOOD)}", *sent) + GOOD, status, code, param)


def after(name: str, event: str) -> Row:
    """The stream of events, from a wrong one on."""
    sent = head("GET", "/api/events", f"Last-Event-ID: {event}")
    return Row(name, sent, 400, "invalid_value", "Last-Event-ID")


def _chosen(name: str) -> dict[str, Any]:
    """A completion that must call a function which it does not bring along."""
    function = {"type": "function", "function": {"name": name}}
    offered = {"type": "function", "function": {"name": "f"}}
    return {"messages": [{"role": "user", "content": "?"}], "tools": [offered], "tool_choice": function}


def _nested(path: str, place: str, depth: int) -> bytes:
    """A question with JSON that deep, where it is passed on as it is."""
    field = "parameters" if place == "tools" else "schema"
    deep = '{"a":' * depth + "{}" + "}" * depth
    shape = f'"name": "f", "{field}": {deep}'
    given = {
        (CHAT, "tools"): f'"tools": [{{"type": "function", "function": {{{shape}}}}}]',
        (CHAT, "response_format"): f'"response_format": {{"type": "json_schema", "json_schema": {{{shape}}}}}',
        (RESPONSES, "tools"): f'"tools": [{{"type": "function", {shape}}}]',
        (RESPONSES, "text"): f'"text": {{"format": {{"type": "json_schema", {shape}}}}}',
    }
    asked = '"input": "hi"' if path == RESPONSES else '"messages": [{"role": "user", "content": "hi"}]'
    return f"{{{asked}, {given[path, place]}}}".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


IDS: Final = ("X-Hermes-Chat-Id", "X-Hermes-User-Id", "X-Hermes-Thread-Id")
CHOSEN: Final = ("X-Hermes-Session-Id", "Idempotency-Key")

HEADERS: Final[Sequence[Row]] = (
    *(lines(f"{name}: 256 characters", 200, None, None, f"{name}: {'x' * 256}") for name in IDS),
    *(lines(f"{name}: 257 characters", 400, "invalid_header", name, f"{name}: {'x' * 257}") for name in IDS),
    *(lines(f"{name}: blanks around", 200, None, None, f"{name}: \t x \t ") for name in IDS),
    *(lines(f"{name}: blank", 200, None, None, f"{name}:   ") for name in IDS),
    *(lines(f"{name}: twice", 400, "invalid_header", name, f"{name}: a", f"{name.lower()}: a") for name in IDS),
    *(lines(f"{name}: a bell", 400, "invalid_http", None, f"{name}: a\x07b") for name in IDS),
    *(lines(f"{name}: DEL", 400, "invalid_http", None, f"{name}: a\x7fb") for name in IDS),
    *(lines(f"{name}: NUL", 400, "invalid_http", None, f"{name}: a\0b") for name in IDS),
    *(lines(f"{name}: CR alone", 400, "invalid_http", None, f"{name}: a\rb") for name in IDS),
    *(lines(f"{name}: LF begins a line", 400, "invalid_http", None, f"{name}: a\nb") for name in IDS),
    *(lines(f"{name}: a folded line", 400, "invalid_http", None, f"{name}: a\r\n b") for name in IDS),
    *(lines(f"{name}: half a UTF-8 sign", 400, "invalid_header", name, f"{name}: \xc3") for name in IDS),
    *(lines(f"{name}: UTF-8", 200, None, None, f"{name}: f\xc3\xbcr") for name in IDS),
    *(lines(f"{name}: 256", 200, None, None, f"{name}: {n}{'y' * 255}") for n, name in enumerate(CHOSEN)),
    *(lines(f"{name}: 257", 400, "invalid_header", name, f"{name}: {'y' * 257}") for name in CHOSEN),
    *(lines(f"{name}: a blank inside", 400, "invalid_header", name, f"{name}: a b") for name in CHOSEN),
    *(lines(f"{name}: twice", 400, "invalid_header", name, f"{name}: a", f"{name}: b") for name in CHOSEN),
    *(lines(f"{name}: UTF-8", 400, "invalid_header", name, f"{name}: \xc3\xbc") for name in CHOSEN),
    lines("a blank before the colon", 400, "invalid_http", None, "X-Odd : 1"),
    lines("a header without a name", 400, "invalid_http", None, ": 1"),
    lines("a header without a colon", 400, "invalid_http", None, "X-Odd"),
    lines("a name with umlauts", 400, "invalid_http", None, "X-\xfc: 1"),
    lines("a second length", 400, "invalid_http", None, f"Content-Length: {len(GOOD) + 1}"),
    lines("two thousand headers", 400, "invalid_http", None, *(f"X-{n}: {'x' * 60}" for n in range(2000))),
    lines("a foreign origin with a key", 403, "foreign_origin", "Origin", "Origin: https://evil.example"),
    lines("an encoding nobody knows", 200, None, None, "Content-Encoding: x-magic"),
    lines("a body that is no gzip", 400, "invalid_body", None, "Content-Encoding: gzip"),
    lines("an expectation", 200, None, None, "Expect: 100-continue"),
    got("a key in Latin-1", "/v1/models", 401, "invalid_api_key", key="fake-k\xeay"),
    got("a key in UTF-8", "/v1/models", 401, "invalid_api_key", key="fake-k\xc3\xaay"),
    got("a key with a blank behind", "/v1/models", 200, key=f"{ALL_KEY} "),
    got("an endless key", "/v1/models", 401, "invalid_api_key", key="x" * 7000),
    got("a host with a path", "/v1/models", 403, "foreign_host", "Host", host="localhost/evil"),
    got("a host with a user", "/v1/models", 403, "foreign_host", "Host", host="localhost@evil.example"),
    got("an empty host", "/v1/models", 400, "missing_host", "Host", host=""),
    got("IPv6's loopback as host", "/v1/models", 200, host="[::1]:1"),
    got("IPv6's loopback with more behind", "/v1/models", 403, "foreign_host", "Host", host="[::1]evil.example"),
    got("a broken IPv6 host", "/v1/models", 403, "foreign_host", "Host", host="[::1"),
)

NO_JOB: Final = "/api/jobs/0123456789ab"


def job(name: str, fields: Mapping[str, Any], status: int, code: str, param: str | None, key: str = ADMIN_KEY) -> Row:
    """A job that must not be made."""
    body = {"agent": "ops", "schedule": "0 9 * * *", "prompt": "x", **fields}
    sent = {field: value for field, value in body.items() if value is not None}
    return Row(name, request("POST", "/api/jobs", sent, [("Authorization", f"Bearer {key}")]), status, code, param)


JOBS: Final[Sequence[Row]] = (
    got("a job that is none", NO_JOB, 404, "job_not_found"),
    got("a job that is NUL", "/api/jobs/%00", 404, "job_not_found"),
    got("a job that is half a sign", "/api/jobs/%C3", 404, "job_not_found"),
    got("a job upwards", "/api/jobs/..%2F..%2Fjobs.json", 404, "job_not_found"),
    got("a job of 2,000 characters", f"/api/jobs/{'x' * 2000}", 404, "job_not_found"),
    got("a job of an agent that is NUL", f"{NO_JOB}?agent=%00", 404, "job_not_found"),
    got("a job of two agents", f"{NO_JOB}?agent=ops&agent=lab", 400, "invalid_value", "agent"),
    got("a job with a limit", f"{NO_JOB}?limit=1", 400, "unknown_parameter", "limit"),
    got("runs of no job", f"{NO_JOB}/runs", 404, "job_not_found"),
    got("runs before no time", f"{NO_JOB}/runs?before=nan", 400, "invalid_value", "before"),
    got("runs before half a time", f"{NO_JOB}/runs?before=1e999", 400, "invalid_value", "before"),
    got("a run of no job", f"{NO_JOB}/runs/run_1", 404, "job_not_found"),
    got("jobs in a state that is none", "/api/jobs?state=lost", 400, "invalid_value", "state"),
    got("jobs behind no place", "/api/jobs?before=x", 400, "invalid_value", "before"),
    got("jobs behind NUL", "/api/jobs?before=%00%2F%00", 200),
    got("jobs of another's agent", "/api/jobs?agent=lab", 200, key=OPS_KEY),
    got("a preview without a schedule", "/api/jobs/preview", 405, "method_not_allowed"),
    posted("running no job", f"{NO_JOB}/run", b"", 404, "job_not_found"),
    posted("pausing no job", f"{NO_JOB}/pause", b"[", 404, "job_not_found"),
    posted("a preview of nothing", "/api/jobs/preview", {}, 400, "missing_required_parameter", "schedule"),
    posted("a preview of nonsense", "/api/jobs/preview", {"schedule": "\0"}, 400, "invalid_job", "schedule"),
    posted("an endless schedule", "/api/jobs/preview", {"schedule": "*" * 201}, 400, "invalid_value", "schedule"),
    posted(
        "a zone upwards",
        "/api/jobs/preview",
        {"schedule": "30m", "timezone": "../../etc/passwd"},
        400,
        "invalid_job",
        "timezone",
    ),
    posted(
        "a preview for ever", "/api/jobs/preview", {"schedule": "30m", "count": 2**40}, 400, "invalid_value", "count"
    ),
    posted("adopting nobody", "/api/jobs/adopt", {"agent": "nobody"}, 404, "agent_not_found"),
    Row(
        "adopting without admin",
        request("POST", "/api/jobs/adopt", {"agent": "ops"}, [KEY]),
        403,
        "admin_required",
    ),
    job("a job without a schedule", {"schedule": None}, 400, "missing_required_parameter", "schedule"),
    job("a job with nothing to do", {"prompt": None}, 400, "invalid_job", None),
    job("a job of nobody's", {"agent": "nobody"}, 404, "agent_not_found", None),
    job("a job of an agent upwards", {"agent": "../ops"}, 404, "agent_not_found", None),
    job("a job with an id", {"id": "0123456789ab"}, 400, "unknown_parameter", "id"),
    job("a job with an identity", {"agent_id": "lab"}, 400, "unknown_parameter", "agent_id"),
    job("a job on no day", {"schedule": "0 0 31 2 *"}, 400, "invalid_job", "schedule"),
    job("a job too often", {"repeat": 2**70}, 400, "invalid_value", "repeat"),
    job("a script upwards", {"script": "../../x"}, 400, "invalid_job", "script"),
    job("a script that is NUL", {"script": "\0"}, 400, "invalid_job", "script"),
    job("a workdir outside", {"workdir": "/etc"}, 400, "invalid_job", "workdir"),
    job(
        "a chat without a platform",
        {"origin": {"chat_id": "1"}},
        400,
        "missing_required_parameter",
        "origin.platform",
    ),
    job("no targets of a job", {"deliver": []}, 400, "invalid_value", "deliver"),
    job("a context upwards", {"context_from": ["../x"]}, 400, "invalid_value", "context_from[0]"),
    job("another's job", {"agent": "lab"}, 403, "unauthorised", "agent", OPS_KEY),
    job("a script without admin", {"script": "x.sh"}, 403, "admin_required", "script", OPS_KEY),
    job("a workdir without admin", {"workdir": "x"}, 403, "admin_required", "workdir", OPS_KEY),
    job("a chat without admin", {"deliver": "webhook:1"}, 403, "admin_required", "deliver", OPS_KEY),
    job("all chats without admin", {"deliver": ["local", "all"]}, 403, "admin_required", "deliver", OPS_KEY),
)

TARGETS: Final[Sequence[Row]] = (
    got("a path upwards", "/v1/../api/agents", 404, "not_found"),
    got("a path upwards, encoded", "/v1/%2e%2e/api/agents", 404, "not_found"),
    got("a slash in a name", "/v1/models/a%2Fb", 404, "model_not_found", "model"),
    got("NUL in a name", "/v1/models/a%00b", 404, "model_not_found", "model"),
    got("CR and LF in a name", "/v1/models/a%0d%0aSet-Cookie:%20x=1", 404, "model_not_found", "model"),
    got("half a UTF-8 sign in a name", "/v1/models/%C3", 404, "model_not_found", "model"),
    got("half a surrogate in a name", "/v1/models/%ED%A0%80", 404, "model_not_found", "model"),
    got("half a percent sign", "/v1/models/%", 404, "model_not_found", "model"),
    got("a session that is NUL", "/api/sessions/%00", 404, "session_not_found"),
    got("a session that is half a sign", "/api/sessions/%FF", 404, "session_not_found"),
    got("a session that is SQL", "/api/sessions/'%20OR%201=1--", 404, "session_not_found"),
    got("a session of 2,000 characters", f"/api/sessions/{'x' * 2000}", 404, "session_not_found"),
    got("a path with umlauts", "/api/sessions/\xfc", 400, "invalid_http"),
    got("an endless path", f"/v1/{'x' * 9000}", 400, "invalid_http"),
    got("a path of another server", "http://evil.example/v1/models", 200),
    got("a query without a name", "/api/sessions?=1", 400, "unknown_parameter"),
    got("a query of half a sign", "/api/sessions?agent=%C3", 200),
    got("a query of NUL", "/api/sessions?agent=%00", 200),
    got("a parameter twice", "/api/sessions?limit=1&limit=1", 400, "invalid_value", "limit"),
    got("a limit of nothing", "/api/sessions?limit=", 400, "invalid_value", "limit"),
    got("a limit below", "/api/sessions?limit=0", 400, "invalid_value", "limit"),
    got("a limit above", "/api/sessions?limit=1001", 400, "invalid_value", "limit"),
    got("a limit beyond 64 bits", f"/api/sessions?limit={2**70}", 400, "invalid_value", "limit"),
    got("a limit that is a fraction", "/api/sessions?limit=1.5", 400, "invalid_value", "limit"),
    got("a limit in Arabic digits", "/api/sessions?limit=%D9%A1", 400, "invalid_value", "limit"),
    got("a cursor that is none", "/api/sessions?before=x", 400, "invalid_value", "before"),
    got("a cursor at no time", "/api/sessions?before=nan:x", 400, "invalid_value", "before"),
    got("an endless cursor", f"/api/sessions?before=1:{'x' * 400}", 400, "invalid_value", "before"),
    got("messages before the first", "/api/sessions/x/messages?after=-2", 404, "session_not_found"),
    got("a state that is none", "/api/deliveries?state=lost", 400, "invalid_value", "state", key=ADMIN_KEY),
    got("days that never were", "/api/usage?days=0", 400, "invalid_value", "days"),
    got("usage by the moon", "/api/usage?by=moon", 400, "invalid_value", "by"),
    got("another's agent", "/api/agents/lab", 404, "agent_not_found", key=OPS_KEY),
    got("another's usage", "/api/usage?agent=lab", 404, "agent_not_found", key=OPS_KEY),
    got("deliveries without admin", "/api/deliveries", 403, "admin_required", key=OPS_KEY),
    Row(
        "sending without admin",
        request("POST", "/api/deliveries", {"target": "webhook:1", "text": "x"}, [KEY]),
        403,
        "admin_required",
    ),
    posted("sending nothing", "/api/deliveries", {}, 400, "missing_required_parameter", "target"),
    posted("a blank text", "/api/deliveries", {"target": "a:1", "text": " \n"}, 400, "invalid_value", "text"),
    posted("an empty target", "/api/deliveries", {"target": "", "text": "x"}, 400, "invalid_value", "target"),
    posted("no targets", "/api/deliveries", {"target": [], "text": "x"}, 400, "invalid_value", "target"),
    posted(
        "a target that is a number", "/api/deliveries", {"target": 7, "text": "x"}, 400, "invalid_value", "target"
    ),
    posted(
        "an empty one of two",
        "/api/deliveries",
        {"target": ["a", ""], "text": "x"},
        400,
        "invalid_value",
        "target[1]",
    ),
    posted("101 targets", "/api/deliveries", {"target": ["a"] * 101, "text": "x"}, 400, "invalid_value", "target"),
    posted("a book", "/api/deliveries", {"target": "a:1", "text": "x" * 100_001}, 400, "invalid_value", "text"),
    posted(
        "sending as a list",
        "/api/deliveries",
        {"target": "a:1", "text": "x", "agent": []},
        400,
        "invalid_value",
        "agent",
    ),
    posted(
        "sending with more",
        "/api/deliveries",
        {"target": "a:1", "text": "x", "to": "b"},
        400,
        "unknown_parameter",
        "to",
    ),
    posted("a target and a text of NUL", "/api/deliveries", {"target": "a:\0", "text": "\0"}, 202),
    *JOBS,
    Row(
        "an event that is no number",
        head("GET", "/api/events", "Last-Event-ID: x"),
        400,
        "invalid_value",
        "Last-Event-ID",
    ),
    Row(
        "an event of Arabic digits",
        head("GET", "/api/events", "Last-Event-ID: \xd9\xa1"),
        400,
        "invalid_value",
        "Last-Event-ID",
    ),
    Row("no version", b"GET /v1/models\r\n\r\n", 400, "missing_host", "Host"),
    Row("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_http"),
    Row("HTTP/3.7", b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n", 400, "invalid_http"),
    Row("a method in small letters", head("get", "/v1/models"), 400, "invalid_http"),
    Row("TRACE", head("TRACE", "/v1/models"), 405, "method_not_allowed"),
    Row("CONNECT", head("CONNECT", "localhost:1"), 404, "not_found"),
    Row("OPTIONS of everything", head("OPTIONS", "*"), 404, "not_found"),
)

BODIES: Final[Sequence[Row]] = (
    Row("20 MB", head("POST", CHAT, f"Content-Length: {20 * MEGABYTE}") + b" " * MEGABYTE, 413, "body_too_large"),
    chunked("20 MB in chunks", chunk(b" " * MEGABYTE) * 20 + b"0\r\n\r\n", 413, "body_too_large"),
    chunked("chunks as they should be", chunk(GOOD[:9]) + chunk(GOOD[9:]) + b"0\r\n\r\n", 200),
    chunked("a chunk with an extension", b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), 200),
    chunked("a chunk longer than it says", b"5\r\n%b\r\n0\r\n\r\n" % GOOD, 400, "invalid_http"),
    chunked("a chunk of no length", b"x\r\n%b\r\n0\r\n\r\n" % GOOD, 400, "invalid_http"),
    chunked("a chunk of negative length", b"-5\r\n%b\r\n0\r\n\r\n" % GOOD, 400, "invalid_http"),
    chunked("a chunk beyond 64 bits", b"1" + b"0" * 16 + b"\r\n", 400, "invalid_http"),
    chunked("no body in chunks", b"0\r\n\r\n", 400, "invalid_json"),
    Row(
        "a length and chunks",
        head("POST", CHAT, f"Content-Length: {len(GOOD)}", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
        "invalid_http",
    ),
    Row("a transfer nobody knows", head("POST", CHAT, "Transfer-Encoding: magic") + GOOD, 400, "invalid_http"),
    Row("a length with a plus", head("POST", CHAT, f"Content-Length: +{len(GOOD)}") + GOOD, 400, "invalid_http"),
    Row("a length below zero", head("POST", CHAT, "Content-Length: -1") + GOOD, 400, "invalid_http"),
    Row("a body without a length", head("POST", CHAT) + GOOD, 400, "invalid_http"),
    posted("a million brackets", CHAT, b'{"messages":' + b"[" * MEGABYTE, 400, "invalid_value", "messages[0]"),
    posted("a million brackets where anything may be", CHAT, b'{"audio":' + b"[" * MEGABYTE, 400, "invalid_json"),
    posted("a million braces", CHAT, b'{"a":' * MEGABYTE, 400, "unknown_parameter", "a"),
    posted("half a surrogate as a name", CHAT, b'{"\\ud800": 1}', 400, "invalid_json"),
    posted(
        "half a surrogate in a session", "/api/sessions/x/chat", b'{"message": "\\udfff"}', 404, "session_not_found"
    ),
    posted(
        "the other half first",
        CHAT,
        b'{"messages": [{"role": "user", "content": "\\udc00\\ud800"}]}',
        400,
        "invalid_json",
    ),
    *(
        posted(f"{depth} levels in {place} of {path}", path, _nested(path, place, depth), status, code, param)
        for path, place in ((CHAT, "tools"), (CHAT, "response_format"), (RESPONSES, "tools"), (RESPONSES, "text"))
        for depth, status, code, param in (
            (100, 200, None, None),
            (101, 400, "invalid_value", place),
            (900, 400, "invalid_value", place),
        )
    ),
    posted("a choice of no name", CHAT, _chosen(""), 400, "invalid_value", "tool_choice"),
    posted("a choice of a strange name", CHAT, _chosen("x"), 400, "invalid_value", "tool_choice"),
    posted("NUL as a name", CHAT, b'{"\\u0000": 1}', 400, "unknown_parameter", "\0"),
    posted("a byte order mark", CHAT, b"\xef\xbb\xbf" + GOOD, 400, "invalid_json"),
    posted("UTF-16", CHAT, GOOD.decode().encode("utf-16"), 400, "invalid_json"),
    posted("Infinity", CHAT, b'{"temperature": Infinity, "messages": []}', 400, "invalid_json"),
    posted("a route test of nothing", "/api/routes/test", {}, 400, "missing_required_parameter", "platform"),
    posted("a route test of no platform", "/api/routes/test", {"platform": ""}, 400, "invalid_value", "platform"),
    posted(
        "a role that is a fraction",
        "/api/routes/test",
        {"platform": "x", "roles": [1.5]},
        400,
        "invalid_value",
        "roles[0]",
    ),
    posted("an agent nobody knows", "/api/agents/nobody/stop", b"", 404, "agent_not_found"),
    posted("an unsigned webhook", "/webhook/default", {"chat_id": "1", "text": "x"}, 401, "invalid_signature"),
)

TABLE: Final[Sequence[Row]] = (
    *(Row(case.name, case.data, case.status, case.code, case.param) for case in CASES),
    *HEADERS,
    *TARGETS,
    *BODIES,
)


def main() -> None:
    for row in TABLE:
        print(f"{row.status}  {row.code or '-':28} {row.param or '-':44} {row.name}")


if __name__ == "__main__":
    main()
