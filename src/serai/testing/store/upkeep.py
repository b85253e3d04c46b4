"""What a restart finds, and what is forgotten (SPEC 5.6, 7.6, 15)."""

from dataclasses import replace
from typing import ClassVar

import pytest

from serai.core.delivery import NewDelivery
from serai.core.error import Fenced
from serai.core.ids import DeliveryId
from serai.core.turn import Step
from serai.ports.store import Store
from serai.testing.store.stage import CHAT, NOW, OPS, WEB, arrival, begun, claimed, done


class UpkeepContract:
    """What a restart finds, and what is forgotten (SPEC 5.6, 7.6, 15)., one test for each rule."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"webhook"})

    async def test_a_stopped_agent_is_remembered_until_it_is_started(self, store: Store) -> None:
        assert await store.stopped() == frozenset()
        await store.stop_agent(OPS, NOW)
        await store.stop_agent(OPS, NOW + 1)
        assert await store.stopped() == {OPS}
        await store.start_agent(OPS)
        assert await store.stopped() == frozenset()

    async def test_a_restart_finds_what_is_to_be_done(self, store: Store) -> None:
        running = await begun(store, 1)
        waiting = await store.accept(arrival(1, chat="room:2"))
        ended = await begun(store, 1, chat="room:3")
        delivery = NewDelivery(DeliveryId("d1"), replace(CHAT, chat_id="room:3"), "hello")
        await store.finish(ended.fence, replace(done(), deliveries=[delivery]), NOW)
        left = await store.recover(self.repeatable, NOW + 50)
        assert set(left.lanes) == {(OPS, running.lane), (OPS, waiting.lane)}
        assert list(left.chats) == [(WEB, "room:3")]
        assert set((await store.unfinished(NOW + 50)).lanes) == set(left.lanes)

    async def test_a_restart_cancels_calls_whose_caller_is_gone(self, store: Store) -> None:
        running = await begun(store, 1, survives=False)
        waiting = await store.accept(arrival(2, survives=False))
        left = await store.recover(self.repeatable, NOW)
        assert not left.lanes
        for input_id in (running.inputs[0].id, waiting.input_id):
            ended = await store.outcome(input_id)
            assert ended is not None
            assert ended.state == "cancelled"
        with pytest.raises(Fenced):
            await store.finish(running.fence, done(), NOW)

    async def test_what_is_old_is_forgotten_what_is_under_way_is_not(self, store: Store) -> None:
        old = await begun(store, 1)
        await store.record(old.fence, [Step(1, "model", "done")], sync=False)
        await store.finish(old.fence, done(), NOW + 2)
        waiting = await store.accept(arrival(2))
        assert await store.prune(NOW + 100, NOW + 100, NOW + 100) > 0
        assert (await store.look(WEB, "room:1/1", "room:1")).input_id is None
        assert (await store.look(WEB, "room:1/2", "room:1")).input_id == waiting.input_id
        claim = await claimed(store, waiting.lane)
        assert [m.text for m in claim.history] == ["hi", "hello"]
