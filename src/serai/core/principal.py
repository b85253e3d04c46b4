"""Who calls the HTTP API (SPEC 11.1)."""

from dataclasses import dataclass

from serai.core.ids import AgentId


@dataclass(frozen=True, slots=True)
class Principal:
    """A key of the API, by name. `agents` None means all agents."""

    name: str
    agents: frozenset[AgentId] | None = None
    admin: bool = False

    def may_use(self, agent: AgentId) -> bool:
        return self.agents is None or agent in self.agents


LOCAL = Principal("local", admin=True)
"""The caller on loopback where no key is configured, and the command line of the same home."""
