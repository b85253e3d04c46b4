"""Yuanbao on loopback: tokens are signed for, bots log in, and everything that a bot says is checked strictly."""

import asyncio
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from aiohttp import WSMsgType, web

from serai.platforms.yuanbao.schema import message

LIMIT: Final = 4000
Trouble = Literal["rate_limited", "server_error", "rejected", "timeout", "disconnect"]
_CODES: Final = {"rate_limited": 90001, "server_error": 50503, "rejected": 1652513}
_HEADERS: Final = ("X-AppVersion", "X-OperationSystem", "X-Instance-Id", "X-Bot-Version")


@dataclass
class Said:
    """A message of a bot."""

    bot: str
    chat: str
    text: str
    message: str
    reply_to: str = ""
    group: bool = False


@dataclass
class Bot:
    """A bot that exists, by its app key."""

    secret: str
    bot_id: str
    token: str = ""


class YuanbaoPeer:
    """The server. `bots` maps app keys to bots."""

    def __init__(self, bots: dict[str, Bot]) -> None:
        self.bots = bots
        self.api_url = ""
        self.socket_url = ""
        self.said: list[Said] = []
        self.typings: list[tuple[str, bool]] = []
        self.problems: list[str] = []
        self.troubles: list[Trouble] = []
        self.acknowledged: set[str] = set()
        self.tokens_given = 0
        self.signing: list[int] = []
        self.log_in_codes: list[int] = []
        self.heart_interval = 10
        self._files: dict[str, bytes] = {}
        self._live: dict[str, web.WebSocketResponse] = {}
        self._deaf: set[web.WebSocketResponse] = set()
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None, handler_cancellation=True))

    async def __aenter__(self) -> "YuanbaoPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.api_url, self.socket_url = f"http://{host}:{port}", f"ws://{host}:{port}/wss/connection"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in [*self._live.values(), *self._deaf]:
            _abort(socket)
        await self._runner.cleanup()
        assert not self.problems, self.problems

    # what people do

    def message(
        self, text: str, *, user: str = "42", chat: str = "", message_id: str = "", mentions: str = "", **parts: Any
    ) -> dict[str, Any]:
        """A text as it is told to a bot, by the names of its fields; with `chat` in that group."""
        body: list[dict[str, Any]] = []
        if mentions:
            custom = {"elem_type": 1002, "text": "@bot", "user_id": mentions}
            body.append({"msg_type": "TIMCustomElem", "msg_content": {"data": json.dumps(custom)}})
        body.append({"msg_type": "TIMTextElem", "msg_content": {"text": text}})
        return {
            "callback_command": "Group.CallbackAfterSendMsg" if chat else "C2C.CallbackAfterSendMsg",
            "from_account": user,
            "sender_nickname": "Ada",
            "group_code": chat,
            "msg_id": message_id or f"msg-{next(self._numbers)}",
            "msg_body": body,
        } | parts

    def recall(self, message_id: str, *, user: str = "42") -> dict[str, Any]:
        return {
            "callback_command": "C2C.CallbackAfterMsgWithDraw",
            "from_account": user,
            "recall_msg_seq_list": [{"msg_id": message_id}],
        }

    def file(self, name: str, media_type: str, content: bytes, *, message_id: str = "") -> dict[str, Any]:
        """A file behind a resource id, as Yuanbao has them."""
        self._files[name] = content
        address = f"https://example.invalid/api/resource/download?resourceId={name}"
        kind, fields = "TIMFileElem", {"url": address, "file_name": name, "file_size": len(content)}
        if media_type.startswith("image/"):
            picture = {"type": 1, "size": len(content), "url": address}
            kind, fields = "TIMImageElem", {"uuid": name, "image_info_array": [picture]}
        body = [{"msg_type": kind, "msg_content": fields}]
        return self.message("", message_id=message_id) | {"msg_body": body}

    async def tell(self, bot_id: str, fields: dict[str, Any], *, wrapped: str = "bare", need_ack: bool = True) -> str:
        """Passes a message on to a bot, in any of the ways in which Yuanbao wraps them. Returns the push's id."""
        inner = _inbound(fields)
        if wrapped == "json":
            inner = json.dumps(fields).encode()
        elif wrapped == "pushed":
            inner = message("PushMsg")(cmd="inbound", module="m", msg_id="p", data=inner).SerializeToString()
        elif wrapped == "directed":
            content = json.dumps(fields).encode()
            inner = message("DirectedPush")(type=1, content=content).SerializeToString()
        push = f"push-{next(self._numbers)}"
        await self._send(self._live[bot_id], 2, "inbound_message", push, inner, need_ack=need_ack)
        return push

    def push(self, fields: dict[str, Any]) -> bytes:
        """The frame that tells of a message."""
        return self.wrapped(_inbound(fields))

    def wrapped(self, data: bytes) -> bytes:
        """The frame of a push of any content."""
        return bytes(_frame(2, "inbound_message", f"push-{next(self._numbers)}", data, True).SerializeToString())

    async def garble(self, bot_id: str, data: bytes) -> None:
        """A frame of any bytes."""
        await self._live[bot_id].send_bytes(data)

    # what becomes of connections

    async def connected(self, bot_id: str) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: bot_id in self._live and self._live[bot_id] not in self._deaf)

    async def close(self, bot_id: str, code: int) -> None:
        await self._live.pop(bot_id).close(code=code)

    def cut(self, bot_id: str) -> None:
        _abort(self._live.pop(bot_id))

    def silence(self, bot_id: str) -> None:
        self._deaf.add(self._live.pop(bot_id))

    async def kick_out(self, bot_id: str, reason: str) -> None:
        data = message("KickoutMsg")(status=1, reason=reason).SerializeToString()
        await self._send(self._live[bot_id], 2, "kickout", "k", data)

    async def heard(self, count: int) -> list[Said]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.said) >= count)
        return self.said

    # the server

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/wss/connection":
                return await self._converse(request)
            case "/api/v5/robotLogic/sign-token":
                return web.json_response(self._sign(request, await request.json()))
            case "/api/resource/v1/download":
                return self._place(request)
            case path if path.startswith("/file/"):
                return web.Response(body=self._files[path.removeprefix("/file/")])
        self.problems.append(f"unknown path {request.path}")
        return web.Response(status=404)

    def _sign(self, request: web.BaseRequest, body: dict[str, str]) -> dict[str, Any]:
        missing = [name for name in _HEADERS if not request.headers.get(name)]
        nonce, at = body["nonce"], body["timestamp"]
        if missing or set(body) != {"app_key", "nonce", "timestamp", "signature"} or len(nonce) != 32:
            self.problems.append(f"sign-token: {sorted(body)}, without {missing}")
        if datetime.fromisoformat(at).utcoffset().total_seconds() != 8 * 3600:  # type: ignore[union-attr]
            self.problems.append(f"sign-token: {at} is not Beijing's time")
        if self.signing and (code := self.signing.pop(0)):
            return {"code": code, "msg": "later"}
        bot = self.bots.get(body["app_key"])
        plain = nonce + at + body["app_key"] + (bot.secret if bot else "")
        expected = hmac.new((bot.secret if bot else "").encode(), plain.encode(), hashlib.sha256).hexdigest()
        if bot is None or expected != body["signature"]:
            return {"code": 10003, "msg": "signature does not fit"}
        self.tokens_given += 1
        bot.token = f"fake-token-{self.tokens_given}"
        data = {"token": bot.token, "bot_id": bot.bot_id, "duration": 3600, "product": "p", "source": "bot"}
        return {"code": 0, "data": data}

    def _place(self, request: web.BaseRequest) -> web.Response:
        bot = next((one for one in self.bots.values() if one.bot_id == request.headers.get("X-ID")), None)
        if bot is None or request.headers.get("X-Token") != bot.token or not request.headers.get("X-Source"):
            return web.Response(status=401)
        name = request.query["resourceId"]
        if name not in self._files:
            return web.json_response({"code": 404})
        return web.json_response({"code": 0, "data": {"url": f"{self.api_url}/file/{name}"}})

    async def _converse(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=4 * 2**20)
        await socket.prepare(request)
        bot_id = ""
        try:
            async for came in socket:
                if came.type is not WSMsgType.BINARY:
                    self.problems.append("a frame that is not binary")
                    continue
                bot_id = await self._frame(socket, came.data, bot_id)
        finally:
            if self._live.get(bot_id) is socket:
                del self._live[bot_id]
        return socket

    async def _frame(self, socket: web.WebSocketResponse, raw: bytes, bot_id: str) -> str:
        if socket in self._deaf:
            return bot_id
        frame = message("ConnMsg").FromString(raw)
        head = frame.head
        if head.cmd_type == 3:
            self.acknowledged.add(head.msg_id)
            async with self._changed:
                self._changed.notify_all()
            return bot_id
        if head.cmd == "auth-bind":
            return await self._log_in(socket, head, frame.data)
        if not bot_id:
            self.problems.append(f"{head.cmd} before the login")
        if head.cmd == "ping":
            data = message("PingRsp")(heart_interval=self.heart_interval, timestamp=1).SerializeToString()
            await self._send(socket, 1, "ping", head.msg_id, data)
            return bot_id
        return await self._command(socket, head, frame.data, bot_id)

    async def _log_in(self, socket: web.WebSocketResponse, head: Any, data: bytes) -> str:
        asked = message("AuthBindReq").FromString(data)
        bot = next((one for one in self.bots.values() if one.bot_id == asked.auth_info.uid), None)
        if asked.biz_id != "ybBot" or not asked.device_info.instance_id:
            self.problems.append("auth-bind is not whole")
        code = self.log_in_codes.pop(0) if self.log_in_codes else 0
        if not code and (bot is None or bot.token != asked.auth_info.token):
            code = 41103
        if not code and (old := self._live.pop(asked.auth_info.uid, None)) is not None:
            await old.close(code=4014)
        answer = message("AuthBindRsp")(code=code, message="" if not code else "no", connect_id="c")
        await self._send(socket, 1, "auth-bind", head.msg_id, answer.SerializeToString())
        if code:
            await socket.close()
            return ""
        async with self._changed:
            self._live[asked.auth_info.uid] = socket
            self._changed.notify_all()
        return str(asked.auth_info.uid)

    async def _command(self, socket: web.WebSocketResponse, head: Any, data: bytes, bot_id: str) -> str:
        if head.module != "yuanbao_openclaw_proxy":
            self.problems.append(f"{head.cmd} in module {head.module}")
        if head.cmd.endswith("heartbeat"):
            self._note_typing(head.cmd, data)
            await self._send(socket, 1, head.cmd, head.msg_id, message("SendRsp")(code=0).SerializeToString())
            return bot_id
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "timeout":
            return bot_id
        if trouble == "disconnect":
            self.cut(bot_id)
            return bot_id
        code = _CODES[trouble] if trouble else self._say(head.cmd, data, bot_id)
        answer = message("SendRsp")(code=code, message=trouble or "")
        await self._send(socket, 1, head.cmd, head.msg_id, answer.SerializeToString())
        async with self._changed:
            self._changed.notify_all()
        return bot_id

    def _note_typing(self, cmd: str, data: bytes) -> None:
        group = cmd == "send_group_heartbeat"
        asked = message("SendGroupHeartbeatReq" if group else "SendPrivateHeartbeatReq").FromString(data)
        self.typings.append((asked.group_code if group else asked.to_account, asked.heartbeat == 1))

    def _say(self, cmd: str, data: bytes, bot_id: str) -> int:
        group = cmd == "send_group_message"
        if not group and cmd != "send_c2c_message":
            self.problems.append(f"unknown command {cmd}")
            return 40000
        asked = message("SendGroupMessageReq" if group else "SendC2CMessageReq").FromString(data)
        (part,) = asked.msg_body
        text = part.msg_content.text
        if part.msg_type != "TIMTextElem" or asked.from_account != bot_id or not asked.msg_id or len(text) > LIMIT:
            self.problems.append(f"{cmd}: {part.msg_type}, from {asked.from_account}, {len(text)} characters")
            return 40001
        chat = asked.group_code if group else asked.to_account
        self.said.append(Said(bot_id, chat, text, asked.msg_id, asked.ref_msg_id if group else "", group))
        return 0

    async def _send(
        self,
        socket: web.WebSocketResponse,
        kind: int,
        cmd: str,
        msg_id: str,
        data: bytes,
        *,
        need_ack: bool = False,
    ) -> None:
        await socket.send_bytes(_frame(kind, cmd, msg_id, data, need_ack).SerializeToString())


def _frame(kind: int, cmd: str, msg_id: str, data: bytes, need_ack: bool) -> Any:
    frame = message("ConnMsg")(data=data)
    frame.head.cmd_type, frame.head.cmd, frame.head.msg_id = kind, cmd, msg_id
    frame.head.module, frame.head.need_ack = "yuanbao_openclaw_proxy", int(need_ack)
    return frame


def _inbound(fields: dict[str, Any]) -> bytes:
    made = message("InboundMessagePush")()
    for name, value in fields.items():
        if name == "msg_body":
            for part in value:
                made.msg_body.add(msg_type=part["msg_type"], msg_content=_content(part["msg_content"]))
        elif name == "recall_msg_seq_list":
            for one in value:
                made.recall_msg_seq_list.add(**one)
        else:
            setattr(made, name, value)
    return bytes(made.SerializeToString())


def _content(fields: dict[str, Any]) -> Any:
    pictures = fields.get("image_info_array", [])
    made = message("Content")(**{name: value for name, value in fields.items() if name != "image_info_array"})
    for picture in pictures:
        made.image_info_array.add(**picture)
    return made


def _abort(socket: web.WebSocketResponse) -> None:
    request = socket._req
    if request is not None and request.transport is not None:
        request.transport.abort()
