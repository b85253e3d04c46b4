"""Fair shares: one agent's flood does not slow another (SPEC 5.8)."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.ids import AgentId
from serai.core.snapshot import Snapshot
from serai.gateway.lane.fair import FairShare
from serai.testing.clock import virtual_time
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, routes, snapshot
from tests.gateway.test_chat import echo

A, B, C = AgentId("a"), AgentId("b"), AgentId("c")


def fair(most: int, **bounds: int) -> FairShare:
    made = snapshot("a", "b", "c", max_turns=most)
    agents = {i: replace(p, max_turns=bounds.get(i)) for i, p in made.agents.items()}
    config: Snapshot = replace(made, agents=agents)
    return FairShare(lambda: config)


async def served(share: FairShare, waiting: list[AgentId]) -> list[AgentId]:
    """The order in which `waiting` get their place when one place at a time becomes free."""
    order: list[AgentId] = []

    async def one(agent: AgentId) -> None:
        await share.take(agent)
        order.append(agent)
        await asyncio.sleep(1)
        share.give_back(agent)

    await asyncio.gather(*(one(agent) for agent in waiting))
    return order


@virtual_time
async def test_waiting_turns_are_served_round_robin_over_agents() -> None:
    order = await served(fair(1), [A] * 6 + [B] * 2 + [C])
    assert order == [A, A, B, C, A, B, A, A, A]


@virtual_time
async def test_an_agents_own_bound_holds_and_others_use_the_rest() -> None:
    share = fair(10, a=2)
    assert [share.try_take(A) for _ in range(3)] == [True, True, False]
    assert share.try_take(B)


@virtual_time
async def test_nobody_takes_a_place_past_those_who_wait() -> None:
    share = fair(1)
    assert share.try_take(A)
    waiting = asyncio.create_task(share.take(A))
    await asyncio.sleep(0)
    share.give_back(A)
    assert not share.try_take(B)
    await waiting


@virtual_time
async def test_one_who_gives_up_waiting_leaves_no_hole() -> None:
    share = fair(1)
    assert share.try_take(A)
    quitter, patient = asyncio.create_task(share.take(A)), asyncio.create_task(share.take(B))
    await asyncio.sleep(0)
    quitter.cancel()
    await asyncio.sleep(0)
    share.give_back(A)
    await asyncio.wait_for(patient, 1)
    share.give_back(B)
    assert share.in_flight == 0
    await asyncio.wait_for(share.idle(), 1)


@virtual_time
async def test_a_flood_of_one_agent_does_not_slow_another() -> None:
    config = snapshot("ops", routes=routes(({"user_id": "boss"}, "ops")), max_turns=10)
    async with Stage(ScriptedModel(echo, delay=10), config).running() as stage:
        for n in range(200):
            await stage.fake.says("spam", chat=f"c{n}")
        began = stage.clock.now()
        await stage.fake.says("urgent", chat="boss", user="boss")
        while (await stage.fake.answer()).target.chat_id != "boss":
            pass
        assert stage.clock.now() - began == pytest.approx(20, abs=1)
