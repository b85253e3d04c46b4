"""A strict homeserver on loopback, in the test's own event loop, so that its time can be virtual.

async with MatrixPeer() as peer:
    bot = peer.login("bot")          # peer.url and bot.token are what an account is configured with
    await peer.says("hello", chat="!room:peer.example", user="@alice:peer.example", to=bot)
    peer.sent                        # what bots have said, as it is after their last edits

That it behaves as a real one is tested by `test_honest.py`: the same scenario, with plain nio, before it and before
Synapse.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final

from aiohttp import web

from serai.testing.platform.rig import RETRY_AFTER, Fault, Seen
from tests.platforms.matrix.homeserver import SERVER, Complaint, Homeserver, Login, Room, is_empty, sync_of

_CLIENT: Final = "/_matrix/client/v3"
_SENT: Final = ("m.room.message",)


_LOGIN: Final = web.RequestKey("login", Login)


class Refusal(Exception):
    """An error document in place of an answer."""

    def __init__(self, status: int, code: str, **more: object) -> None:
        super().__init__(code)
        self.status = status
        self.document = {"errcode": code, "error": "refused", **more}


class MatrixPeer:
    """The homeserver and its users. `complaints` are requests that no homeserver knows; leaving the block raises the
    first. `requests` are all that came; `typings` what bots showed."""

    def __init__(self) -> None:
        self.server = Homeserver()
        self.url = ""
        self.requests: list[str] = []
        self.complaints: list[Complaint] = []
        self.typings: list[tuple[str, bool]] = []
        self.troubles: list[Fault] = []
        self.retry_after_s = RETRY_AFTER
        self.answered: dict[str, int] = {}
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._polls: dict[asyncio.Transport, str] = {}
        self._deaf: set[asyncio.Transport] = set()
        self._confirmed: dict[str, int] = {}
        self._cut_again: set[str] = set()
        self._garbled: dict[str, str] = {}
        self._watch = asyncio.Event()
        self._app = web.Application(client_max_size=64 * 1024 * 1024)
        self._routes()
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0, handler_cancellation=True)

    async def __aenter__(self) -> "MatrixPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self.complaints and error is None:
            raise self.complaints[0]

    async def stop(self) -> None:
        """The homeserver is gone."""
        self._closing.set()
        self._tell()
        await self._runner.cleanup()

    def login(self, name: str) -> Login:
        """An account, and its only session; the same one for the same name."""
        return self.server.login(name)

    def token(self, name: str) -> str:
        """The access token of an account."""
        return self.login(name).token

    def open(self, chat: str, *members: str, name: str | None = None, direct: bool = False) -> Room:
        """A room with these people in it; the same one for the same id."""
        room = self.server.room(chat)
        if not room.state:
            founder = members[0]
            self.server.put(room, founder, "m.room.create", {"room_version": "10"}, key="")
            if name:
                self.server.put(room, founder, "m.room.name", {"name": name}, key="")
        for member in members:
            if member not in room.members("join"):
                self.server.enter(room, member)
        if direct:
            for login in self.server.logins.values():
                if login.user_id in members:
                    login.data.setdefault("m.direct", {}).setdefault(members[0], []).append(chat)
        self._tell()
        return room

    async def says(
        self,
        text: str,
        *,
        chat: str,
        user: str = f"@alice:{SERVER}",
        to: Login,
        message: str | None = None,
        **content: Any,
    ) -> str:
        """Somebody says something in a room that the bot is in; returns the event's id once the bot has confirmed
        it by asking for what comes after."""
        self.open(chat, user, to.user_id)
        event_id = self.post(chat, user, {"msgtype": "m.text", "body": text, **content}, message=message)
        await self.confirmed(to, self.server.position)
        return event_id

    def post(
        self,
        chat: str,
        user: str,
        content: dict[str, Any],
        kind: str = "m.room.message",
        message: str | None = None,
        **more: Any,
    ) -> str:
        """An event in a room; does not wait for anybody."""
        event_id = self.server.put(self.server.room(chat), user, kind, content, event_id=message, **more)
        self._tell()
        return event_id

    async def confirmed(self, login: Login, position: int, seconds: float | None = None) -> bool:
        """Waits until the account has asked for what comes after `position`; at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._confirmed.get(login.token, 0) < position:
                    self._watch.clear()
                    await self._watch.wait()
        except TimeoutError:
            return False
        return True

    async def polling(self, login: Login, answered: int = 1) -> None:
        """Waits until the account waits for news, and was `answered` so often before."""
        while self.answered.get(login.token, 0) < answered or not self._waiting(login):
            self._watch.clear()
            await self._watch.wait()

    def sever(self, login: Login, *, cleanly: bool) -> None:
        """Ends the connection over which the account waits for news."""
        for transport in self._waiting(login):
            transport.close() if cleanly else transport.abort()

    def deafen(self, login: Login) -> None:
        """Says nothing more on that connection, ever."""
        self._deaf.update(self._waiting(login))

    def garble(self, login: Login, text: str) -> None:
        """Answers the account's next sync with any text."""
        self._garbled[login.token] = text
        self._tell()

    def slip(self, chat: str, event: dict[str, Any]) -> None:
        """An event of any shape, in a room."""
        self.server.position += 1
        self.server.room(chat).events.append((self.server.position, event))
        self._tell()

    def revoke(self, login: Login) -> None:
        """Ends the account's session."""
        del self.server.logins[login.token]
        self._tell()

    @property
    def sent(self) -> Sequence[Seen]:
        """What accounts have said, as it is after the last edits."""
        seen: dict[str, Seen] = {}
        for room in self.server.rooms.values():
            for _, event in room.events:
                if event["type"] in _SENT and "transaction_id" in event.get("unsigned", {}):
                    self._see(seen, room.room_id, event)
        return sorted(seen.values(), key=lambda one: self._order(one.message))

    def _order(self, event_id: str) -> int:
        return next(
            place
            for room in self.server.rooms.values()
            for place, event in room.events
            if event["event_id"] == event_id
        )

    def _see(self, seen: dict[str, Seen], chat: str, event: dict[str, Any]) -> None:
        content = event["content"]
        relation = content.get("m.relates_to", {})
        if relation.get("rel_type") == "m.replace":
            old = seen[relation["event_id"]]
            seen[old.message] = Seen(
                chat, content["m.new_content"]["body"], old.reply_to, old.message, old.thread, old.edits + 1
            )
            return
        thread = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
        answered = relation.get("m.in_reply_to", {}).get("event_id")
        file = self.server.media.get(content.get("url", ""))
        text = content["body"] if content.get("filename") != content["body"] else ""
        seen[event["event_id"]] = Seen(
            chat,
            text,
            (answered,) if answered else (),
            event["event_id"],
            thread,
            enclosure=file[0] if file else None,
        )

    def _waiting(self, login: Login) -> list[asyncio.Transport]:
        waiting = self._polls.items() - {(transport, login.token) for transport in self._deaf}
        return [transport for transport, token in waiting if token == login.token]

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _routes(self) -> None:
        self._app.middlewares.append(self._guard)
        room = f"{_CLIENT}/rooms/{{room}}"
        add = self._app.router.add_route
        add("GET", f"{_CLIENT}/account/whoami", _answer(self._whoami))
        add("GET", f"{_CLIENT}/sync", self._sync)
        add("PUT", f"{room}/send/{{kind}}/{{transaction}}", _answer(self._send))
        add("PUT", f"{room}/redact/{{event}}/{{transaction}}", _answer(self._redact))
        add("GET", f"{room}/event/{{event}}", _answer(self._event))
        add("GET", f"{room}/messages", _answer(self._messages))
        add("GET", f"{room}/joined_members", _answer(self._members))
        add("PUT", f"{room}/typing/{{user}}", _answer(self._typing))
        add("POST", f"{_CLIENT}/join/{{room}}", _answer(self._join))
        add("POST", f"{_CLIENT}/createRoom", _answer(self._create))
        add("PUT", f"{_CLIENT}/user/{{user}}/account_data/{{kind}}", _answer(self._data))
        add("POST", f"{_CLIENT}/keys/upload", _answer(self._upload_keys))
        add("POST", f"{_CLIENT}/keys/query", _answer(self._query_keys))
        add("POST", f"{_CLIENT}/keys/claim", _answer(self._claim_keys))
        add("PUT", f"{_CLIENT}/sendToDevice/{{kind}}/{{transaction}}", _answer(self._letters))
        add("POST", "/_matrix/media/v3/upload", self._upload)
        add("GET", "/_matrix/client/v1/media/download/{server}/{media}", self._download)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.rel_url.raw_path}")
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        if transport in self._deaf:
            await self._closing.wait()
        try:
            request[_LOGIN] = self._login(request)
            return await handler(request)
        except Refusal as error:
            return web.json_response(error.document, status=error.status)
        except web.HTTPError:
            self.complaints.append(Complaint(f"no such endpoint: {request.method} {request.path}"))
            return web.json_response({"errcode": "M_UNRECOGNIZED", "error": "unknown"}, status=404)
        except Complaint as error:
            self.complaints.append(error)
            return web.json_response({"errcode": "M_BAD_JSON", "error": "bad"}, status=400)

    def _login(self, request: web.Request) -> Login:
        if "access_token" in request.query:
            raise Complaint("the access token is in the address")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.logins:
            raise Refusal(401, "M_UNKNOWN_TOKEN", soft_logout=False)
        return self.server.logins[token]

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        login = request[_LOGIN]
        _only(request.query, "since", "timeout", "filter", "full_state")
        limit = json.loads(request.query.get("filter", "{}")).get("room", {}).get("timeline", {}).get("limit", 10)
        full = request.query.get("full_state") == "true"
        since = _position(request.query["since"], "s") if "since" in request.query else None
        self._confirmed[login.token] = since or 0
        deadline = asyncio.get_running_loop().time() + int(request.query.get("timeout", "0")) / 1000
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._polls[transport] = login.token
        self._watch.set()
        try:
            while True:
                if self._closing.is_set():
                    transport.abort()
                if self._closing.is_set() or login.token not in self.server.logins:
                    raise Refusal(401, "M_UNKNOWN_TOKEN", soft_logout=False)
                news = self._news
                if login.token in self._garbled:
                    break
                answer = sync_of(self.server, login, since, full=full, limit=limit)
                if full or since is None or not is_empty(answer) or not await _comes(news, deadline):
                    break
        finally:
            self._polls.pop(transport, None)
        if transport in self._deaf:
            await self._closing.wait()
        self.answered[login.token] = self.answered.get(login.token, 0) + 1
        if login.token in self._garbled:
            return web.Response(text=self._garbled.pop(login.token), content_type="application/json")
        return web.json_response(answer)

    def _whoami(self, login: Login, request: web.Request, body: Any) -> Any:
        return {"user_id": login.user_id, "device_id": login.device_id, "is_guest": False}

    async def _send(self, login: Login, request: web.Request, body: Any) -> Any:
        trouble = self._trouble(request.match_info["transaction"])
        if trouble == "rate_limited":
            raise Refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms=int(self.retry_after_s * 1000))
        if trouble == "rejected":
            raise Refusal(403, "M_FORBIDDEN")
        if trouble == "server_error":
            raise Refusal(502, "M_UNKNOWN")
        if trouble == "timeout":
            await self._closing.wait()
        if trouble == "disconnect":
            assert request.transport
            request.transport.abort()
            return {}
        room = self._room(login, request)
        try:
            event_id = self.server.write(
                login, room, request.match_info["kind"], body, request.match_info["transaction"]
            )
        except OverflowError:
            raise Refusal(413, "M_TOO_LARGE") from None
        self._tell()
        return {"event_id": event_id}

    def _trouble(self, transaction: str) -> Fault | None:
        """What befalls a send. aiohttp repeats a PUT whose connection was cut, once and by itself, so that such a
        fault lasts for two."""
        if transaction in self._cut_again:
            self._cut_again.remove(transaction)
            return "disconnect"
        if not self.troubles:
            return None
        if self.troubles[0] == "disconnect":
            self._cut_again.add(transaction)
        return self.troubles.pop(0)

    def _redact(self, login: Login, request: web.Request, body: Any) -> Any:
        redacted = request.match_info["event"]
        content = {"redacts": redacted}
        room = self._room(login, request)
        event_id = self.server.put(room, login.user_id, "m.room.redaction", content, redacts=redacted)
        self._tell()
        return {"event_id": event_id}

    def _event(self, login: Login, request: web.Request, body: Any) -> Any:
        for _, event in self._room(login, request).events:
            if event["event_id"] == request.match_info["event"]:
                return event
        raise Refusal(404, "M_NOT_FOUND")

    def _messages(self, login: Login, request: web.Request, body: Any) -> Any:
        _only(request.query, "from", "to", "dir", "limit", "filter")
        if request.query.get("dir") != "b":
            raise Complaint("only backwards")
        start, limit = _position(request.query["from"], "t"), int(request.query.get("limit", "10"))
        end = _position(request.query["to"], "s") if "to" in request.query else 0
        older = [(place, event) for place, event in self._room(login, request).events if end < place < start]
        page = list(reversed(older))[:limit]
        answer = {"start": request.query["from"], "chunk": [event for _, event in page], "state": []}
        return {**answer, "end": f"t{page[-1][0]}"} if page else answer

    def _members(self, login: Login, request: web.Request, body: Any) -> Any:
        room = self._room(login, request)
        contents = {user: room.state["m.room.member", user]["content"] for user in room.members("join")}
        joined = {user: {"display_name": content.get("displayname")} for user, content in contents.items()}
        return {"joined": joined}

    def _typing(self, login: Login, request: web.Request, body: Any) -> Any:
        _fields(body, {"typing": bool, "timeout": int}, {"typing": bool})
        room = self._room(login, request)
        room.typing = [login.user_id] if body["typing"] else []
        self.server.position += 1
        room.typed = self.server.position
        self.typings.append((room.room_id, body["typing"]))
        self._tell()
        return {}

    def _join(self, login: Login, request: web.Request, body: Any) -> Any:
        room = self.server.rooms.get(request.match_info["room"])
        if room is None or login.user_id not in room.members("invite"):
            raise Refusal(403, "M_FORBIDDEN")
        self.server.enter(room, login.user_id)
        self._tell()
        return {"room_id": room.room_id}

    def _create(self, login: Login, request: web.Request, body: Any) -> Any:
        room = self.server.room(f"!made{len(self.server.rooms)}:{SERVER}")
        put = self.server.put
        put(room, login.user_id, "m.room.create", {"room_version": "10"}, key="")
        self.server.enter(room, login.user_id)
        for state in body.get("initial_state", []):
            put(room, login.user_id, state["type"], state["content"], key=state["state_key"])
        if body.get("name"):
            put(room, login.user_id, "m.room.name", {"name": body["name"]}, key="")
        for invited in body.get("invite", []):
            direct = {"is_direct": True} if body.get("is_direct") else {}
            put(room, login.user_id, "m.room.member", {"membership": "invite", **direct}, key=invited)
        self._tell()
        return {"room_id": room.room_id}

    def _data(self, login: Login, request: web.Request, body: Any) -> Any:
        if request.match_info["user"] != login.user_id:
            raise Refusal(403, "M_FORBIDDEN")
        login.data[request.match_info["kind"]] = body
        return {}

    def _upload_keys(self, login: Login, request: web.Request, body: Any) -> Any:
        _fields(body, {"device_keys": dict, "one_time_keys": dict, "fallback_keys": dict}, {})
        login.keys = body.get("device_keys") or login.keys
        login.one_time |= body.get("one_time_keys", {})
        return {"one_time_key_counts": {"signed_curve25519": len(login.one_time)}}

    def _query_keys(self, login: Login, request: web.Request, body: Any) -> Any:
        found: dict[str, dict[str, Any]] = {user: {} for user in body["device_keys"]}
        for other in self.server.logins.values():
            if other.user_id in found and other.keys:
                found[other.user_id][other.device_id] = other.keys
        return {"device_keys": found, "failures": {}}

    def _claim_keys(self, login: Login, request: web.Request, body: Any) -> Any:
        claimed: dict[str, dict[str, Any]] = {}
        for other in self.server.logins.values():
            if other.device_id in body["one_time_keys"].get(other.user_id, {}) and other.one_time:
                name = next(iter(other.one_time))
                claimed.setdefault(other.user_id, {})[other.device_id] = {name: other.one_time.pop(name)}
        return {"one_time_keys": claimed, "failures": {}}

    def _letters(self, login: Login, request: web.Request, body: Any) -> Any:
        _fields(body, {"messages": dict}, {"messages": dict})
        for other in self.server.logins.values():
            letter = body["messages"].get(other.user_id, {}).get(other.device_id)
            if letter is not None:
                self.server.position += 1
                event = {"type": request.match_info["kind"], "sender": login.user_id, "content": letter}
                other.letters.append((self.server.position, event))
        self._tell()
        return {}

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        _only(request.query, "filename")
        address = f"mxc://{SERVER}/media{len(self.server.media)}"
        self.server.media[address] = (await request.read(), request.content_type)
        return web.json_response({"content_uri": address})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.server.media.get(f"mxc://{request.match_info['server']}/{request.match_info['media']}")
        if file is None:
            raise Refusal(404, "M_NOT_FOUND")
        return web.Response(body=file[0], content_type=file[1])

    def _room(self, login: Login, request: web.Request) -> Room:
        room = self.server.rooms.get(request.match_info["room"])
        if room is None or login.user_id not in room.members("join"):
            raise Refusal(403, "M_FORBIDDEN")
        return room


def _answer(
    handle: Callable[[Login, web.Request, Any], Any],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An endpoint of JSON. Bodies that are none are complained about."""

    async def answer(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        try:
            body = json.loads(text) if text else {}
        except json.JSONDecodeError:
            raise Complaint(f"not JSON: {request.path}") from None
        answered = handle(request[_LOGIN], request, body)
        return web.json_response(await answered if asyncio.iscoroutine(answered) else answered)

    return answer


async def _comes(news: asyncio.Event, deadline: float) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            await news.wait()
    except TimeoutError:
        return False
    return True


def _position(token: str, kind: str) -> int:
    if not token.startswith(kind) or not token[1:].isdigit():
        raise Refusal(400, "M_INVALID_PARAM")
    return int(token[1:])


def _only(query: Any, *names: str) -> None:
    unknown = set(query) - set(names)
    if unknown:
        raise Complaint(f"unknown parameters: {sorted(unknown)}")


def _fields(body: Any, known: dict[str, type], needed: dict[str, type]) -> None:
    fine = isinstance(body, dict) and set(needed) <= set(body) <= set(known)
    if not fine or not all(isinstance(value, known[name]) for name, value in body.items()):
        raise Complaint(f"unfit body: {body}")
