"""What watches the gateway: GET /health, /ready, /metrics (SPEC 11.6)."""

from typing import Final

from serai.api.path import Call
from serai.api.reply import TEXT, Reply, document
from serai.api.services import Services

_ALIVE: Final = b'{"status":"ok"}'


class Health:
    """Answers probes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def live(self, _: Call) -> Reply:
        """GET /health: the process answers."""
        return Reply(200, _ALIVE)

    async def ready(self, call: Call) -> Reply:
        """GET /ready: 200 where a first turn would be fast, else 503. The details, of all agents, are for admins."""
        readiness = await self._services.ready()
        body = {"ready": readiness.ok} if not call.principal.admin else readiness.body
        return document(200 if readiness.ok else 503, body)

    async def metrics(self, call: Call) -> Reply:
        """GET /metrics in Prometheus' text format. It counts for every agent, so it is for admins."""
        call.admins_only()
        return Reply(200, self._services.metrics(), kind=TEXT)
