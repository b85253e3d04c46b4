"""The HTTP server of the gateway: its API and the platforms that receive over HTTP (SPEC 11)."""

import asyncio
import errno
from collections.abc import Iterable

from serai.api.catalogue import catalogue
from serai.api.connection import HttpServer
from serai.api.dispatch import Dispatch
from serai.api.path import Area, Paths
from serai.api.services import Services
from serai.core.error import Startup

BACKLOG = 4096
"""Connections that may wait to be taken: a thousand clients come at once."""


_MOMENT_S = 0.05
_CANCEL_S = 1.0


class Server:
    """Serves one address. Made per process; `start` once, `stop` once. `pages` are served beside the API."""

    def __init__(self, services: Services, pages: Iterable[Area] = ()) -> None:
        self._dispatch = Dispatch(services, Paths([*catalogue(services), *pages]))
        self._http: HttpServer | None = None
        self._listening: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listens; port 0 is any free one. Returns the address and port. Raises Startup where it cannot be had."""
        self._http = HttpServer(self._dispatch)
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(self._http, host, port, backlog=BACKLOG, reuse_address=True)
        except OSError as error:
            raise Startup(_refusal(host, port, error)) from error
        address = self._listening.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self, grace: float) -> None:
        """Takes no more connections, lets requests finish for `grace` seconds and cancels the rest, which abandons
        their runs (SPEC 15)."""
        if self._listening is None or self._http is None:
            return
        self._listening.close()
        await asyncio.sleep(0)
        self._http.pre_shutdown()
        await self._dispatch.idle(grace)
        await self._http.shutdown(_MOMENT_S)
        await self._dispatch.idle(_CANCEL_S)
        self._listening = self._http = None


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; stop what uses it, or set another `api_server.port`"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
