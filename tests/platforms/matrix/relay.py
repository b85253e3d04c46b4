"""What stands between a driver and a real homeserver, so that things can go wrong: a proxy on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiohttp
from aiohttp import web
from yarl import URL

_HOP: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "content-encoding"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in the homeserver's place; the request does not get there."""

    status: int
    document: Any
    headers: tuple[tuple[str, str], ...] = ()


Trouble = Refusal | Literal["lost", "silent"]
"""`lost`: the homeserver gets the request, and the connection is cut in place of the answer. `silent`: the request
goes nowhere and nothing answers."""


class Relay:
    """Hands requests on. `troubles` names parts of paths (the method first, as in `PUT /…`) and what befalls the
    next request whose has it; `requests` are all that came."""

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self._upstream = upstream
        self._session = session
        self._ending = asyncio.Event()
        self._runner = web.ServerRunner(
            web.Server(self._take, access_log=None, handler_cancellation=True), shutdown_timeout=0
        )
        self._open: set[asyncio.Transport] = set()
        self.troubles: list[tuple[str, Trouble]] = []
        self.requests: list[str] = []
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """No more connections are taken, and the open ones end."""
        self._ending.set()
        self.sever(cleanly=False)
        await self._runner.cleanup()

    def sever(self, *, cleanly: bool) -> int:
        """Ends what is open, by a close or a reset; returns how many connections that were."""
        ended = [transport for transport in self._open if not transport.is_closing()]
        for transport in ended:
            transport.close() if cleanly else transport.abort()
        return len(ended)

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._open.add(transport)
        line = f"{request.method} {request.rel_url.raw_path}"
        self.requests.append(line)
        body = await request.read()
        trouble = self._trouble(line)
        if isinstance(trouble, Refusal):
            return web.json_response(trouble.document, status=trouble.status, headers=dict(trouble.headers))
        if trouble == "silent":
            await self._ending.wait()
            transport.abort()
            return web.Response()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            data = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            status = answer.status
        if trouble == "lost":
            transport.abort()
        return web.Response(body=data, status=status, headers=kept)

    def _trouble(self, line: str) -> Trouble | None:
        for index, (part, trouble) in enumerate(self.troubles):
            if part in line:
                del self.troubles[index]
                return trouble
        return None


@asynccontextmanager
async def relayed(upstream: str) -> AsyncIterator[Relay]:
    """A relay that runs until the block ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=True) as session:
        relay = Relay(upstream, session)
        await relay.start()
        try:
            yield relay
        finally:
            await relay.stop()
