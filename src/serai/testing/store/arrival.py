"""What comes in: stored once, with its session, for one lane (SPEC 5.1, 11.7)."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.error import Busy
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import Account, AgentId, InputId, SessionId
from serai.core.source import Source
from serai.core.turn import WAITING_MOST
from serai.ports.store import Store
from serai.ports.store.arrival import Idempotency, IdempotencyConflict, SessionTaken
from serai.ports.store.claim import Finish
from serai.ports.store.order import Bind
from serai.testing.store.stage import CHAT, NOW, OPS, WEB, arrival, begun, claimed, done, offer, order


class ArrivalContract:
    """What comes in, one test for each rule."""

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
        await store.finish((await claimed(store, first.lane)).fence, done(), NOW)
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

    async def test_a_full_lane_refuses_and_loses_nothing(self, store: Store) -> None:
        for n in range(WAITING_MOST):
            await store.accept(arrival(n))
        with pytest.raises(Busy):
            await store.accept(arrival(WAITING_MOST))
        assert (await store.accept(arrival(1))).duplicate
        await store.accept(arrival(1, chat="room:2"))

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
