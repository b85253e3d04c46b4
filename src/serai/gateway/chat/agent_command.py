"""`/agents` and `/agent`: who answers in a chat, and who could (SPEC 6.6)."""

from collections.abc import Mapping

from serai.core.command import DEFAULT
from serai.core.ids import AgentId
from serai.gateway.chat.spoken import ADMINS_ONLY, Action, Reply, Spoken
from serai.gateway.manners import is_admin, may_choose
from serai.gateway.state import State
from serai.ports.store.order import Bind


class AgentCommand:
    """Says who answers, and lets another one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.actions: Mapping[str, Action] = {"agents": self._agents, "agent": self._agent}

    async def _agents(self, spoken: Spoken) -> Reply:
        snapshot = self._state.snapshot
        current = spoken.address.agent
        choosable = [a for a in snapshot.agents if a == current or may_choose(snapshot, spoken.inbound, a)]
        return Reply("\n".join(f"{'• ' if agent == current else '  '}{agent}" for agent in choosable))

    async def _agent(self, spoken: Spoken) -> Reply:
        snapshot = self._state.snapshot
        name, source = spoken.command.argument, spoken.inbound.source
        if not name:
            return Reply(f"{spoken.address.agent} answers here ({spoken.why}).")
        if source.chat_type != "dm" and not is_admin(snapshot, spoken.inbound):
            return Reply(f"{ADMINS_ONLY} To ask an agent once, write `@name` and your question.")
        chat = source.chat_id or ""
        if name == DEFAULT:
            return Reply("The usual agent answers here again.", Bind(chat, None))
        if not may_choose(snapshot, spoken.inbound, AgentId(name)):
            return Reply(f"There is no agent `{name}` that you may choose. /agents lists those that you may.")
        return Reply(f"{name} answers here from now on. /agent default takes that back.", Bind(chat, AgentId(name)))
