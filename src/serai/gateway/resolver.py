"""Which agent answers a message (SPEC 4.3, 4.4, 4.6)."""

from collections.abc import Callable

from serai.core.decision import Decision, Explanation, Reason
from serai.core.ids import AgentId
from serai.core.route import Route
from serai.core.snapshot import Snapshot
from serai.core.source import Source
from serai.ports.hooks import Hooks


class Resolver:
    """Stamp, else hook, else the chat's binding, else the routes, else the default agent."""

    def __init__(self, snapshot: Callable[[], Snapshot], hooks: Hooks) -> None:
        self._snapshot = snapshot
        self._hooks = hooks

    async def decide(self, source: Source, binding: AgentId | None = None) -> Decision:
        """The decision for a message. One that is `refused` must go to no agent at all."""
        snapshot = self._snapshot()
        if source.agent_id is not None:
            return _checked(snapshot, source.agent_id, "stamped")
        route = snapshot.routes.first(source)
        if "select_agent" in self._hooks.used:
            choice = await self._hooks.select_agent(source, route.agent if route else None)
            if choice is not None:
                return _checked(snapshot, AgentId(choice.agent), "hook", route, choice.plugin)
        if binding is not None:
            return _checked(snapshot, binding, "binding", route)
        if route is not None:
            return _checked(snapshot, route.agent, "route", route)
        return _checked(snapshot, snapshot.default_agent, "default")

    async def explain(self, source: Source, binding: AgentId | None = None) -> Explanation:
        """The decision, and for each route tried before the one that matched the first key that did not hold."""
        decision = await self.decide(source, binding)
        routes = self._snapshot().routes
        return Explanation(decision, routes.considered(source, until=routes.first(source)))


def _checked(
    snapshot: Snapshot, agent: AgentId, reason: Reason, route: Route | None = None, plugin: str | None = None
) -> Decision:
    """Every answer passes the same check, whoever gave it."""
    return Decision(
        agent,
        reason,
        route=route.number if route else None,
        line=route.line if route else None,
        plugin=plugin,
        refused=snapshot.refusal(agent),
    )
