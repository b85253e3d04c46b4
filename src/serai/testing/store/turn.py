"""Turns: one at a time in a lane, fenced, going on from what is recorded (SPEC 5.2 to 5.4)."""

from dataclasses import replace
from typing import ClassVar

import pytest

from serai.core.delivery import NewDelivery
from serai.core.error import Fenced
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import DeliveryId, InputId
from serai.core.turn import Step
from serai.ports.store import Store
from serai.ports.store.claim import Finish
from serai.testing.store.stage import CHAT, NOW, WEB, arrival, begun, claimed, done, offer


class TurnContract:
    """Turns, one test for each rule."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"webhook"})

    async def test_inputs_of_a_lane_run_one_after_another_in_order_of_arrival(self, store: Store) -> None:
        lanes = {(await store.accept(arrival(n))).lane for n in range(1, 5)}
        assert len(lanes) == 1
        lane = lanes.pop()
        seen = []
        for n in range(1, 5):
            claim = await store.claim(lane, offer(f"t{n}"))
            assert claim is not None
            assert await store.claim(lane, offer("greedy")) is None
            seen += [one.body.message.text for one in claim.inputs]
            assert (await store.finish(claim.fence, done(), NOW + n)).more is (n < 4)
        assert seen == [f"message {n}" for n in range(1, 5)]

    async def test_a_message_may_be_claimed_as_it_is_accepted(self, store: Store) -> None:
        accepted = await store.accept(arrival(1), offer("t1"))
        assert accepted.claim is not None
        later = await store.accept(arrival(2), offer("t2"))
        assert later.claim is None
        assert (await store.finish(accepted.claim.fence, done("one"), NOW + 10)).more is True
        claim = await store.claim(accepted.lane, offer("t3"))
        assert claim is not None
        assert [m.text for m in claim.history] == ["hi", "one"]

    async def test_an_offer_never_overtakes_one_who_waits(self, store: Store) -> None:
        await store.accept(arrival(1))
        assert (await store.accept(arrival(2), offer("t2"))).claim is None

    async def test_a_message_that_is_not_due_is_not_claimed(self, store: Store) -> None:
        accepted = await store.accept(arrival(1, due_at=NOW + 60), offer("t0", now=NOW))
        assert accepted.claim is None
        assert await store.claim(accepted.lane, offer(now=NOW + 59)) is None
        assert await store.claim(accepted.lane, offer(now=NOW + 60)) is not None

    async def test_history_grows_and_is_given_only_as_far_as_it_is_not_known(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.finish(claim.fence, done("first"), NOW + 2)
        second = await begun(store, 3)
        assert [m.text for m in second.history] == ["hi", "first"]
        assert not second.session_is_new
        await store.finish(second.fence, done("second"), NOW + 4)
        await store.accept(arrival(5))
        third = await store.claim(second.lane, offer("t5", known_session=second.session, known=2))
        assert third is not None
        assert third.history_from == 2
        assert [m.text for m in third.history] == ["hi", "second"]

    async def test_the_prompt_of_a_session_is_the_one_it_began_with(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.finish(claim.fence, done(), NOW + 2)
        await store.accept(arrival(3))
        second = await store.claim(claim.lane, offer("t3", prompt="You are another."))
        assert second is not None
        assert second.prompt == "You are Ops."

    async def test_a_session_past_its_time_is_closed_and_a_fresh_one_begins(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.finish(claim.fence, done(), NOW + 2)
        await store.accept(arrival(3))
        second = await store.claim(claim.lane, offer("t3", reset_before=NOW + 3))
        assert second is not None
        assert second.session != claim.session
        assert second.replaced == claim.session
        assert second.history == ()
        assert claim.replaced is None

    async def test_how_a_turn_ended_is_kept(self, store: Store) -> None:
        claim = await begun(store, 1)
        assert await store.outcome(claim.inputs[0].id) is None
        end = TurnEnded("failed", fault=TurnFault("upstream refused", 502, "upstream_error", 3.0))
        await store.finish(claim.fence, Finish(end), NOW)
        assert await store.outcome(claim.inputs[0].id) == end
        with pytest.raises(KeyError):
            await store.outcome(InputId("nobody"))

    async def test_a_waiting_input_can_be_cancelled_a_started_one_cannot(self, store: Store) -> None:
        first = await store.accept(arrival(1))
        second = await store.accept(arrival(2))
        claim = await claimed(store, first.lane)
        assert not await store.cancel(first.input_id, "too late")
        assert await store.cancel(second.input_id, "gone")
        assert (await store.finish(claim.fence, done(), NOW)).more is False
        ended = await store.outcome(second.input_id)
        assert ended is not None
        assert (ended.state, ended.fault and ended.fault.text) == ("cancelled", "gone")

    async def test_a_turn_goes_on_from_its_recorded_steps(self, store: Store) -> None:
        claim = await begun(store, 1)
        steps = [
            Step(1, "model", "done", result=b"{}"),
            Step(2, "tool", "started", "call-a", b'"a"'),
            Step(3, "tool", "started", "call-b", b'"b"', idempotent=True),
            Step(4, "tool", "started", "call-c", b'"c"'),
        ]
        await store.record(claim.fence, steps, sync=True)
        ended = Step(2, "tool", "done", "call-a", b'"a"', b"result")
        await store.record(claim.fence, [ended], sync=False)
        await store.recover(self.repeatable, NOW + 50)
        again = await store.claim(claim.lane, offer("t2"))
        assert again is not None
        assert again.attempt == 2
        assert again.fence.turn == claim.fence.turn
        assert again.inputs == claim.inputs
        assert again.prompt == claim.prompt
        assert again.steps == (steps[0], ended, steps[2], replace(steps[3], state="interrupted"))

    async def test_a_replaced_worker_can_neither_record_nor_finish_nor_release(self, store: Store) -> None:
        stale = (await begun(store, 1)).fence
        await store.recover(self.repeatable, NOW + 50)
        current = await store.claim((await store.accept(arrival(2))).lane, offer("t2"))
        assert current is not None
        with pytest.raises(Fenced):
            await store.record(stale, [Step(1, "tool", "started", "call")], sync=True)
        with pytest.raises(Fenced):
            await store.release(stale, NOW)
        late = Finish(done("late").ended, deliveries=[NewDelivery(DeliveryId("late"), CHAT, "late")])
        with pytest.raises(Fenced):
            await store.finish(stale, late, NOW)
        assert (await store.next_delivery(WEB, "room:1", NOW + 99)).delivery is None
        assert (await store.finish(current.fence, done("kept"), NOW)).more is True
        with pytest.raises(Fenced):
            await store.finish(current.fence, done("twice"), NOW)

    async def test_a_released_turn_is_resumed_when_due_and_has_not_died(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.release(claim.fence, NOW + 500)
        assert await store.claim(claim.lane, offer("t2", now=NOW + 499)) is None
        again = await store.claim(claim.lane, offer("t3", now=NOW + 500))
        assert again is not None
        assert again.attempt == 1

    async def test_a_released_turn_does_not_repeat_a_call_that_was_cut_off(self, store: Store) -> None:
        claim = await begun(store, 1)
        calls = [Step(1, "tool", "started", "a"), Step(2, "tool", "started", "b", idempotent=True)]
        await store.record(claim.fence, calls, sync=True)
        await store.release(claim.fence, NOW)
        again = await store.claim(claim.lane, offer("t2"))
        assert again is not None
        assert [step.state for step in again.steps] == ["interrupted", "started"]
