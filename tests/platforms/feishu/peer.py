"""A Feishu of our own on loopback: the API and the long connection, for any number of apps.

async with FeishuPeer() as peer:
    bot = peer.app("cli_0123456789abcdef", "fake-secret")
    ...                                    # a client logs in at peer.url
    assert await bot.says("hello")         # True: the client took it
    peer.world.posted                      # what bots have sent

A request that the documentation does not allow is kept in `violations`, and leaving the block fails the test.
"""

import asyncio
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import WSMsgType, web

from serai.testing.platform.rig import RETRY_AFTER, Fault
from tests.platforms.feishu import shape
from tests.platforms.feishu.app import App
from tests.platforms.feishu.call import ApiError, Blob, Call
from tests.platforms.feishu.pbbp2 import GoogleFrame, google_frame
from tests.platforms.feishu.rest import Rest
from tests.platforms.feishu.state import AppState, Line, Said, World

_SCOPES: Final = (
    "im:message:send_as_bot",
    "im:message.p2p_msg:readonly",
    "im:message.group_at_msg:readonly",
    "im:resource",
    "im:message.reactions:write_only",
    "cardkit:card:write",
)
CONFIG: Final = {"ReconnectCount": -1, "ReconnectInterval": 10, "ReconnectNonce": 5, "PingInterval": 60}


