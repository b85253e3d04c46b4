"""Who calls the HTTP API (SPEC 11.1)."""

from dataclasses import dataclass

from serai.core.ids import AgentId


@dataclass(frozen=True, slots=True)
class Principal:
    """A key of the API, by name. `agents` None means all agents.

    `agents` bounds what it reaches, `admin` widens that to what belongs to others, and to the gateway as a whole.
    """

    name: str
    agents: frozenset[AgentId] | None = None
    admin: bool = False

    def may_use(self, agent: AgentId) -> bool:
        return self.agents is None or agent in self.agents

    def may_see(self, agent: AgentId, owner: str) -> bool:
        """Whether what belongs to an agent and a key (SPEC 11.7) is there for this one."""
        return self.may_use(agent) and (self.admin or owner == self.name)


LOCAL = Principal("local", admin=True)
"""The caller on loopback where no key is configured, and the command line of the same home."""
