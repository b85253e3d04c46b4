"""Telegram on loopback: a Bot API server for any number of bots, strict about all that is asked of it.

async with TelegramPeer() as peer:
    bot = peer.bot("7:fake-token", "serai_bot")
    ...                          # connect something to peer.url with that token
    bot.offer(peer.says("hello", chat="42", user="42"))
    bot.posted                   # its messages, as people see them now

A request that the Bot API does not know (contract.py) is answered with 400, noted in `breaches`, and raised when the
block ends.
"""

import asyncio
from itertools import count
from types import TracebackType
from typing import Any, Final

from aiohttp import BodyPartReader, web

from tests.platforms.telegram.bot import Answer, Call, FakeBot, Poll
from tests.platforms.telegram.contract import Breach, checked
from tests.platforms.telegram.methods import METHODS, Refuse, Uploads

NOW: Final = 1_700_000_000


class TelegramPeer:
    """The server. `url` is its root."""

    def __init__(self) -> None:
        self.bots: dict[str, FakeBot] = {}
        self.breaches: list[str] = []
        self.url = ""
        self._closing = asyncio.Event()
        self._server = web.Server(self._take, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0)
        self._numbers = count(7001)
        self._messages = count(101)
        self._rivals: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Transport | None] = set()

    async def __aenter__(self) -> "TelegramPeer":
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await self._site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if error is None and self.breaches:
            raise Breach("; ".join(self.breaches))

    async def refuse(self) -> None:
        """Takes no connection any more; what is being answered on one is answered still."""
        await self._site.stop()
        for connection in self._server.connections:
            if connection.transport is not None and connection.transport not in self._busy:
                connection.transport.close()
        await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Takes no connection any more, and cuts those that there are."""
        self._closing.set()
        for rival in self._rivals:
            rival.cancel()
        await asyncio.gather(*self._rivals, return_exceptions=True)
        await self._runner.cleanup()

    def bot(self, token: str, name: str) -> FakeBot:
        """A bot of that token, made by the first call."""
        return self.bots.setdefault(token, FakeBot(token, name, next(self._numbers)))

    def says(self, text: str, *, chat: str = "42", user: str = "42", message: int | None = None, **more: Any) -> Any:
        """The update in which a person writes; in a direct chat where the chat's id is no negative number."""
        return {"message": self.message(chat=chat, user=user, message=message, text=text, **more)}

    def message(self, *, chat: str = "42", user: str = "42", message: int | None = None, **more: Any) -> Any:
        """A message of any content."""
        return {
            "message_id": next(self._messages) if message is None else message,
            "date": NOW,
            "chat": place(chat),
            "from": person(user),
            **more,
        }

    def polls_elsewhere(self, bot: FakeBot) -> None:
        """Somebody else polls with the bot's token, and begins anew a second after each poll that was ended."""
        self._rivals.add(asyncio.ensure_future(self._rival(bot)))

    async def _rival(self, bot: FakeBot) -> None:
        while True:
            await bot.begin_poll().ended.wait()
            await asyncio.sleep(1)

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        self._busy.add(transport)
        try:
            return await self._respond(request)
        finally:
            self._busy.discard(transport)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        _, *parts = request.path.split("/")
        if parts[0] == "file":
            return self._file(parts)
        token, method = parts[0].removeprefix("bot"), parts[-1].lower()
        bot = self.bots.get(token)
        if bot is None or bot.revoked:
            return _refused(Answer(401, "Unauthorized"))
        form, uploads = await _read(request)
        try:
            parameters = checked(method, form, frozenset(uploads))
        except Breach as breach:
            self.breaches.append(str(breach))
            return _refused(Answer(400, f"Bad Request: {breach}"))
        bot.calls.append(Call(method, parameters, next(iter(uploads.values()), (None, None))[1]))
        if answer := next(iter(bot.answers.get(method, ())), None):
            bot.answers[method].pop(0)
            return await self._scripted(request, answer)
        if method == "getupdates":
            return await self._updates(request, bot, parameters)
        try:
            return web.json_response({"ok": True, "result": METHODS[method](bot, parameters, uploads)})
        except Refuse as refusal:
            return _refused(refusal.answer)

    async def _updates(
        self, request: web.BaseRequest, bot: FakeBot, parameters: dict[str, Any]
    ) -> web.StreamResponse:
        if bot.webhook:
            return _refused(Answer(409, "Conflict: can't use getUpdates method while webhook is active"))
        bot.polls += 1
        if parameters.get("offset") is not None:
            bot.confirm(parameters["offset"])
        poll = bot.begin_poll()
        try:
            await self._wait(bot, poll, parameters.get("timeout", 0))
        finally:
            bot.finish_poll(poll)
        if poll.ending is not None:
            return await self._scripted(request, poll.ending)
        return web.json_response({"ok": True, "result": bot.told(parameters.get("limit", 100))})

    async def _wait(self, bot: FakeBot, poll: Poll, seconds: float) -> None:
        """Until something happened, or the time is up, or somebody ends it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not bot.pending and not poll.ended.is_set() and (left := deadline - loop.time()) > 0:
            waiting = {asyncio.ensure_future(event.wait()) for event in (bot.changed, poll.ended, self._closing)}
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if self._closing.is_set():
                poll.end(Answer(0))

    async def _scripted(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        transport = request.transport
        if answer.status == -1:
            await self._closing.wait()
        if transport is not None and answer.status == 0:
            transport.abort()
        elif transport is not None and answer.status == -2:
            transport.close()
        if answer.raw is not None:
            headers = {"location": answer.location} if answer.location else None
            return web.Response(status=answer.status, body=answer.raw, headers=headers)
        return _refused(answer)

    def _file(self, parts: list[str]) -> web.StreamResponse:
        bot = self.bots.get(parts[1].removeprefix("bot"))
        data = bot.files.get(parts[-1]) if bot else None
        return web.Response(status=404) if data is None else web.Response(body=data)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request as large as the Bot API takes them."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=60_000_000)


async def _read(request: web.BaseRequest) -> tuple[dict[str, str], Uploads]:
    """The fields of a request, and what was uploaded: file name and content."""
    if not request.content_type.startswith("multipart/"):
        return {name: str(value) for name, value in (await request.post()).items()}, {}
    form: dict[str, str] = {}
    uploads: Uploads = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        assert part.name
        data = bytes(await part.read())
        if part.filename is None:
            form[part.name] = data.decode()
        else:
            uploads[part.name] = (part.filename, data)
    return _attached(form, uploads)


def _attached(form: dict[str, str], uploads: Uploads) -> tuple[dict[str, str], Uploads]:
    """A parameter may name the part that is its file (`attach://part`), or the part has the parameter's name."""
    named = {key: value.removeprefix("attach://") for key, value in form.items() if value.startswith("attach://")}
    for key, part in named.items():
        if part in uploads:
            del form[key]
            uploads[key] = uploads.pop(part)
    return form, uploads


def _refused(answer: Answer) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": answer.status, "description": answer.description}
    if answer.parameters:
        body["parameters"] = answer.parameters
    status = answer.status if answer.status > 0 else 500
    return web.json_response(body, status=status)


def place(chat: str, **more: Any) -> dict[str, Any]:
    """A chat: direct, or a supergroup where its id is negative."""
    number = int(chat)
    if number > 0:
        return {"id": number, "type": "private", "first_name": f"User {number}", **more}
    return {"id": number, "type": "supergroup", "title": f"Group {number}", **more}


def person(user: str, **more: Any) -> dict[str, Any]:
    """A person."""
    return {"id": int(user), "is_bot": False, "first_name": f"User {user}", **more}
