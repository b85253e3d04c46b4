"""Agents that may not answer any more: stopped, or taken out of the configuration (SPEC 2.6, 7.6, 16.6)."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.error import UnknownAgent
from serai.core.event import TurnEnded
from serai.core.ids import AgentId
from serai.core.profile import AgentProfile
from serai.core.snapshot import Snapshot, stopped_text
from serai.ports.model import ModelRequest
from serai.ports.scope import current_profile
from serai.testing.clock import virtual_time
from serai.testing.model import ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.gateway.stage import NoSecrets, Stage, routes, snapshot
from tests.gateway.test_chat import echo

OPS = AgentId("ops")
TO_OPS = snapshot("ops", routes=routes(({"chat_id": "100"}, "ops")))


def refused_by(ended: TurnEnded) -> tuple[int, str]:
    assert ended.fault is not None
    return ended.fault.status, ended.fault.code


async def stop(stage: Stage, agent: AgentId) -> None:
    """As the gateway does it."""
    await stage.store.stop_agent(agent, stage.clock.now())
    stage.state.stop(await stage.store.stopped())
    stage.lanes.interrupt(agent, stopped_text(agent))
    await stage.lanes.refuse(agent, stopped_text(agent))


def without(config: Snapshot, agent: AgentId) -> Snapshot:
    profiles = {name: profile for name, profile in config.agents.items() if name != agent}
    return replace(config, agents=profiles, routes=routes())


@virtual_time
async def test_a_stopped_agents_turns_end_its_queue_is_refused_and_the_others_run_on() -> None:
    model = ScriptedModel(echo, delay=5)
    config = replace(TO_OPS, agents={**TO_OPS.agents, OPS: replace(TO_OPS.agents[OPS], max_turns=1)})
    async with Stage(model, config).running() as stage:
        running, waiting = await stage.ask("hello", "ops"), await stage.ask("hello", "ops", idempotency="k")
        other = await stage.ask("hello", "main")
        await asyncio.sleep(1)
        await stop(stage, OPS)
        assert refused_by(await waiting.ended()) == (403, "agent_refused")
        ended = await running.ended()
        assert (ended.state, ended.fault and ended.fault.text) == ("cancelled", stopped_text(OPS))
        with pytest.raises(UnknownAgent, match="stopped"):
            await stage.ask("hello", "ops")
        assert (await other.ended()).state == "done"
        stage.state.stop(frozenset())
        again = await stage.ask("hello", "ops", idempotency="k")
        assert not again.replayed, "nothing was done for the refused call, so a repeat is a new one"
        assert (await again.ended()).state == "done"


@virtual_time
async def test_people_in_a_chat_hear_of_it_once_for_all_that_waited() -> None:
    async with Stage(ScriptedModel(echo, delay=5), TO_OPS).running() as stage:
        await stage.fake.says("one", chat="100", message="m1")
        await asyncio.sleep(2)
        for number in (2, 3):
            await stage.fake.says("more", chat="100", message=f"m{number}")
        await stop(stage, OPS)
        told = {(await stage.fake.answer()).target.reply_to for _ in "ab"}
        await asyncio.sleep(60)
    assert told == {("m1",), ("m2", "m3")}
    assert {delivery.text for delivery in stage.fake.sent} == {f"Sorry, I could not answer: {stopped_text(OPS)}."}
    assert len(stage.fake.sent) == 2


@virtual_time
async def test_a_stop_outlasts_a_restart_and_what_was_left_is_refused_in_the_gateways_own_name() -> None:
    before = Stage(ScriptedModel(echo, delay=50), TO_OPS)
    async with before.running():
        await before.fake.says("hello", chat="100")
        await asyncio.sleep(2)
        await before.store.stop_agent(OPS, before.clock.now())
    after = Stage(ScriptedModel([]), TO_OPS, store=before.store)
    after.state.stop(await after.store.stopped())
    async with after.running(recover=True):
        told = await after.fake.answer()
    assert "is stopped" in told.text
    assert (told.agent, told.target.agent_id) == ("", None)


@virtual_time
async def test_what_is_left_for_an_agent_that_is_gone_after_a_restart_opens_no_session_under_its_name() -> None:
    before = Stage(ScriptedModel([]), replace(TO_OPS, max_turns=0))
    async with before.running():
        await before.fake.says("hello", chat="100")
    after = Stage(ScriptedModel([]), without(TO_OPS, OPS), store=before.store)
    async with after.running(recover=True):
        told = await after.fake.answer()
        sessions = after.store._query(lambda db: db.execute("SELECT count(*) FROM session").fetchone()[0])
    assert sessions == 0
    assert told.text == "Sorry, I could not answer: no agent named `ops` is configured."


@virtual_time
async def test_a_turn_finishes_on_the_configuration_it_began_with_and_is_delivered_under_its_agent() -> None:
    seen: list[object] = []
    stage: Stage

    class Named(NoSecrets):
        """Secrets that can be told from others."""

        def __init__(self, name: str) -> None:
            self.name = name

    async def look(request: ModelRequest) -> str:
        await asyncio.sleep(5)
        seen.append((request.agent, stage.state.held_secrets().name))  # type: ignore[attr-defined]
        return "done"

    class Watching(FakePlatform):
        async def send(self, delivery):  # type: ignore[no-untyped-def]
            seen.append(current_profile().id)
            return await super().send(delivery)

    stage = Stage(ScriptedModel(look), TO_OPS, platforms=[Watching()])
    stage.state.secrets = Named("old")
    async with stage.running():
        await stage.fake.says("hello", chat="100")
        await asyncio.sleep(2)
        stage.state.swap(without(TO_OPS, OPS), Named("new"))
        await stage.fake.answer()
        await stage.fake.says("hello", chat="7")
        await stage.fake.answer()
    assert seen == [("ops", "old"), "ops", ("main", "new"), "main"]


@virtual_time
async def test_a_message_that_was_decided_before_its_agent_was_removed_reaches_nobody_else() -> None:
    async with Stage(ScriptedModel(echo), TO_OPS).running() as stage:
        accept = stage.store.accept

        async def slow(*given: object) -> object:
            stage.state.swap(without(TO_OPS, OPS), NoSecrets())
            return await accept(*given)  # type: ignore[arg-type]

        stage.store.accept = slow  # type: ignore[method-assign, assignment]
        await stage.fake.says("hello", chat="100")
        assert (await stage.fake.answer()).text == "Sorry, I could not answer: no agent named `ops` is configured."


def test_stopping_changes_the_named_agents_alone_and_starting_brings_them_back() -> None:
    stopped = TO_OPS.with_stopped({OPS, AgentId("unknown")})
    assert stopped.refusal(OPS) == stopped_text(OPS)
    assert stopped.refusal(AgentId("main")) is None
    assert isinstance(stopped.agents[OPS], AgentProfile)
    assert TO_OPS.with_stopped({AgentId("unknown")}) is TO_OPS
