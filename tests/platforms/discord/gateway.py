"""The gateway's side of the fake: sessions that can be resumed, heartbeats, close codes."""

import asyncio
import json
from contextlib import suppress
from itertools import count
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.platforms.discord.strict import Frame, Identify, Resume
from tests.platforms.discord.world import User, World

CONTENT = 1 << 15
KNOWN_INTENTS = (1 << 26) - 1


class Session:
    """What a bot is told, whether or not it is connected."""

    def __init__(self, session_id: str, bot: User, intents: int) -> None:
        self.id = session_id
        self.bot = bot
        self.intents = intents
        self.told: list[str] = []
        self.socket: web.WebSocketResponse | None = None
        self.acked = 0


class Gateway:
    """Takes bots by their tokens. A bot shall say every `beat_s` s that it lives, and is asked every `ask_s`."""

    def __init__(self, world: World, *, beat_s: float = 41.25, ask_s: float = 20.0) -> None:
        self._world = world
        self._beat_s = beat_s
        self._ask_s = ask_s
        self._count = count(1)
        self._changed = asyncio.Event()
        self.url = ""
        self.bots: dict[str, User] = {}
        self.content_allowed = True
        self.sessions: dict[str, Session] = {}
        self.violations: list[str] = []
        self.log: list[tuple[int, Any]] = []
        self.silent: set[web.WebSocketResponse] = set()
        self.welcome: list[int] = []
        """Close codes with which the next ones that connect are sent away."""

    def live(self, bot: User) -> Session | None:
        """The session that a bot has open."""
        for session in self.sessions.values():
            if session.bot is bot and session.socket is not None and not session.socket.closed:
                return session
        return None

    async def connected(self, bot: User) -> Session:
        """Waits until a bot is connected."""
        while (session := self.live(bot)) is None:
            self._changed.clear()
            await self._changed.wait()
        return session

    async def tell(self, bot: User, event: str, document: Any) -> None:
        """Tells each session of a bot of something that happened, now or when it is resumed."""
        for session in self.sessions.values():
            if session.bot is bot:
                frame = {"op": 0, "s": len(session.told) + 1, "t": event, "d": document}
                session.told.append(json.dumps(frame))
                await self._push(session, session.told[-1])

    async def _push(self, session: Session, frame: str) -> None:
        socket = session.socket
        if socket is not None and not socket.closed and socket not in self.silent:
            with suppress(ConnectionError):
                await socket.send_str(frame)

    async def garble(self, bot: User, text: str) -> None:
        """Sends a bot a frame of any text."""
        session = self.live(bot)
        if session is not None:
            await self._push(session, text)

    async def close(self, bot: User, code: int) -> None:
        """Ends a bot's connection by a close code."""
        session = self.live(bot)
        if session is not None and session.socket is not None:
            socket, session.socket = session.socket, None
            await socket.close(code=code)

    def cut(self, bot: User) -> None:
        """Ends a bot's connection without a word."""
        session = self.live(bot)
        if session is not None and session.socket is not None:
            socket, session.socket = session.socket, None
            transport = socket._req.transport if socket._req else None
            assert transport is not None
            transport.abort()

    def hush(self, bot: User) -> None:
        """A bot's connection stays open and is dead."""
        session = self.live(bot)
        if session is not None and session.socket is not None:
            self.silent.add(session.socket)
            session.socket = None

    def forget(self) -> None:
        """No session can be resumed any more."""
        self.sessions.clear()

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            self.violations.append(f"gateway: asked with {dict(request.query)}")
        if self.welcome:
            await socket.close(code=self.welcome.pop(0))
            return socket
        await socket.send_json({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": self._beat_s * 1000}})
        asking = asyncio.ensure_future(self._ask(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and socket not in self.silent:
                    await self._frame(socket, message.data)
        finally:
            asking.cancel()
            for session in self.sessions.values():
                if session.socket is socket:
                    session.socket = None
            self._changed.set()
        return socket

    async def _ask(self, socket: web.WebSocketResponse) -> None:
        while True:
            await asyncio.sleep(self._ask_s)
            if socket not in self.silent and not socket.closed:
                await socket.send_json({"op": 1, "s": None, "t": None, "d": None})

    async def _frame(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            frame = msgspec.json.decode(text, type=Frame)
            self.log.append((frame.op, msgspec.json.decode(frame.d)))
            if frame.op == 1:
                msgspec.json.decode(frame.d, type=int | None)
                await socket.send_json({"op": 11, "s": None, "t": None, "d": None})
            elif frame.op == 2:
                await self._identify(socket, msgspec.json.decode(frame.d, type=Identify))
            elif frame.op == 6:
                await self._resume(socket, msgspec.json.decode(frame.d, type=Resume))
            else:
                self.violations.append(f"gateway: opcode {frame.op}")
        except msgspec.MsgspecError as error:
            self.violations.append(f"gateway: {error}")
            await socket.close(code=4002)

    async def _identify(self, socket: web.WebSocketResponse, asked: Identify) -> None:
        bot = self.bots.get(asked.token)
        code = 4004 if bot is None else 4013 if asked.intents & ~KNOWN_INTENTS else None
        if code is None and asked.intents & CONTENT and not self.content_allowed:
            code = 4014
        if code is not None or bot is None:
            await socket.close(code=code or 4004)
            return
        session = Session(f"session-{next(self._count)}", bot, asked.intents)
        session.socket = socket
        guilds = [guild for guild in self._world.guilds.values() if bot.id in guild.members]
        self.sessions[session.id] = session
        ready = {
            "v": 10,
            "user": bot.document(),
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "application": {"id": bot.id, "flags": 1 << 19},
            "private_channels": [],
            "relationships": [],
        }
        for event, document in (
            ("READY", ready),
            *(("GUILD_CREATE", self._world.guild_event(guild, bot)) for guild in guilds),
        ):
            session.told.append(json.dumps({"op": 0, "s": len(session.told) + 1, "t": event, "d": document}))
            await self._push(session, session.told[-1])
        self._changed.set()

    async def _resume(self, socket: web.WebSocketResponse, asked: Resume) -> None:
        session = self.sessions.get(asked.session_id)
        if session is None or self.bots.get(asked.token) is not session.bot:
            await socket.send_json({"op": 9, "s": None, "t": None, "d": False})
            return
        session.socket = socket
        for frame in session.told[asked.seq :]:
            await self._push(session, frame)
        resumed = {"op": 0, "s": len(session.told) + 1, "t": "RESUMED", "d": {"_trace": []}}
        session.told.append(json.dumps(resumed))
        await self._push(session, session.told[-1])
        self._changed.set()
