"""Operating the gateway: POST /api/reload, /api/agents/{id}/stop and /start (SPEC 2.6, 7.6, 16.6). For admins."""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from serai.api.operation import Operation
from serai.api.page import not_found
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.api.services import Services
from serai.core.ids import AgentId

_SWITCH: Final = ("admin_required", "agent_not_found", "storage_failed")


class Reloaded(Struct, tag_field="object", tag="reload"):
    """What has changed, and what counts only from the next start on."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]
    notices: tuple[str, ...]


class Switched(Struct, tag_field="object", tag="agent"):
    """An agent after its switch was used. `refusal` says why it does not answer; null where it does."""

    id: str
    stopped: bool
    refusal: str | None


class Operate:
    """Changes of the whole gateway."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @Operation(
        summary="Takes over the changed configuration",
        answer=Reloaded,
        errors=("admin_required", "invalid_configuration"),
    )
    async def reload(self, call: Call) -> Reply:
        """POST /api/reload. Raises BadConfiguration."""
        call.admins_only()
        change = await self._services.reload()
        return document(200, Reloaded(change.changed, change.needs_restart, change.notices))

    @Operation(summary="Stops an agent at once", answer=Switched, errors=_SWITCH)
    async def stop(self, call: Call) -> Reply:
        """POST /api/agents/{id}/stop. Raises ApiError 404 for an agent that is unknown, or not this key's;
        StorageFailed."""
        return await self._switch(call, self._services.stop_agent, stopped=True)

    @Operation(summary="Lets a stopped agent answer again", answer=Switched, errors=_SWITCH)
    async def start(self, call: Call) -> Reply:
        """POST /api/agents/{id}/start. Raises as `stop`."""
        return await self._switch(call, self._services.start_agent, stopped=False)

    async def _switch(self, call: Call, work: Callable[[AgentId], Awaitable[None]], *, stopped: bool) -> Reply:
        call.admins_only()
        agent = AgentId(call.parts[0])
        if agent not in call.snapshot.agents or not call.principal.may_use(agent):
            raise not_found("agent_not_found", agent)
        await work(agent)
        return document(200, Switched(agent, stopped, self._services.snapshot().refusal(agent)))
