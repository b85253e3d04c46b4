"""The REST side of the fake: each call is checked before it is answered; one that it does not know is a fault."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from tests.platforms.discord.strict import TEXT_MOST, Ack, Note, faults
from tests.platforms.discord.world import Channel, User, World

ROOT = "/api/v10"


class Refusal(Exception):
    """An error document with its status."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


def reply(document: Any, status: int = 200, **headers: str) -> web.Response:
    """A document of this status. Its type is bare, as Discord's: the library reads no other."""
    body = json.dumps(document).encode()
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json", **headers})


@dataclass
class Call:
    """One request, as it was."""

    bot: User | None
    method: str
    path: str
    body: dict[str, Any] | None = None
    files: list[tuple[str, bytes]] = field(default_factory=list)


Meeting = Callable[[web.BaseRequest], Awaitable[web.StreamResponse | None]]
Handler = Callable[["Rest", Call, web.BaseRequest, tuple[str, ...]], Any]


class Rest:
    """Answers calls. `log` has each of them; `meetings` is what the next messages that are sent meet."""

    def __init__(self, world: World, bots: dict[str, User]) -> None:
        self._world = world
        self._bots = bots
        self._nonces: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.log: list[Call] = []
        self.violations: list[str] = []
        self.meetings: list[Meeting] = []
        self.edits: dict[str, int] = {}
        self.enclosures: dict[str, bytes] = {}
        self.acks: dict[str, asyncio.Future[int]] = {}
        self.notes: list[tuple[str, str]] = []
        self.refused_people: set[str] = set()
        self.told: Callable[[Channel, str, dict[str, Any]], Awaitable[None]] | None = None

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/attachments/"):
            return self._file(request)
        call = Call(self._bot(request), request.method, request.path.removeprefix(ROOT))
        self.log.append(call)
        try:
            await self._read(call, request)
            handler, found = self._handler(call)
            if handler is Rest.create and self.meetings:
                meeting = self.meetings.pop(0)
                if (answer := await meeting(request)) is not None:
                    return answer
            document = await handler(self, call, request, found)
        except Refusal as refusal:
            return reply({"message": str(refusal), "code": refusal.code}, refusal.status)
        if document is None:
            return web.Response(status=204)
        return reply(document)

    def _bot(self, request: web.BaseRequest) -> User | None:
        return self._bots.get(request.headers.get("Authorization", "").removeprefix("Bot "))

    def _file(self, request: web.BaseRequest) -> web.Response:
        data = self._world.files.get(request.path.split("/")[2])
        if data is None or request.query.get("hm") != "fake-signature":
            return web.Response(status=404)
        return web.Response(body=data, content_type="application/octet-stream")

    async def _read(self, call: Call, request: web.BaseRequest) -> None:
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                data = await part.read()
                if part.name == "payload_json":
                    call.body = json.loads(data)
                else:
                    call.files.append((part.filename or "", bytes(data)))
        elif request.can_read_body:
            if request.content_type != "application/json":
                self.violations.append(f"{call.path}: a body of type {request.content_type}")
            call.body = await request.json() if request.content_type == "application/json" else None

    def _handler(self, call: Call) -> tuple[Handler, tuple[str, ...]]:
        for method, pattern, open_to_all, handler in ROUTES:
            match = re.fullmatch(pattern, call.path)
            if match and method == call.method:
                if call.bot is None and not open_to_all:
                    raise Refusal(401, 0, "401: Unauthorized")
                return handler, match.groups()
        self.violations.append(f"unknown call {call.method} {call.path}")
        raise Refusal(404, 0, "404: Not Found")

    async def me(self, call: Call, _: web.BaseRequest, __: tuple[str, ...]) -> Any:
        assert call.bot
        return call.bot.document()

    async def application(self, call: Call, _: web.BaseRequest, __: tuple[str, ...]) -> Any:
        assert call.bot
        owner = User("1", "Owner").document()
        texts = {"name": call.bot.name, "description": "", "verify_key": "00", "icon": None}
        counts = dict.fromkeys(
            ("approximate_user_install_count", "approximate_user_authorization_count", "explicit_content_filter"), 0
        )
        shown = {
            "id": call.bot.id,
            **texts,
            **counts,
            "summary": "",
            "redirect_uris": [],
            "owner": owner,
            "team": None,
        }
        return {**shown, "flags": call.bot.flags, "bot_public": True, "bot_require_code_grant": False}

    async def guilds(self, call: Call, _: web.BaseRequest, __: tuple[str, ...]) -> Any:
        assert call.bot
        own = [guild for guild in self._world.guilds.values() if call.bot.id in guild.members]
        return [{"id": guild.id, "name": guild.name} for guild in own]

    async def member(self, _: Call, __: web.BaseRequest, found: tuple[str, ...]) -> Any:
        guild, user = self._world.guilds.get(found[0]), self._world.users.get(found[1])
        if guild is None or user is None or user.id not in guild.members:
            raise Refusal(404, 10007, "Unknown Member")
        return guild.member(user)

    async def channel(self, _: Call, __: web.BaseRequest, found: tuple[str, ...]) -> Any:
        return self._channel(found[0]).document()

    def _channel(self, channel_id: str) -> Channel:
        channel = self._world.channels.get(channel_id)
        if channel is None:
            raise Refusal(404, 10003, "Unknown Channel")
        return channel

    async def history(self, call: Call, request: web.BaseRequest, found: tuple[str, ...]) -> Any:
        if unknown := set(request.query) - {"after", "before", "around", "limit"}:
            self.violations.append(f"{call.path}: asked with {unknown}")
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise Refusal(400, 50035, "Invalid Form Body")
        messages = self._channel(found[0]).messages
        first = sorted(number for number in map(int, messages) if number > after)[:limit]
        return [messages[str(number)] for number in reversed(first)]

    async def message(self, _: Call, __: web.BaseRequest, found: tuple[str, ...]) -> Any:
        return self._message(*found)

    def _message(self, channel: str, message: str) -> dict[str, Any]:
        known = self._channel(channel).messages.get(message)
        if known is None:
            raise Refusal(404, 10008, "Unknown Message")
        return known

    async def create(self, call: Call, _: web.BaseRequest, found: tuple[str, ...]) -> Any:
        assert call.bot
        channel, body = self._channel(found[0]), self._body(call, "message_create_request")
        if any(person.id in self.refused_people for person in channel.people):
            raise Refusal(403, 50007, "Cannot send messages to this user")
        if not (body.get("content") or call.files):
            raise Refusal(400, 50006, "Cannot send an empty message")
        key = (call.bot.id, channel.id, str(body.get("nonce")))
        if body.get("nonce") and len(str(body["nonce"])) > 25:
            raise Refusal(400, 50035, "Invalid Form Body")
        if body.get("enforce_nonce") and key in self._nonces:
            return self._nonces[key]
        reference = (body.get("message_reference") or {}).get("message_id")
        answered = str(reference) if reference else None
        files = tuple(self._world.attachment(name, "application/octet-stream", data) for name, data in call.files)
        message = self._world.message(
            channel, call.bot, body.get("content") or "", reply_to=answered, attachments=files
        )
        message["components"] = body.get("components") or []
        message["nonce"] = body.get("nonce")
        self._nonces[key] = message
        self.edits[message["id"]] = 0
        if call.files:
            self.enclosures[message["id"]] = call.files[0][1]
        if self.told is not None:
            await self.told(channel, "MESSAGE_CREATE", message)
        return message

    async def edit(self, call: Call, _: web.BaseRequest, found: tuple[str, ...]) -> Any:
        message, body = self._message(*found), self._body(call, "message_edit_request_partial")
        if call.bot is None or message["author"]["id"] != call.bot.id:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        message |= {key: body[key] for key in ("content", "components") if key in body}
        message["edited_timestamp"] = message["timestamp"]
        self.edits[message["id"]] += 1
        if self.told is not None:
            await self.told(self._channel(found[0]), "MESSAGE_UPDATE", message)
        return message

    def _body(self, call: Call, model: str) -> dict[str, Any]:
        body = call.body or {}
        self.violations += [f"{call.method} {call.path}: {fault}" for fault in faults(model, body)]
        mentions = body.get("allowed_mentions")
        if mentions is None or mentions.get("parse") or mentions.get("users") or mentions.get("roles"):
            self.violations.append(f"{call.method} {call.path}: people may be pinged: {mentions}")
        if len(body.get("content") or "") > TEXT_MOST:
            raise Refusal(400, 50035, "Invalid Form Body")
        return body

    async def typing(self, _: Call, __: web.BaseRequest, found: tuple[str, ...]) -> Any:
        self._channel(found[0])

    async def callback(self, call: Call, request: web.BaseRequest, found: tuple[str, ...]) -> Any:
        answer = self._struct(call, Ack)
        waiting = self.acks.get(found[1])
        if waiting is None or waiting.done():
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        waiting.set_result(answer.type)
        if request.query.get("with_response") in ("true", "1"):
            return {"interaction": {"id": found[0], "type": 3, "response_message_ephemeral": False}}
        return None

    async def follow_up(self, call: Call, _: web.BaseRequest, found: tuple[str, ...]) -> Any:
        note = self._struct(call, Note)
        waiting = self.acks.get(found[1])
        if waiting is None or not waiting.done():
            raise Refusal(404, 10015, "Unknown Webhook")
        if not note.flags & 64:
            self.violations.append("what was meant for one is shown to all")
        self.notes.append((found[1], note.content))
        bot = self._world.users[found[0]]
        channel = Channel("0", 1)
        return self._world.message(channel, bot, note.content)

    def _struct(self, call: Call, kind: Any) -> Any:
        try:
            return msgspec.convert(call.body, kind)
        except msgspec.ValidationError as error:
            self.violations.append(f"{call.method} {call.path}: {error}: {call.body}")
            raise Refusal(400, 50035, "Invalid Form Body") from None


_ID = r"(\d+)"
ROUTES: list[tuple[str, str, bool, Handler]] = [
    ("GET", "/users/@me", False, Rest.me),
    ("GET", "/oauth2/applications/@me", False, Rest.application),
    ("GET", "/applications/@me", False, Rest.application),
    ("GET", "/users/@me/guilds", False, Rest.guilds),
    ("GET", f"/guilds/{_ID}/members/{_ID}", False, Rest.member),
    ("GET", f"/channels/{_ID}", False, Rest.channel),
    ("GET", f"/channels/{_ID}/messages", False, Rest.history),
    ("GET", f"/channels/{_ID}/messages/{_ID}", False, Rest.message),
    ("POST", f"/channels/{_ID}/messages", False, Rest.create),
    ("PATCH", f"/channels/{_ID}/messages/{_ID}", False, Rest.edit),
    ("POST", f"/channels/{_ID}/typing", False, Rest.typing),
    ("POST", f"/interactions/{_ID}/([\\w-]+)/callback", True, Rest.callback),
    ("POST", f"/webhooks/{_ID}/([\\w-]+)", True, Rest.follow_up),
]
