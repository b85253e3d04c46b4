"""The HTTP server of the gateway: its API and the platforms that receive over HTTP (SPEC 11)."""

import asyncio
import errno
from collections.abc import Iterable

from serai.api.agents import Agents
from serai.api.chat import Chat
from serai.api.connection import HttpServer
from serai.api.conversation import ConversationResource
from serai.api.deliveries import Deliveries
from serai.api.dispatch import Dispatch
from serai.api.events import Events
from serai.api.health import Health
from serai.api.job_run import JobRunResource
from serai.api.job_schedule import JobSchedules
from serai.api.jobs import JobResource
from serai.api.models import Models
from serai.api.openapi import Description
from serai.api.operate import Operate
from serai.api.path import Paths, Resource
from serai.api.platform import Platforms
from serai.api.response import ResponseResource
from serai.api.routing import RouteTest
from serai.api.run import RunResource
from serai.api.services import Services
from serai.api.session_chat import SessionChat
from serai.api.sessions import Sessions
from serai.api.usage import Usages
from serai.core.error import Startup

BACKLOG = 4096
"""Connections that may wait to be taken: a thousand clients come at once."""


_MOMENT_S = 0.05
_CANCEL_S = 1.0


class Server:
    """Serves one address. Made per process; `start` once, `stop` once. `pages` are served beside the API."""

    def __init__(self, services: Services, pages: Iterable[Resource] = ()) -> None:
        resources = _resources(services)
        described = Resource("/openapi.json", {"GET": Description(resources).answer}, guard="host")
        self._dispatch = Dispatch(services, Paths([*resources, described, *pages]))
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
    operate, agents, events = Operate(services), Agents(), Events(services.activity)
    sessions = Sessions(services.archive, services.sessions)
    chat, deliveries = (
        SessionChat(sessions, services.runs),
        Deliveries(services.archive, services.retry, services.send),
    )
    run = RunResource(services.lasting, services.approvals)
    conversation = ConversationResource(services.conversations, services.lasting, services.clock, services.entropy)
    response = ResponseResource(services.runs, services.lasting, conversation.find, services.clock)
    job, job_run = JobResource(services.jobs, services.entropy), JobRunResource(services.jobs)
    schedules = JobSchedules(services.jobs, services.clock)
    return [
        Resource("/v1/chat/completions", {"POST": Chat(services.runs).complete}),
        Resource("/v1/responses", {"POST": response.create}),
        Resource("/v1/responses/{id}", {"GET": response.one, "DELETE": response.delete}),
        Resource("/v1/responses/{id}/cancel", {"POST": response.cancel}),
        Resource("/v1/responses/{id}/input_items", {"GET": response.input_items}),
        Resource("/v1/conversations", {"POST": conversation.create}),
        Resource(
            "/v1/conversations/{id}",
            {"GET": conversation.one, "POST": conversation.update, "DELETE": conversation.delete},
        ),
        Resource("/v1/conversations/{id}/items", {"GET": conversation.items, "POST": conversation.add}),
        Resource("/v1/conversations/{id}/items/{item}", {"GET": conversation.item, "DELETE": conversation.remove}),
        Resource("/v1/runs", {"POST": run.begin}),
        Resource("/v1/runs/{id}", {"GET": run.one}),
        Resource("/v1/runs/{id}/events", {"GET": run.events}),
        Resource("/v1/runs/{id}/stop", {"POST": run.stop}),
        Resource("/v1/runs/{id}/approval", {"POST": run.approve}),
        Resource("/v1/models", {"GET": models.all}),
        Resource("/v1/models/{id}", {"GET": models.one}),
        Resource("/api/routes/test", {"POST": RouteTest(services.explain).answer}),
        Resource("/api/reload", {"POST": operate.reload}),
        Resource("/api/sessions", {"GET": sessions.list}),
        Resource("/api/sessions/{id}", {"GET": sessions.one, "PATCH": sessions.patch, "DELETE": sessions.delete}),
        Resource("/api/sessions/{id}/messages", {"GET": sessions.messages}),
        Resource("/api/sessions/{id}/fork", {"POST": sessions.fork}),
        Resource("/api/sessions/{id}/chat", {"POST": chat.say}),
        Resource("/api/deliveries", {"GET": deliveries.list, "POST": deliveries.send}),
        Resource("/api/deliveries/{id}", {"GET": deliveries.one}),
        Resource("/api/deliveries/{id}/retry", {"POST": deliveries.again}),
        Resource("/api/jobs", {"GET": job.list, "POST": job.create}),
        Resource("/api/jobs/preview", {"POST": schedules.preview}),
        Resource("/api/jobs/adopt", {"POST": schedules.adopt}),
        Resource("/api/jobs/{id}", {"GET": job.one, "PATCH": job.patch, "DELETE": job.delete}),
        Resource("/api/jobs/{id}/pause", {"POST": job.pause}),
        Resource("/api/jobs/{id}/resume", {"POST": job.resume}),
        Resource("/api/jobs/{id}/run", {"POST": job_run.run}),
        Resource("/api/jobs/{id}/runs", {"GET": job_run.list}),
        Resource("/api/jobs/{id}/runs/{run}", {"GET": job_run.one}),
        Resource("/api/usage", {"GET": Usages(services.archive, services.clock).list}),
        Resource("/api/events", {"GET": events.stream}),
        Resource("/api/agents", {"GET": agents.all}),
        Resource("/api/agents/{id}", {"GET": agents.one}),
        Resource("/api/agents/{id}/stop", {"POST": operate.stop}),
        Resource("/api/agents/{id}/start", {"POST": operate.start}),
        Resource("/health", {"GET": health.live}, guard="none"),
        Resource("/ready", {"GET": health.ready}, guard="probe"),
        Resource("/metrics", {"GET": health.metrics}),
        Resource("/{platform}/{account}", {"POST": platforms.receive}, guard="none", exists=platforms.known),
    ]


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; stop what uses it, or set another `api_server.port`"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
