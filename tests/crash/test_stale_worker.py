"""A worker that was replaced while it could not move starts nothing and finishes nothing (SPEC 5.3, 5.4)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from serai.core.decision import Decision
from serai.core.delivery import NewDelivery, Target
from serai.core.error import Fenced
from serai.core.event import TurnEnded
from serai.core.ids import Account, AgentId, DeliveryId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Answer, InputBody, Message
from serai.core.turn import Step
from serai.ports.store.arrival import Arrival
from serai.ports.store.claim import ClaimOffer, Finish
from serai.ports.store.dispatch import Settlement
from serai.stores.sqlite.store import open_store
from tests.crash.harness import Harness, harness
from tests.crash.ledger import read
from tests.crash.peers import mark_of
from tests.patience import PATIENCE_S
from tests.process.gateway import GatewayProcess, NotUp

_ACCOUNT = Account("webhook")
_REPEATABLE = frozenset({"webhook"})


async def frozen(one: Harness, kind: str, call: int | None, *options: str) -> GatewayProcess:
    """A gateway that stopped moving in the midst of a turn: in that model call, or in its tool."""
    post = one.traffic.say("room-1", kind)
    if call is not None:
        one.model.held = {mark_of(post.text): call}
    gateway = await one.start(None, 1, *options)
    await one.traffic.flow(one.caller(gateway))
    await (one.effect() if call is None else one.model.waits(mark_of(post.text)))
    gateway.freeze()
    return gateway


async def replaced(one: Harness) -> GatewayProcess:
    """Another gateway of the same home, whose operator took the lock away from the one that did not answer."""
    (one.home / "gateway.lock").unlink()
    one.model.held = {}
    return await one.start()


async def metric(one: Harness, gateway: GatewayProcess, line: str) -> None:
    """Waits until a line stands in the gateway's metrics."""
    caller = one.caller(gateway)
    async with asyncio.timeout(PATIENCE_S):
        while line not in (await caller.get("/metrics")).splitlines():
            await asyncio.sleep(0.01)


async def stalled(one: Harness, gateway: GatewayProcess) -> float:
    """The longest time, in seconds, for which the gateway says that its event loop was late."""
    lines = dict(line.rsplit(" ", 1) for line in (await one.caller(gateway).get("/metrics")).splitlines())
    return float(lines["serai_event_loop_stall_seconds_max"])


@pytest.mark.slow
async def test_a_second_gateway_is_refused_while_the_first_does_not_move(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        first = await frozen(one, "plain", 0)
        with pytest.raises(NotUp, match=f"a gateway already runs for .*pid {first.pid}"):
            await one.start()
        one.model.go.set()
        first.thaw()
        await one.finish(first)
        assert await stalled(one, first) > 0.05
        await one.stop(first)
        assert one.judge().turns == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "call", "options", "runs"),
    [
        pytest.param("note", 0, (), ["second"], id="before-its-tool"),
        pytest.param("note", None, ("--hang",), ["first"], id="in-its-tool"),
        pytest.param("ping", None, ("--hang",), ["first", "second"], id="in-a-tool-that-may-be-repeated"),
        pytest.param("note", 1, (), ["first"], id="before-its-answer"),
    ],
)
async def test_a_replaced_gateway_drops_its_turn(
    kind: str, call: int | None, options: Sequence[str], runs: Sequence[str], tmp_path: Path
) -> None:
    async with harness(tmp_path) as one:
        first = await frozen(one, kind, call, *options)
        second = await replaced(one)
        await one.quiet()
        before = read(one.database)
        one.model.go.set()
        one.journal.let_go()
        first.thaw()
        await metric(one, first, "serai_fenced_total 1.0")
        assert read(one.database) == before
        names = {first.pid: "first", second.pid: "second"}
        assert [names[entry.process] for entry in one.journal.read() if entry.event == "effect"] == runs
        one.stops += 1
        for gateway in (first, second):
            await one.stop(gateway)
        figures = one.judge()
    assert figures.repeated == 0
    assert len(one.receiver.received) == 1


@pytest.mark.slow
async def test_a_replaced_gateway_cannot_say_how_its_send_went(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        one.receiver.open.clear()
        one.traffic.say("room-1", "plain")
        first = await one.start()
        await one.traffic.flow(one.caller(first))
        await one.receiver.count(1)
        first.freeze()
        second = await replaced(one)
        await one.receiver.count(2)
        one.receiver.open.set()
        await one.quiet()
        before = read(one.database)
        first.thaw()
        await metric(one, first, 'serai_deliveries_total{platform="webhook",state="sent"} 1.0')
        assert read(one.database) == before
        for gateway in (first, second):
            await one.stop(gateway)
        assert one.judge().repeated == 1


async def test_of_two_stores_on_one_file_only_the_one_that_claimed_last_may_write(tmp_path: Path) -> None:
    stale, current = open_store(tmp_path / "state.db"), open_store(tmp_path / "state.db")
    agent = AgentId("main")
    target = Target("webhook", "room-1", agent_id=agent)
    arrival = Arrival(
        input_id=InputId("run_1"),
        address=LaneAddress(agent, "webhook", "default", "dm", chat="room-1"),
        connection=_ACCOUNT,
        dedupe_key="1",
        sender="alice",
        body=InputBody(Message("user", "hello")),
        decision=Decision(agent, "default"),
        now=1.0,
        due_at=1.0,
        reply_to=target,
    )
    answer = Finish(
        TurnEnded("done", Answer("hi")),
        messages=[Message("user", "hello"), Message("assistant", "hi")],
        deliveries=[NewDelivery(DeliveryId("dlv_1"), target, "hi")],
    )
    late = Finish(answer.ended, answer.messages, [NewDelivery(DeliveryId("dlv_late"), target, "hi")])
    accepted = await stale.accept(arrival, ClaimOffer("old", 1.0, SessionId("ses_1"), "prompt"))
    assert accepted.claim is not None
    assert (await current.accept(arrival)).duplicate
    assert await current.claim(accepted.lane, ClaimOffer("early", 2.0, SessionId("ses_2"), "prompt")) is None
    await current.recover(_REPEATABLE, 3.0)
    claim = await current.claim(accepted.lane, ClaimOffer("new", 3.0, SessionId("ses_3"), "prompt"))
    assert claim is not None
    assert claim.attempt == 2

    async def nothing_goes() -> None:
        old = accepted.claim.fence if accepted.claim else None
        assert old is not None
        with pytest.raises(Fenced):
            await stale.record(old, [Step(1, "tool", "started", "call_1", b"{}")], sync=True)
        with pytest.raises(Fenced):
            await stale.release(old, 4.0)
        with pytest.raises(Fenced):
            await stale.finish(old, late, 4.0)

    await nothing_goes()
    await current.finish(claim.fence, answer, 5.0)
    await nothing_goes()
    taken = (await current.next_delivery(_ACCOUNT, "room-1", 6.0)).delivery
    assert taken is not None
    assert taken.id == "dlv_1"
    await current.recover(_REPEATABLE, 7.0)
    again = (await stale.next_delivery(_ACCOUNT, "room-1", 8.0)).delivery
    assert again is not None
    assert not await current.settle(taken, Settlement("sent"))
    assert await stale.settle(again, Settlement("sent"))
    assert (await current.next_delivery(_ACCOUNT, "room-1", 9.0)).delivery is None
    await stale.close()
    await current.close()
