"""GET /api/agents and /api/agents/{id} (SPEC 11.6)."""

from serai.api import document as documents
from serai.api.document import AgentDocument
from serai.api.operation import Operation
from serai.api.page import ListOf, not_found, page
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.ids import AgentId


class Agents:
    """The agents that a key may use, those that do not answer too."""

    @Operation(summary="The agents that this key may use", answer=ListOf[AgentDocument])
    async def all(self, call: Call) -> Reply:
        """GET /api/agents: in one page."""
        snapshot = call.snapshot
        usable = [profile for name, profile in sorted(snapshot.agents.items()) if call.principal.may_use(name)]
        return document(200, page(documents.agents(usable, snapshot, whole=call.principal.admin)))

    @Operation(summary="One agent", answer=AgentDocument, errors=("agent_not_found",))
    async def one(self, call: Call) -> Reply:
        """GET /api/agents/{id}. Raises ApiError 404, also for an agent that this key may not use."""
        name = AgentId(call.parts[0])
        profile = call.snapshot.agents.get(name)
        if profile is None or not call.principal.may_use(name):
            raise not_found("agent_not_found", name)
        return document(200, documents.agents([profile], call.snapshot, whole=call.principal.admin)[0])
