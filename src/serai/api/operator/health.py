"""What watches the gateway: GET /health, /ready, /metrics (SPEC 11.6)."""

from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import TEXT, Reply, document
from serai.api.services import Services

_ALIVE: Final = b'{"status":"ok"}'


class Alive(Struct):
    """The process answers."""

    status: Literal["ok"]


class Ready(Struct):
    """`ready`, and for admin keys why, and how everything is."""

    ready: bool
    reasons: dict[str, str] | UnsetType = UNSET
    revision: str | UnsetType = UNSET
    default_agent: str | UnsetType = UNSET
    agents: dict[str, str] | UnsetType = UNSET
    accounts: dict[str, str] | UnsetType = UNSET
    turns_in_flight: int | UnsetType = UNSET
    configuration: dict[str, Any] | UnsetType = UNSET


class Health:
    """Answers probes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @Operation(summary="Whether the process lives", answer=Alive)
    async def live(self, _: Call) -> Reply:
        """GET /health: the process answers."""
        return Reply(200, _ALIVE)

    @Operation(summary="Whether a first turn would be answered", answer=Ready, also={503: Ready})
    async def ready(self, call: Call) -> Reply:
        """GET /ready: 200 where a first turn would be fast, else 503. The details, of all agents, are for admins."""
        readiness = await self._services.ready()
        body = {"ready": readiness.ok} if not call.principal.admin else readiness.body
        return document(200 if readiness.ok else 503, body)


class Metrics:
    """Tells what was counted."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render

    @Operation(summary="Numbers for Prometheus", media=TEXT, errors=("admin_required",))
    async def all(self, call: Call) -> Reply:
        """GET /metrics in Prometheus' text format. It counts for every agent, so it is for admins."""
        call.admins_only()
        return Reply(200, self._render(), kind=TEXT)
