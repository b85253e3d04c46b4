"""The HTTP server of the gateway: its API and the platforms that receive over HTTP (SPEC 11)."""

import asyncio
import errno
from collections.abc import Iterable

from serai.api.chat import Chat
from serai.api.connection import HttpServer
from serai.api.conversation import ConversationResource
from serai.api.dispatch import Dispatch
from serai.api.health import Health
from serai.api.models import Models
from serai.api.operate import Operate
from serai.api.path import Paths, Resource
from serai.api.platform import Platforms
from serai.api.response import ResponseResource
from serai.api.routing import RouteTest
from serai.api.run import RunResource
from serai.api.services import Services
from serai.core.error import Startup

BACKLOG = 4096
"""Connections that may wait to be taken: a thousand clients come at once."""


_MOMENT_S = 0.05
_CANCEL_S = 1.0


class Server:
    """Serves one address. Made per process; `start` once, `stop` once. `pages` are served beside the API."""

    def __init__(self, services: Services, pages: Iterable[Resource] = ()) -> None:
        self._dispatch = Dispatch(services, Paths([*_resources(services), *pages]))
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


def _resources(services: Services) -> list[Resource]:
    health, models, platforms = Health(services), Models(services.clock), Platforms(services.endpoint)
    operate = Operate(services)
    run = RunResource(services.lasting, services.approvals)
    conversation = ConversationResource(services.conversations, services.lasting, services.clock, services.entropy)
    response = ResponseResource(services.runs, services.lasting, conversation.find, services.clock)
    return [
        Resource("/v1/chat/completions", {"POST": Chat(services.runs).complete}),
        Resource("/v1/responses", {"POST": response.create}),
        Resource("/v1/responses/{}", {"GET": response.one, "DELETE": response.delete}),
        Resource("/v1/responses/{}/cancel", {"POST": response.cancel}),
        Resource("/v1/responses/{}/input_items", {"GET": response.input_items}),
        Resource("/v1/conversations", {"POST": conversation.create}),
        Resource(
            "/v1/conversations/{}",
            {"GET": conversation.one, "POST": conversation.update, "DELETE": conversation.delete},
        ),
        Resource("/v1/conversations/{}/items", {"GET": conversation.items, "POST": conversation.add}),
        Resource("/v1/conversations/{}/items/{}", {"GET": conversation.item, "DELETE": conversation.remove}),
        Resource("/v1/runs", {"POST": run.begin}),
        Resource("/v1/runs/{}", {"GET": run.one}),
        Resource("/v1/runs/{}/events", {"GET": run.events}),
        Resource("/v1/runs/{}/stop", {"POST": run.stop}),
        Resource("/v1/runs/{}/approval", {"POST": run.approve}),
        Resource("/v1/models", {"GET": models.all}),
        Resource("/v1/models/{}", {"GET": models.one}),
        Resource("/api/routes/test", {"POST": RouteTest(services.explain).answer}),
        Resource("/api/reload", {"POST": operate.reload}),
        Resource("/api/agents/{}/stop", {"POST": operate.stop}),
        Resource("/api/agents/{}/start", {"POST": operate.start}),
        Resource("/health", {"GET": health.live}, guard="none"),
        Resource("/ready", {"GET": health.ready}, guard="probe"),
        Resource("/metrics", {"GET": health.metrics}),
        Resource("/{}/{}", {"POST": platforms.receive}, guard="none", exists=platforms.known),
    ]


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; stop what uses it, or set another `api_server.port`"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
