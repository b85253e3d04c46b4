"""Slack on loopback: the Web API and Socket Mode for several apps; every call is checked strictly."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import WSMsgType, web

Trouble = Literal["rate_limited", "server_error", "rejected", "timeout", "disconnect"]
RETRY_AFTER: Final = 7
MARKDOWN_LIMIT: Final = 12_000

FIELDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    # method: required, optional (Slack's reference of methods)
    "auth.test": (frozenset(), frozenset()),
    "apps.connections.open": (frozenset(), frozenset()),
    "users.info": (frozenset({"user"}), frozenset({"include_locale"})),
    "chat.postMessage": (
        frozenset({"channel"}),
        frozenset({"text", "markdown_text", "blocks", "thread_ts", "unfurl_links", "unfurl_media"}),
    ),
    "chat.update": (frozenset({"channel", "ts"}), frozenset({"text", "markdown_text", "blocks"})),
    "files.getUploadURLExternal": (frozenset({"filename", "length"}), frozenset({"alt_txt", "snippet_type"})),
    "files.completeUploadExternal": (
        frozenset({"files"}),
        frozenset({"channel_id", "initial_comment", "thread_ts"}),
    ),
}

_JSON: Final = frozenset({"blocks", "files"})
"""Fields that are JSON text where a call is sent as a form."""


@dataclass
class Said:
    """A message of a bot, as it is now."""

    app: str
    channel: str
    text: str
    ts: str
    thread: str | None = None
    edits: int = 0
    buttons: tuple[tuple[str, str], ...] = ()
    data: bytes | None = None


@dataclass
class App:
    """An app that exists. Its tokens are made of its name."""

    name: str
    scopes: str = "app_mentions:read,channels:history,chat:write,files:read,files:write,groups:history,im:history,"
    names: dict[str, str] = field(default_factory=lambda: {"42": "Ada"})

    @property
    def bot_token(self) -> str:
        return f"xoxb-fake-{self.name}"

    @property
    def app_token(self) -> str:
        return f"xapp-fake-{self.name}"

    @property
    def user_id(self) -> str:
        return f"U{self.name.upper()}"

    @property
    def bot_id(self) -> str:
        return f"B{self.name.upper()}"


class SlackPeer:
    """The server."""

    def __init__(self, *apps: App) -> None:
        self.apps = {app.name: app for app in apps}
        self.base_url = ""
        self.said: list[Said] = []
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.troubles: list[Trouble] = []
        self.refuses_markdown = False
        self.acknowledged: set[str] = set()
        self._revoked: set[str] = set()
        self._live: dict[str, list[web.WebSocketResponse]] = {}
        self._deaf: set[web.WebSocketResponse] = set()
        self._uploads: dict[str, bytes] = {}
        self._files: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None, handler_cancellation=True))

    async def __aenter__(self) -> "SlackPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/api/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        for socket in [*itertools.chain(*self._live.values()), *self._deaf]:
            _abort(socket)
        await self._runner.cleanup()
        assert not self.problems, self.problems

    # what people do

    def ts(self) -> str:
        return f"17000000{next(self._numbers):02d}.000100"

    def event(self, text: str, *, user: str = "42", channel: str = "D1", ts: str = "", **more: Any) -> dict[str, Any]:
        """A message as the Events API has it."""
        kind = "im" if channel.startswith("D") else "channel"
        event = {"type": "message", "channel": channel, "channel_type": kind, "user": user, "text": text}
        return event | {"ts": ts or self.ts(), "event_ts": "1.1"} | more

    def file(self, name: str, media_type: str, data: bytes, *, ts: str = "") -> dict[str, Any]:
        """A message with a file that this server has."""
        self._files[name] = data
        address = self.base_url.replace("/api/", f"/files-pri/{name}")
        file = {"id": "F1", "name": name, "mimetype": media_type, "size": len(data), "url_private_download": address}
        return self.event("", ts=ts) | {"subtype": "file_share", "files": [file]}

    async def tell(self, app: str, event: dict[str, Any]) -> str:
        """Passes an event on to an app, by one of its sockets. Returns the envelope's id."""
        number = next(self._numbers)
        payload = {
            "type": "event_callback",
            "team_id": "T1",
            "api_app_id": "A1",
            "event": event,
            "event_id": f"Ev{number}",
            "event_time": 1_700_000_000,
        }
        return await self._envelope(app, "events_api", payload)

    async def press(self, app: str, label: str, *, user: str = "42") -> str:
        said = next(s for s in reversed(self.said) if any(label == text for text, _ in s.buttons))
        payload = {
            "type": "block_actions",
            "user": {"id": user, "name": "ada", "team_id": "T1"},
            "team": {"id": "T1", "domain": "fake"},
            "channel": {"id": said.channel, "name": "general"},
            "container": {"type": "message", "message_ts": said.ts, "channel_id": said.channel},
            "trigger_id": f"trigger-{next(self._numbers)}",
            "response_url": self.base_url.replace("/api/", "/actions/1"),
            "actions": [{"type": "button", "action_id": "serai-0", "value": dict(said.buttons)[label]}],
        }
        return await self._envelope(app, "interactive", payload)

    async def slash(self, app: str, text: str, *, user: str = "42", channel: str = "D1") -> str:
        payload = {
            "command": "/serai",
            "text": text,
            "user_id": user,
            "user_name": "ada",
            "channel_id": channel,
            "team_id": "T1",
            "trigger_id": f"trigger-{next(self._numbers)}",
        }
        return await self._envelope(app, "slash_commands", payload)

    async def _envelope(self, app: str, kind: str, payload: dict[str, Any]) -> str:
        name = f"envelope-{next(self._numbers)}"
        document = {"type": kind, "envelope_id": name, "payload": payload, "accepts_response_payload": False}
        await self._live[app][-1].send_json(document)
        return name

    async def garble(self, app: str, text: str) -> None:
        """A frame of any text."""
        await self._live[app][-1].send_str(text)

    # what becomes of connections

    async def connected(self, app: str) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._live.get(app)))

    async def refresh(self, app: str) -> None:
        """Slack wants the socket back: it says so, and takes it away once there is another."""
        old = self._live[app][-1]
        await old.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
        async with self._changed:
            await self._changed.wait_for(lambda: self._live[app][-1] is not old)
        await old.close()

    async def close(self, app: str, code: int) -> None:
        await self._live[app].pop().close(code=code)

    def cut(self, app: str) -> None:
        _abort(self._live[app].pop())

    def silence(self, app: str) -> None:
        self._deaf.add(self._live[app].pop())

    def revoke(self, app: str) -> None:
        self._revoked.add(app)

    async def heard(self, count: int) -> list[Said]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.said) >= count)
        return self.said

    async def acknowledges(self, *envelopes: str) -> None:
        """Waits until the apps have acknowledged all of them."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.acknowledged >= set(envelopes))

    # the server

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        kind, _, rest = request.path.strip("/").partition("/")
        match kind:
            case "link":
                return await self._converse(request, rest)
            case "upload":
                self._uploads[rest] = await request.read()
                return web.Response(text="OK")
            case "actions":
                self.notes.append((await request.json())["text"])
                return web.Response(text="ok")
            case "files-pri":
                return self._file(request, rest)
        return await self._call(request, rest)

    def _file(self, request: web.BaseRequest, name: str) -> web.Response:
        if self._caller(request) is None or not request.headers["Authorization"].startswith("Bearer xoxb-"):
            return web.Response(status=302, headers={"Location": "/login"})
        return web.Response(body=self._files[name])

    def _caller(self, request: web.BaseRequest) -> App | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for app in self.apps.values():
            if token in (app.bot_token, app.app_token) and app.name not in self._revoked:
                return app
        return None

    async def _call(self, request: web.BaseRequest, method: str) -> web.StreamResponse:
        app = self._caller(request)
        if app is None:
            return web.json_response({"ok": False, "error": "invalid_auth"})
        given = await _given(request)
        self.calls.append((app.name, method))
        if method not in FIELDS:
            self.problems.append(f"unknown method {method}")
            return web.json_response({"ok": False, "error": "unknown_method"})
        required, optional = FIELDS[method]
        if not required <= set(given) or set(given) - required - optional:
            self.problems.append(f"{method} with {sorted(given)}")
            return web.json_response({"ok": False, "error": "invalid_arguments"})
        if method.startswith("chat.") and self.troubles:
            trouble = self.troubles.pop(0)
            if (answer := await self._trouble(request, trouble)) is not None:
                return answer
        done = getattr(self, "_" + method.replace(".", "_"))(app, given)
        async with self._changed:
            self._changed.notify_all()
        headers = {"x-oauth-scopes": app.scopes}
        return web.json_response({"ok": "error" not in done} | done, headers=headers)

    async def _trouble(self, request: web.BaseRequest, trouble: Trouble) -> web.Response | None:
        match trouble:
            case "rate_limited":
                body = {"ok": False, "error": "ratelimited"}
                return web.json_response(body, status=429, headers={"Retry-After": str(RETRY_AFTER)})
            case "server_error":
                return web.Response(status=503, text="<html>unavailable</html>")
            case "rejected":
                return web.json_response({"ok": False, "error": "channel_not_found"})
            case "timeout":
                await self._closing.wait()
            case "disconnect":
                assert request.transport is not None
                request.transport.abort()
        return None

    def _auth_test(self, app: App, _: dict[str, Any]) -> dict[str, Any]:
        return {"user_id": app.user_id, "bot_id": app.bot_id, "team_id": "T1", "user": app.name, "team": "Fake"}

    def _apps_connections_open(self, app: App, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.base_url.replace("http:", "ws:").replace("/api/", f"/link/{app.name}?ticket=fake-ticket")}

    def _users_info(self, app: App, given: dict[str, Any]) -> dict[str, Any]:
        name = app.names.get(given["user"])
        return (
            {"user": {"id": given["user"], "profile": {"display_name": name}}} if name else {"error": "x_not_found"}
        )

    def _chat_postMessage(self, app: App, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if (error := self._refusal(given)) is not None:
            return {"error": error}
        ts = self.ts()
        text, buttons = _shown(given)
        self.said.append(Said(app.name, given["channel"], text, ts, given.get("thread_ts"), buttons=buttons))
        return {"ts": ts, "channel": given["channel"]}

    def _chat_update(self, _: App, given: dict[str, Any]) -> dict[str, Any]:
        if (error := self._refusal(given)) is not None:
            return {"error": error}
        said = next((s for s in self.said if (s.channel, s.ts) == (given["channel"], given["ts"])), None)
        if said is None:
            return {"error": "message_not_found"}
        said.text, said.buttons = _shown(given)
        said.edits += 1
        return {"ts": said.ts, "channel": said.channel}

    def _refusal(self, given: dict[str, Any]) -> str | None:
        markdown = given.get("markdown_text")
        if markdown is not None and (given.get("text") or given.get("blocks")):
            return "markdown_text_conflict"
        if markdown is not None and len(markdown) > MARKDOWN_LIMIT:
            return "msg_too_long"
        if markdown is not None and self.refuses_markdown:
            return "invalid_arguments"
        if "<!" in (markdown or "") + str(given.get("text") or ""):
            self.problems.append("somebody would be called")
        return None if markdown or given.get("text") or given.get("blocks") else "no_text"

    def _files_getUploadURLExternal(self, _: App, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = f"F{next(self._numbers)}"
        return {"upload_url": self.base_url.replace("/api/", f"/upload/{name}"), "file_id": name}

    def _files_completeUploadExternal(self, app: App, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        files = given["files"]
        for file in files:
            data = self._uploads.pop(file["id"])
            text = _unescaped(given.get("initial_comment") or "")
            self.said.append(Said(app.name, given["channel_id"], text, self.ts(), given.get("thread_ts"), data=data))
        return {"files": files}

    async def _converse(self, request: web.BaseRequest, app: str) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=4 * 2**20, autoping=False)
        await socket.prepare(request)
        if app in self._revoked:
            await socket.close()
            return socket
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        self._live.setdefault(app, []).append(socket)
        async with self._changed:
            self._changed.notify_all()
        try:
            async for came in socket:
                await self._came(socket, came)
        finally:
            if socket in self._live[app]:
                self._live[app].remove(socket)
        return socket

    async def _came(self, socket: web.WebSocketResponse, came: Any) -> None:
        if socket in self._deaf:
            return
        if came.type is WSMsgType.PING:
            await socket.pong(came.data)
        elif came.type is WSMsgType.TEXT:
            document = json.loads(came.data)
            if set(document) - {"envelope_id", "payload"}:
                self.problems.append(f"an acknowledgement with {sorted(document)}")
            self.acknowledged.add(document["envelope_id"])
            async with self._changed:
                self._changed.notify_all()


async def _given(request: web.BaseRequest) -> dict[str, Any]:
    if request.content_type == "application/json":
        found: dict[str, Any] = json.loads(await request.read() or b"{}")
        return found
    given = {**request.query, **dict(await request.post())}
    return {name: json.loads(str(value)) if name in _JSON else value for name, value in given.items()}


def _shown(given: dict[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What people read, and the buttons below."""
    buttons: list[tuple[str, str]] = []
    text = given.get("markdown_text")
    text = _unescaped(given.get("text") or "") if text is None else text
    for block in given.get("blocks") or []:
        if block["type"] == "markdown":
            text = block["text"]
        elif block["type"] == "actions":
            buttons += [(one["text"]["text"], one["value"]) for one in block["elements"]]
    return text.replace("<\u200b", "<"), tuple(buttons)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _abort(socket: web.WebSocketResponse) -> None:
    request = socket._req
    if request is not None and request.transport is not None:
        request.transport.abort()
