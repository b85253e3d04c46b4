"""Who answers, and why (SPEC 4.3, 4.4, 4.6)."""

from dataclasses import replace

import pytest

from serai.core.ids import AgentId
from serai.core.snapshot import Snapshot
from serai.core.source import Source
from serai.gateway.resolver import Resolver
from tests.gateway.stage import FakeHooks, routes, snapshot

CHAT = Source("fake", chat_id="100")
BOUND = AgentId("bound")


def config(**changes: object) -> Snapshot:
    return snapshot("ops", "hooked", "bound", "stamped", routes=routes(({"chat_id": "100"}, "ops")), **changes)


def resolver(config: Snapshot, hook: str | None = None) -> tuple[Resolver, FakeHooks]:
    hooks = FakeHooks(hook)
    return Resolver(lambda: config, hooks), hooks


@pytest.mark.parametrize(
    ("source", "hook", "binding", "agent", "reason"),
    [
        (replace(CHAT, agent_id=AgentId("stamped")), "hooked", BOUND, "stamped", "stamped"),
        (CHAT, "hooked", BOUND, "hooked", "hook"),
        (CHAT, None, BOUND, "bound", "binding"),
        (CHAT, None, None, "ops", "route"),
        (Source("fake", chat_id="7"), None, None, "main", "default"),
    ],
)
async def test_stamp_then_hook_then_binding_then_routes_then_default(
    source: Source, hook: str | None, binding: AgentId | None, agent: str, reason: str
) -> None:
    decision = await resolver(config(), hook)[0].decide(source, binding)
    assert (decision.agent, decision.reason, decision.refused) == (agent, reason, None)


async def test_the_hook_is_told_which_route_matched() -> None:
    made, hooks = resolver(config(), "hooked")
    decision = await made.decide(CHAT)
    assert hooks.asked == [(None, "ops")]
    assert (decision.route, decision.line, decision.plugin) == (1, 1, "fake")


async def test_a_stamped_message_asks_no_hook() -> None:
    made, hooks = resolver(config(), "hooked")
    await made.decide(replace(CHAT, agent_id=AgentId("ops")))
    assert hooks.asked == []


@pytest.mark.parametrize("way", ["stamp", "hook", "binding"])
async def test_an_answer_that_names_no_agent_refuses_and_never_falls_through(way: str) -> None:
    made, _ = resolver(config(), "ghost" if way == "hook" else None)
    source = replace(CHAT, agent_id=AgentId("ghost")) if way == "stamp" else CHAT
    decision = await made.decide(source, AgentId("ghost") if way == "binding" else None)
    assert decision.agent == "ghost"
    assert decision.refused == "no agent named `ghost` is configured"


async def test_a_disabled_agent_refuses_with_its_reason() -> None:
    plain = config()
    agents = dict(plain.agents)
    agents[AgentId("ops")] = replace(agents[AgentId("ops")], refusal="its model has no key")
    decision = await resolver(replace(plain, agents=agents))[0].decide(CHAT)
    assert (decision.agent, decision.refused) == ("ops", "its model has no key")


async def test_an_explanation_shows_the_routes_that_were_tried() -> None:
    made, _ = resolver(snapshot("ops", routes=routes(({"chat_id": "7"}, "ops"), ({"platform": "fake"}, "ops"))), None)
    explained = await made.explain(CHAT)
    assert explained.decision.route == 2
    assert [(c.route, c.failed) for c in explained.considered] == [(1, "chat_id")]
