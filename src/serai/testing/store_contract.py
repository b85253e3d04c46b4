"""What every store must do, as a pytest suite: subclass, and give it a fixture `store`.

class TestSqlite(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path): ...
"""

import asyncio
from dataclasses import replace
from typing import ClassVar

import pytest

from serai.core.decision import Decision
from serai.core.delivery import NewDelivery, Target
from serai.core.error import Busy, Fenced
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import Account, AgentId, DeliveryId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Answer, InputBody, Message, Usage
from serai.core.source import Source
from serai.core.turn import WAITING_MOST, Claim, Step
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival, Idempotency, IdempotencyConflict, SessionTaken
from serai.ports.store.claim import ClaimOffer, Finish
from serai.ports.store.dispatch import Settlement
from serai.ports.store.order import Bind, Effect, Order

OPS = AgentId("ops")
WEB = Account("webhook", "work")
CHAT = Target("webhook", "room:1", account="work", agent_id=OPS)
NOW = 1_000_000.0


def arrival(number: int, chat: str = "room:1", **changes: object) -> Arrival:
    """A message of one chat; `number` makes it unique."""
    made = Arrival(
        input_id=InputId(f"run_{chat}_{number}"),
        address=LaneAddress(OPS, "webhook", "work", "group", chat=chat),
        connection=WEB,
        dedupe_key=f"{chat}/{number}",
        sender="alice",
        body=InputBody(Message("user", f"message {number}"), options={"seed": number}),
        decision=Decision(OPS, "route", route=2, line=14),
        now=NOW + number,
        due_at=NOW + number,
        reply_to=replace(CHAT, chat_id=chat),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def offer(token: str = "t1", now: float = NOW + 1000, **changes: object) -> ClaimOffer:
    made = ClaimOffer(token, now, SessionId(f"ses_{token}"), prompt="You are Ops.", config="rev")
    return replace(made, **changes)  # type: ignore[arg-type]


def done(text: str = "hello") -> Finish:
    return Finish(
        TurnEnded("done", Answer(text, Usage(3, 5), "m", "stop")),
        messages=[Message("user", "hi"), Message("assistant", text)],
    )


def order(number: int, effect: Effect = None, **changes: object) -> Order:
    """A command typed in room 1, which is answered `done`."""
    made = Order(
        connection=WEB,
        dedupe_key=f"cmd/{number}",
        sender="alice",
        text="/command",
        now=NOW,
        address=arrival(1).address,
        effect=effect,
        new_session=SessionId(f"ses_of_command_{number}"),
        deliveries=[NewDelivery(DeliveryId(f"dlv_cmd_{number}"), CHAT, "done")],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def begun(store: Store, number: int = 1, **changes: object) -> Claim:
    """A claimed turn of a fresh message."""
    accepted = await store.accept(arrival(number, **changes))  # type: ignore[arg-type]
    claim = await store.claim(accepted.lane, offer(f"t_{accepted.input_id}"))
    assert claim is not None
    return claim


class StoreContract:
    """The rules of SPEC 5, one test each."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"webhook"})

    async def test_an_accepted_message_is_claimed_with_all_that_was_said_about_it(self, store: Store) -> None:
        accepted = await store.accept(arrival(1))
        claim = await store.claim(accepted.lane, offer())
        assert claim is not None
        assert claim.agent == OPS
        assert claim.address == arrival(1).address
        assert claim.attempt == 1
        assert claim.session_is_new
        assert claim.prompt == "You are Ops."
        assert claim.history == ()
        one = claim.inputs[0]
        assert (one.id, one.body, one.decision) == (arrival(1).input_id, arrival(1).body, arrival(1).decision)
        assert (one.sender, one.reply_to, one.received_at) == ("alice", CHAT, NOW + 1)

    async def test_a_second_copy_of_a_message_is_a_no_op(self, store: Store) -> None:
        first = await store.accept(arrival(1))
        again = await store.accept(arrival(1, input_id=InputId("other")))
        assert again.duplicate
        assert again.input_id == first.input_id
        await store.finish((await self._claimed(store, first.lane)).fence, done(), NOW)
        assert await store.claim(first.lane, offer("t2")) is None

    async def test_copies_that_come_at_once_make_one_input(self, store: Store) -> None:
        copies = [store.accept(arrival(1, input_id=InputId(f"copy{n}"))) for n in range(20)]
        accepted = await asyncio.gather(*copies)
        assert sum(not one.duplicate for one in accepted) == 1
        assert len({one.input_id for one in accepted}) == 1

    async def test_a_dropped_message_is_known_and_nothing_comes_of_it(self, store: Store) -> None:
        accepted = await store.accept(arrival(1, dropped="dropped by the plugin `spam`"), offer())
        assert (accepted.duplicate, accepted.claim) == (False, None)
        assert await store.claim(accepted.lane, offer()) is None
        assert (await store.unfinished(NOW + 1000)).lanes == []
        ended = await store.outcome(accepted.input_id)
        assert ended is not None
        assert ended.fault is not None
        assert (ended.state, ended.fault.text) == ("cancelled", "dropped by the plugin `spam`")
        again = await store.accept(arrival(1, input_id=InputId("again")))
        assert (again.input_id, again.duplicate) == (accepted.input_id, True)
        assert await store.prune(NOW + 1000, NOW, NOW + 1000) == 1

    async def test_the_source_of_a_message_is_kept_where_it_is_given(self, store: Store) -> None:
        source = Source("webhook", "work", chat_id="room:1", roles=("r1", "r2"), user_name="Ada")
        claim = await begun(store, 1, source=source)
        assert claim.inputs[0].source == source
        await store.finish(claim.fence, done(), NOW + 2)
        at_once = await store.accept(arrival(3, source=source), offer("t3"))
        assert at_once.claim is not None
        assert at_once.claim.inputs[0].source == source
        await store.finish(at_once.claim.fence, done(), NOW + 4)
        assert (await begun(store, 5)).inputs[0].source is None

    async def test_the_same_key_on_another_account_is_another_message(self, store: Store) -> None:
        await store.accept(arrival(1))
        other = await store.accept(arrival(1, connection=Account("webhook", "home"), input_id=InputId("other")))
        assert not other.duplicate

    async def test_a_known_message_is_found_before_it_is_routed(self, store: Store) -> None:
        accepted = await store.accept(arrival(1))
        known = await store.look(WEB, "room:1/1", "room:1")
        assert (known.input_id, known.binding) == (accepted.input_id, None)
        assert (await store.look(WEB, "room:1/2", "room:1")).input_id is None

    async def test_a_binding_holds_until_it_is_removed(self, store: Store) -> None:
        await store.order(order(1, Bind("room:1", OPS)))
        assert (await store.look(WEB, "x", "room:1")).binding == OPS
        await store.order(order(2, Bind("room:1", None)))
        assert (await store.look(WEB, "x", "room:1")).binding is None

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

    async def test_a_full_lane_refuses_and_loses_nothing(self, store: Store) -> None:
        for n in range(WAITING_MOST):
            await store.accept(arrival(n))
        with pytest.raises(Busy):
            await store.accept(arrival(WAITING_MOST))
        assert (await store.accept(arrival(1))).duplicate
        await store.accept(arrival(1, chat="room:2"))

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

    async def test_a_session_that_a_client_names_is_kept_whatever_its_age(self, store: Store) -> None:
        named = {"session": SessionId("mine"), "owner": "key"}
        claim = await begun(store, 1, **named)
        assert claim.session == "mine"
        await store.finish(claim.fence, done(), NOW + 2)
        await store.accept(arrival(3, **named))
        second = await store.claim(claim.lane, offer("t3", reset_before=NOW + 999))
        assert second is not None
        assert second.session == "mine"

    async def test_a_session_belongs_to_its_key_and_lane(self, store: Store) -> None:
        await store.accept(arrival(1, session=SessionId("mine"), owner="key"))
        with pytest.raises(SessionTaken):
            await store.accept(arrival(2, session=SessionId("mine"), owner="thief"))
        with pytest.raises(SessionTaken):
            await store.accept(arrival(3, chat="room:2", session=SessionId("mine"), owner="key"))
        holder = await store.holder(SessionId("mine"))
        assert holder is not None
        assert (holder.owner, holder.agent) == ("key", OPS)
        assert await store.holder(SessionId("other")) is None

    async def test_an_input_made_alone_has_its_own_lane_and_session(self, store: Store) -> None:
        alone = {"alone": True, "dedupe_key": None, "owner": "key"}
        accepted = await store.accept(arrival(1, "run_1", session=SessionId("ses_1"), **alone), offer())
        assert accepted.claim is not None
        assert accepted.claim.session == "ses_1"
        waiting = await store.accept(arrival(2, "run_2", session=SessionId("ses_2"), **alone))
        assert waiting.claim is None
        claim = await store.claim(waiting.lane, offer("t2"))
        assert claim is not None
        assert claim.session == "ses_2"

    async def test_a_repeated_request_finds_its_input(self, store: Store) -> None:
        same = Idempotency("key", "idem-1", "route", "body", NOW + 100)
        accepted = await store.accept(arrival(1, idempotency=same))
        again = await store.accept(arrival(2, idempotency=same))
        assert (again.duplicate, again.input_id) == (True, accepted.input_id)
        found = await store.idempotent(same, NOW)
        assert found is not None
        assert (found.input_id, found.agent) == (accepted.input_id, OPS)
        with pytest.raises(IdempotencyConflict):
            await store.idempotent(replace(same, body_digest="other"), NOW)
        with pytest.raises(IdempotencyConflict):
            await store.accept(arrival(3, idempotency=replace(same, body_digest="other")))
        assert await store.idempotent(replace(same, principal="other"), NOW) is None
        assert await store.idempotent(replace(same, route_digest="other"), NOW) is None
        assert await store.idempotent(same, NOW + 100) is None

    async def test_a_failure_that_may_pass_is_not_kept_as_the_answer_to_a_repeated_request(
        self, store: Store
    ) -> None:
        for number, (status, kept) in enumerate([(502, False), (429, False), (403, True)], start=1):
            same = Idempotency("key", f"idem-{number}", "route", "body", NOW + 100)
            claim = await begun(store, number, chat=f"room:{number}", idempotency=same)
            end = TurnEnded("failed", fault=TurnFault("no", status))
            await store.finish(claim.fence, Finish(end), NOW)
            assert (await store.idempotent(same, NOW) is not None) is kept

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
        claim = await self._claimed(store, first.lane)
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

    async def test_what_waits_for_an_agent_is_refused_and_told_once_for_each_chat(self, store: Store) -> None:
        running = await begun(store, 1)
        waiting = [
            await store.accept(arrival(number, reply_to=replace(CHAT, reply_to=(f"m{number}",)))) for number in (2, 3)
        ]
        call = await store.accept(arrival(4, reply_to=None, idempotency=Idempotency("k", "i", "r", "b", NOW + 9000)))
        other = await store.accept(arrival(5, address=replace(arrival(5).address, agent=AgentId("main"))))
        refused = await store.refuse(OPS, "ops is gone", "Sorry.", NOW)
        assert list(refused.inputs) == [*(one.input_id for one in waiting), call.input_id]
        assert list(refused.told) == [replace(CHAT, agent_id=None, reply_to=("m2", "m3"))]
        for input_id in refused.inputs:
            ended = await store.outcome(input_id)
            assert ended is not None
            assert ended.fault == TurnFault("ops is gone", 403, "agent_refused")
        sent = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert sent is not None
        assert (sent.text, sent.agent, sent.target) == ("Sorry.", "", refused.told[0])
        assert await store.outcome(running.inputs[0].id) is None
        assert await store.outcome(other.input_id) is None
        assert await store.idempotent(Idempotency("k", "i", "r", "b", NOW + 9000), NOW) is None
        assert not (await store.refuse(OPS, "ops is gone", "Sorry.", NOW)).inputs

    async def test_a_stopped_agent_is_remembered_until_it_is_started(self, store: Store) -> None:
        assert await store.stopped() == frozenset()
        await store.stop_agent(OPS, NOW)
        await store.stop_agent(OPS, NOW + 1)
        assert await store.stopped() == {OPS}
        await store.start_agent(OPS)
        assert await store.stopped() == frozenset()

    async def test_a_connection_owes_while_something_is_unanswered_or_unsent(self, store: Store) -> None:
        assert not await store.owes(WEB)
        await self._deliver(store, "one")
        assert await store.owes(WEB)
        assert not await store.owes(Account("webhook"))
        sent = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert sent is not None
        await store.settle(sent, Settlement("sent"))
        assert not await store.owes(WEB)
        await store.accept(arrival(2))
        assert await store.owes(WEB)

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

    async def test_deliveries_of_a_chat_are_taken_in_order_one_at_a_time(self, store: Store) -> None:
        await self._deliver(store, "one", "two")
        first = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert first is not None
        assert (first.text, first.attempt, first.state, first.target) == ("one", 1, "sending", CHAT)
        assert (await store.next_delivery(WEB, "room:1", NOW)).delivery is None
        assert await store.settle(first, Settlement("sent", remote_id="r1"))
        second = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert second is not None
        assert second.text == "two"
        assert (await store.next_delivery(WEB, "room:2", NOW)).delivery is None

    async def test_a_delivery_that_is_tried_again_keeps_its_place(self, store: Store) -> None:
        await self._deliver(store, "one", "two")
        first = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert first is not None
        await store.settle(first, Settlement("new", error="busy", due_at=NOW + 30))
        assert (await store.next_delivery(WEB, "room:1", NOW + 29)).due_at == NOW + 30
        again = (await store.next_delivery(WEB, "room:1", NOW + 30)).delivery
        assert again is not None
        assert (again.id, again.attempt, again.error) == (first.id, 2, "busy")
        assert not await store.settle(first, Settlement("sent"))

    async def test_a_dead_delivery_holds_up_nobody_and_can_be_retried(self, store: Store) -> None:
        await self._deliver(store, "one", "two")
        first = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert first is not None
        await store.settle(first, Settlement("dead", error="chat is gone"))
        second = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert second is not None
        assert second.text == "two"
        assert await store.retry(second.id, NOW) is None
        retried = await store.retry(first.id, NOW)
        assert retried is not None
        assert retried.state == "new"

    async def test_an_interrupted_send_is_repeated_only_where_the_platform_knows_its_key(self, store: Store) -> None:
        await self._deliver(store, "one", "two")
        await store.next_delivery(WEB, "room:1", NOW)
        await store.recover(frozenset({"webhook"}), NOW)
        again = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert again is not None
        assert (again.text, again.attempt) == ("one", 2)
        await store.recover(frozenset(), NOW)
        following = await store.next_delivery(WEB, "room:1", NOW)
        assert following.delivery is not None
        assert (following.delivery.text, following.held) == ("two", 1)

    async def test_a_held_delivery_is_announced_once(self, store: Store) -> None:
        await self._deliver(store, "one", "two", "three")
        for expected in (0, 1, 1):
            found = await store.next_delivery(WEB, "room:1", NOW)
            assert found.delivery is not None
            assert found.held == expected
            await store.settle(found.delivery, Settlement("unknown", error="timeout"))

    async def test_what_is_old_is_forgotten_what_is_under_way_is_not(self, store: Store) -> None:
        old = await begun(store, 1)
        await store.record(old.fence, [Step(1, "model", "done")], sync=False)
        await store.finish(old.fence, done(), NOW + 2)
        waiting = await store.accept(arrival(2))
        assert await store.prune(NOW + 100, NOW + 100, NOW + 100) > 0
        assert (await store.look(WEB, "room:1/1", "room:1")).input_id is None
        assert (await store.look(WEB, "room:1/2", "room:1")).input_id == waiting.input_id
        claim = await self._claimed(store, waiting.lane)
        assert [m.text for m in claim.history] == ["hi", "hello"]

    async def _claimed(self, store: Store, lane: LaneId) -> Claim:
        claim = await store.claim(lane, offer("claimed"))
        assert claim is not None
        return claim

    async def _deliver(self, store: Store, *texts: str) -> None:
        claim = await begun(store, 1)
        deliveries = [NewDelivery(DeliveryId(f"d_{text}"), CHAT, text) for text in texts]
        await store.finish(claim.fence, replace(done(), deliveries=deliveries), NOW)