class FeishuPeer:
    """The platform."""

    def __init__(self) -> None:
        self.world = World()
        self.violations: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.faults: list[tuple[Fault, str]] = []
        self.errors: dict[str, list[int]] = {}
        self.config = dict(CONFIG)
        self.slow: dict[str, float] = {}
        self.cut_after: list[str] = []
        self.strangers: list[int] = []
        self.endpoint_codes: list[int] = []
        self.handshakes: list[dict[str, str]] = []
        self.token_seconds = 7200
        self.url = ""
        self.rest = Rest(self.world)
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._take, access_log=None))

    async def __aenter__(self) -> "FeishuPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if kind is None:
            assert not self.violations, self.violations

    async def close(self) -> None:
        self._closing.set()
        for app in self.world.apps.values():
            for line in app.lines:
                line.transport.abort()
        await self._runner.cleanup()

    def app(self, app_id: str, secret: str, name: str = "Bot") -> App:
        """A new app."""
        state = AppState(app_id, secret, name, f"ou_bot_{app_id}", scopes=set(_SCOPES))
        self.world.apps[app_id] = state
        return App(self, state)

    def fault(self, fault: Fault, path: str = "im/v1/messages") -> None:
        """What the next POST of a path that begins so meets."""
        self.faults.append((fault, path))

    def learn(self, event: Any) -> None:
        """A message that is told of is one that can be answered."""
        try:
            message, sender = event["event"]["message"], event["event"]["sender"]
            said = Said(message["chat_id"], message.get("thread_id"), sender["sender_id"]["open_id"])
        except (KeyError, TypeError):
            return
        self.world.said[message["message_id"]] = said

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = urlsplit(request.raw_path)
        self.requests.append((request.method, raw.path))
        if self.strangers:
            return web.Response(status=self.strangers.pop(0), text="<html>a captive portal</html>")
        try:
            if raw.path == "/callback/ws/endpoint":
                return self._endpoint(await request.read())
            if raw.path == "/ws":
                return await self._line(request)
            if raw.path == "/open-apis/auth/v3/tenant_access_token/internal":
                return self._token(await request.read())
            return await self._call(request, raw.path.removeprefix("/open-apis/"), dict(parse_qsl(raw.query)))
        except shape.Violation as violation:
            self.violations.append(f"{request.method} {raw.path}: {violation}")
            return web.json_response({"code": 230001, "msg": str(violation)}, status=400)
        except ApiError as error:
            return web.json_response({"code": error.code, "msg": "fake"}, status=error.status)

    async def _call(self, request: web.BaseRequest, path: str, query: dict[str, str]) -> web.StreamResponse:
        self.queries.append(query)
        app = self._bearer(request)
        parts = [unquote(part) for part in path.split("/")]
        route, left = self._route(request.method, path.split("/"), parts)
        is_form = request.content_type.startswith("multipart/")
        form = await _form(request) if is_form else {}
        body = b"" if is_form else await request.read()
        if body and request.content_type != "application/json":
            raise shape.Violation(f"a body of {request.content_type}")
        await asyncio.sleep(self.slow.get(path, 0))
        if (met := await self._meet(request, path)) is not None:
            return met
        for prefix, codes in self.errors.items():
            if codes and f"{request.method} {path}".startswith(prefix):
                raise ApiError(codes.pop(0))
        answer = route(Call(app, left, query, body, form))
        if path in self.cut_after:
            self.cut_after.remove(path)
            assert request.transport
            request.transport.abort()
        if isinstance(answer, Blob):
            return web.Response(body=answer.data, content_type="application/octet-stream")
        return web.json_response(answer)

    def _route(self, method: str, raw: Sequence[str], parts: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
        found = []
        for (known, pattern), route in self.rest.routes.items():
            steps = pattern.split("/")
            fits = known == method and len(steps) == len(raw)
            if fits and all(step in ("*", one) for step, one in zip(steps, raw, strict=True)):
                left = tuple(part for step, part in zip(steps, parts, strict=True) if step == "*")
                found.append((len(left), route, left))
        if not found:
            raise shape.Violation("no such call")
        _, route, left = min(found, key=lambda one: one[0])
        return route, left

    def _bearer(self, request: web.BaseRequest) -> AppState:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for app in self.world.apps.values():
            if token in app.tokens:
                return app
        raise ApiError(99991663)

    async def _meet(self, request: web.BaseRequest, path: str) -> web.StreamResponse | None:
        due = next((one for one in self.faults if request.method == "POST" and path.startswith(one[1])), None)
        if due is None:
            return None
        self.faults.remove(due)
        fault = due[0]
        if fault == "rate_limited":
            headers = {"x-ogw-ratelimit-limit": "100", "x-ogw-ratelimit-reset": f"{RETRY_AFTER:g}"}
            return web.json_response(
                {"code": 99991400, "msg": "request trigger frequency limit"}, status=429, headers=headers
            )
        if fault == "server_error":
            return web.Response(status=502, text="bad gateway")
        if fault == "rejected":
            raise ApiError(230002)
        if fault == "timeout":
            await self._closing.wait()
        assert request.transport
        request.transport.abort()
        return web.Response()

    def _token(self, body: bytes) -> web.StreamResponse:
        asked = shape.read(body, shape.Token)
        app = self.world.apps.get(asked.app_id)
        if app is None or app.secret != asked.app_secret:
            return web.json_response({"code": 10003 if app is None else 10014, "msg": "invalid param"})
        app.tokens.append(f"t-fake{next(self.world.numbers)}-{app.app_id}")
        return web.json_response(
            {"code": 0, "msg": "ok", "tenant_access_token": app.tokens[-1], "expire": self.token_seconds}
        )

    def _endpoint(self, body: bytes) -> web.StreamResponse:
        asked = shape.read(body, shape.Login)
        app = self.world.apps.get(asked.AppID)
        code = self.endpoint_codes.pop(0) if self.endpoint_codes else 0
        if code or app is None or app.secret != asked.AppSecret:
            return web.json_response({"code": code or 514, "msg": "fake", "data": {"URL": "", "ClientConfig": None}})
        ticket = f"fake-ticket-{next(self.world.numbers)}"
        app.tickets.add(ticket)
        url = f"{self.url.replace('http', 'ws')}/ws?device_id=7&service_id=33&ticket={ticket}&app={app.app_id}"
        return web.json_response({"code": 0, "msg": "", "data": {"URL": url, "ClientConfig": self.config}})

    async def _line(self, request: web.BaseRequest) -> web.StreamResponse:
        query = dict(parse_qsl(urlsplit(request.raw_path).query))
        app = self.world.apps[query["app"]]
        if self.handshakes:
            return web.Response(status=400, headers=self.handshakes.pop(0))
        if query["ticket"] not in app.tickets:
            return web.Response(status=403, headers={"Handshake-Status": "514", "Handshake-Msg": "used"})
        app.tickets.discard(query["ticket"])
        socket = web.WebSocketResponse(timeout=0.5)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        line = Line(socket, request.transport)
        app.lines.append(line)
        async for message in socket:
            if message.type is WSMsgType.BINARY and not line.deaf:
                await self._frame(app, line, message.data)
        return socket

    async def _frame(self, app: AppState, line: Line, data: bytes) -> None:
        frame = GoogleFrame()
        frame.ParseFromString(data)
        headers = {header.key: header.value for header in frame.headers}
        if frame.method == 0 and headers.get("type") == "ping" and frame.service == 33:
            app.pings.append(asyncio.get_running_loop().time())
            config = json.dumps(app.pong or self.config).encode()
            await line.socket.send_bytes(google_frame(0, {"type": "pong"}, config, 33).SerializeToString())
            app.ready.set()
        elif frame.method == 1 and headers.get("message_id") in app.acks:
            int(headers["biz_rt"])
            app.acks[headers["message_id"]].set_result(json.loads(frame.payload))
        elif frame.method != 1:
            self.violations.append(f"a frame with {headers}")


async def _form(request: web.BaseRequest) -> dict[str, Any]:
    """The parts of a multipart body: files as bytes, the rest as text."""
    found: dict[str, Any] = {}
    async for part in await request.multipart():
        data = await part.read()  # type: ignore[union-attr]
        found[part.name] = bytes(data) if part.filename else data.decode()  # type: ignore[union-attr]
    return found
