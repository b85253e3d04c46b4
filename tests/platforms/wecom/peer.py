"""WeCom on loopback: bots log in, people talk to them, and everything that a bot says is checked strictly."""

import asyncio
import base64
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.platforms.wecom import frames

LIMIT: Final = 20_480
Trouble = Literal["rate_limited", "server_error", "rejected", "timeout", "disconnect"]


@dataclass
class Said:
    """A message of a bot. `final`: it is a stream that has ended, or no stream."""

    bot: str
    chat: str
    text: str
    final: bool = True
    stream: str = ""
    reply_to: str = ""
    edits: int = 0
    buttons: tuple[tuple[str, str], ...] = ()
    task: str = ""
    data: bytes | None = None


@dataclass
class _Heard:
    """A message that was told to a bot, and can be answered."""

    bot: str
    chat: str
    message: str


@dataclass
class _Upload:
    kind: str
    chunks: dict[int, bytes] = field(default_factory=dict)


class WecomPeer:
    """The server. `bots` maps ids to secrets."""

    def __init__(self, bots: dict[str, str]) -> None:
        self.bots = bots
        self.url = ""
        self.said: list[Said] = []
        self.problems: list[str] = []
        self.requests: list[frames.Frame] = []
        self.troubles: list[Trouble] = []
        self.logins: list[str] = []
        self.lost_answers = 0
        self._live: dict[str, web.WebSocketResponse] = {}
        self._deaf: set[web.WebSocketResponse] = set()
        self._heard: dict[str, _Heard] = {}
        self._uploads: dict[str, _Upload] = {}
        self._files: dict[str, bytes] = {}
        self._media: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None, handler_cancellation=True))

    async def __aenter__(self) -> "WecomPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"ws://{host}:{port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in list(self._live.values()):
            if socket._req and socket._req.transport:
                socket._req.transport.abort()
        await self._runner.cleanup()
        assert not self.problems, self.problems

    # what people do

    def message(self, text: str, *, user: str = "42", chat: str = "", message: str = "") -> dict[str, Any]:
        """A text as it is told to a bot; with `chat` in that group, else in the direct chat."""
        return self._body("text", user, chat, message) | {"text": {"content": text}}

    def file(self, name: str, content: bytes, *, kind: str = "file", user: str = "42", message: str = "") -> Any:
        """A file, enciphered with a key of its own, at an address of this server."""
        key = os.urandom(32)
        padding = 32 - len(content) % 32
        machine = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
        self._files[name] = machine.update(content + bytes([padding]) * padding) + machine.finalize()
        address = self.url.replace("ws:", "http:") + f"file/{name}"
        media = {"url": address, "aeskey": base64.b64encode(key).decode().rstrip("=")}
        return self._body(kind, user, "", message) | {kind: media}

    async def tell(self, bot: str, body: dict[str, Any]) -> None:
        """Passes a message on to a bot."""
        req_id = f"req-{next(self._numbers)}"
        chat = body.get("chatid") or body["from"]["userid"]
        self._heard[req_id] = _Heard(bot, chat, body["msgid"])
        cmd = "aibot_event_callback" if body["msgtype"] == "event" else "aibot_msg_callback"
        await self._send(self._live[bot], {"cmd": cmd, "headers": {"req_id": req_id}, "body": body})

    async def press(self, bot: str, label: str, *, user: str = "42") -> Said:
        """Presses a button of the last card that has one of that label."""
        said = next(s for s in reversed(self.said) if any(label == text for text, _ in s.buttons))
        key = dict(said.buttons)[label]
        body = self._body("event", user, said.chat if said.chat != user else "", "")
        body["event"] = {"eventtype": "template_card_event", "event_key": key, "task_id": said.task}
        await self.tell(bot, body)
        return said

    def _body(self, kind: str, user: str, chat: str, message: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "msgid": message or f"msg-{next(self._numbers)}",
            "aibotid": "fake-bot",
            "chattype": "group" if chat else "single",
            "from": {"userid": user},
            "create_time": 1_700_000_000,
            "msgtype": kind,
        }
        return body | ({"chatid": chat} if chat else {})

    async def garble(self, bot: str, text: str) -> None:
        """A frame of any text."""
        await self._live[bot].send_str(text)

    # what becomes of connections

    async def connected(self, bot: str) -> None:
        """Waits until the bot is logged in and its connection lives."""
        async with self._changed:
            await self._changed.wait_for(lambda: bot in self._live and self._live[bot] not in self._deaf)

    async def close(self, bot: str, code: int) -> None:
        await self._live.pop(bot).close(code=code)

    def cut(self, bot: str) -> None:
        request = self._live.pop(bot)._req
        assert request
        assert request.transport
        request.transport.abort()

    def silence(self, bot: str) -> None:
        """The connection stays, and nothing comes any more."""
        self._deaf.add(self._live.pop(bot))

    async def heard(self, count: int) -> list[Said]:
        """Waits until there are so many final messages."""
        async with self._changed:
            await self._changed.wait_for(lambda: len([s for s in self.said if s.final]) >= count)
        return [s for s in self.said if s.final]

    # the server

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/file/"):
            found = self._files.get(request.path.removeprefix("/file/"))
            return web.Response(body=found) if found is not None else web.Response(status=404)
        socket = web.WebSocketResponse(max_msg_size=4 * 2**20)
        await socket.prepare(request)
        bot = ""
        try:
            async for message in socket:
                assert message.type == WSMsgType.TEXT, "frames are text"
                bot = await self._frame(socket, message.data, bot)
        finally:
            if self._live.get(bot) is socket:
                del self._live[bot]
        return socket

    async def _frame(self, socket: web.WebSocketResponse, text: str, bot: str) -> str:
        if socket in self._deaf:
            return bot
        try:
            frame, body = frames.read(text)
            assert bot or frame.cmd == "aibot_subscribe", "the first frame logs in"
        except (msgspec.ValidationError, KeyError, AssertionError) as error:
            self.problems.append(f"{error!r} in {text[:300]}")
            await self._send(socket, {"headers": {"req_id": "?"}, "errcode": 40035, "errmsg": "invalid parameter"})
            return bot
        self.requests.append(frame)
        if frame.cmd == "aibot_subscribe":
            return await self._log_in(socket, frame, body)
        answer: dict[str, Any] = {"headers": {"req_id": frame.headers.req_id}, "errcode": 0, "errmsg": "ok"}
        if frame.cmd != "ping":
            trouble = self.troubles.pop(0) if self.troubles else None
            if trouble == "timeout":
                return bot
            if trouble == "disconnect":
                self.cut(bot)
                return bot
            answer |= self._declined(trouble) if trouble else self._done(bot, frame, body)
        if self.lost_answers and frame.cmd != "ping":
            self.lost_answers -= 1
            return bot
        await self._send(socket, answer)
        async with self._changed:
            self._changed.notify_all()
        return bot

    async def _log_in(self, socket: web.WebSocketResponse, frame: frames.Frame, body: frames.Subscribe) -> str:
        ok = bool(body.secret) and self.bots.get(body.bot_id) == body.secret
        code, text = (0, "ok") if ok else (853000, "invalid bot_id or secret")
        if ok and (old := self._live.pop(body.bot_id, None)) is not None:
            event = self._body("event", "nobody", "", "") | {"event": {"eventtype": "disconnected_event"}}
            await self._send(old, {"cmd": "aibot_event_callback", "headers": {"req_id": "x"}, "body": event})
            await old.close()
        await self._send(socket, {"headers": {"req_id": frame.headers.req_id}, "errcode": code, "errmsg": text})
        if not ok:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return ""
        async with self._changed:
            self._live[body.bot_id] = socket
            self.logins.append(body.bot_id)
            self._changed.notify_all()
        return body.bot_id

    def _declined(self, trouble: Trouble) -> dict[str, Any]:
        code = {"rate_limited": 45009, "server_error": -1, "rejected": 846607}[trouble]
        return {"errcode": code, "errmsg": trouble}

    def _done(self, bot: str, frame: frames.Frame, body: Any) -> dict[str, Any]:
        match body:
            case frames.StreamBody() | frames.CardBody():
                heard = self._heard.get(frame.headers.req_id)
                if heard is None or heard.bot != bot:
                    return {"errcode": 846605, "errmsg": "invalid req_id"}
                return self._answered(bot, heard, body)
            case frames.UnaskedMarkdown(chatid=chat, markdown=markdown):
                return self._say(Said(bot, chat, markdown.content))
            case frames.UnaskedCard(chatid=chat, template_card=found):
                return self._say(_card(bot, chat, found))
            case frames.UnaskedFile(chatid=chat, file=media) | frames.UnaskedImage(chatid=chat, image=media):
                return self._say(Said(bot, chat, "", data=self._media[media.media_id]))
            case frames.Update(template_card=found):
                said = next(s for s in self.said if s.task == found.task_id)
                said.text, said.buttons = found.sub_title_text, ()
                return {}
            case _:
                return {"body": self._upload(body)}

    def _answered(self, bot: str, heard: _Heard, body: frames.StreamBody | frames.CardBody) -> dict[str, Any]:
        if isinstance(body, frames.CardBody):
            return self._say(_card(bot, heard.chat, body.template_card, heard.message))
        stream = body.stream
        known = next((s for s in self.said if s.stream == stream.id), None)
        if known is None:
            said = Said(bot, heard.chat, stream.content, stream.finish, stream.id, heard.message)
            return self._say(said)
        if known.final:
            return {"errcode": 846609, "errmsg": "the stream has ended"}
        if frames.size(stream.content) > LIMIT:
            return {"errcode": 40058, "errmsg": "content exceeds the limit"}
        known.text, known.final, known.edits = stream.content, stream.finish, known.edits + 1
        return {}

    def _say(self, said: Said) -> dict[str, Any]:
        if frames.size(said.text) > LIMIT:
            return {"errcode": 40058, "errmsg": "content exceeds the limit"}
        self.said.append(said)
        return {}

    def _upload(self, body: Any) -> dict[str, Any]:
        match body:
            case frames.UploadInit():
                name = f"upload-{next(self._numbers)}"
                self._uploads[name] = _Upload(body.type)
                return {"upload_id": name}
            case frames.UploadChunk():
                self._uploads[body.upload_id].chunks[body.chunk_index] = frames.data(body)
                return {}
            case _:
                found = self._uploads.pop(body.upload_id)
                self._media[body.upload_id] = b"".join(found.chunks[n] for n in range(len(found.chunks)))
                return {"type": found.kind, "media_id": body.upload_id, "created_at": "1700000000"}

    async def _send(self, socket: web.WebSocketResponse, document: dict[str, Any]) -> None:
        await socket.send_str(msgspec.json.encode(document).decode())


def _card(bot: str, chat: str, found: frames.Card, reply_to: str = "") -> Said:
    buttons = tuple((button.text, button.key) for button in found.button_list)
    return Said(bot, chat, found.sub_title_text, reply_to=reply_to, buttons=buttons, task=found.task_id)


@asynccontextmanager
async def wecom_peer(bots: dict[str, str]) -> AsyncIterator[WecomPeer]:
    async with WecomPeer(bots) as peer:
        yield peer
