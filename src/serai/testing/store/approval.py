"""What every store must do for approvals (SPEC 6.5), like `StoreContract`."""

from dataclasses import replace

import pytest

from serai.core.approval import Approval, ApprovalChoice
from serai.core.delivery import Button, NewDelivery
from serai.core.error import Fenced
from serai.core.ids import ApprovalId, DeliveryId, LaneId
from serai.core.turn import Claim, Fence
from serai.ports.store import Store
from serai.ports.store.approval import NewApproval, Revoke, Verdict
from serai.ports.store.dispatch import Settlement
from serai.ports.store.order import Reset
from serai.testing.store.stage import CHAT, NOW, OPS, WEB, begun, done, offer, order

NAME = ApprovalId("K7M2PQ9X")
ASKED = NewDelivery(DeliveryId("dlv_asked"), CHAT, "May I?", (Button("Deny", "approval:K7M2PQ9X:deny"),))
LATE = NOW + 600


async def asked(store: Store, name: ApprovalId = NAME) -> Claim:
    """A turn that waits for people."""
    claim = await begun(store)
    new = NewApproval(name, claim.session, 2, "c1", "act", '{"x": 1}', "act on 1", LATE, [ASKED])
    await store.suspend(claim.fence, new, NOW)
    return claim


async def again(store: Store, lane: LaneId, now: float = NOW + 1) -> Claim | None:
    return await store.claim(lane, offer("t_again", now))


def verdict(choice: ApprovalChoice, outcome: str | None = None) -> Verdict:
    return Verdict(NAME, choice, "webhook:ada", NOW + 1, outcome)


async def the_approval(store: Store) -> Approval:
    found = await store.approval(NAME)
    assert found is not None
    return found


class ApprovalContract:
    """Questions, answers, and turns that wait."""

    async def test_a_turn_that_asks_waits_until_the_time_is_over(self, store: Store) -> None:
        claim = await asked(store)
        assert await again(store, claim.lane) is None
        with pytest.raises(Fenced):
            await store.record(claim.fence, [], sync=False)
        late = await again(store, claim.lane, LATE)
        assert late is not None
        assert (late.fence.turn, late.attempt) == (claim.fence.turn, 1)

    async def test_a_question_is_kept_with_all_that_belongs_to_it(self, store: Store) -> None:
        claim = await asked(store)
        found = await the_approval(store)
        assert (found.run, found.agent, found.lane, found.session) == (
            claim.inputs[0].id,
            OPS,
            claim.lane,
            claim.session,
        )
        assert (found.step, found.call_id, found.tool, found.arguments) == (2, "c1", "act", '{"x": 1}')
        assert (found.question, found.connection, found.chat) == ("act on 1", WEB, "room:1")
        assert (found.expires_at, found.waits, found.state) == (LATE, True, "open")
        assert found.senders == {"alice"}
        assert [one.id for one in await store.approvals(chat=(WEB, "room:1"))] == [NAME]
        assert [one.id for one in await store.approvals(run=claim.inputs[0].id)] == [NAME]
        assert await store.approvals(chat=(WEB, "room:2")) == []
        sent = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert sent is not None
        assert (sent.text, sent.buttons) == ("May I?", ASKED.buttons)

    async def test_an_answer_lets_the_turn_go_on_at_once_and_counts_once(self, store: Store) -> None:
        claim = await asked(store)
        assert await store.decide(verdict("once"))
        assert not await store.decide(verdict("deny"))
        found = await the_approval(store)
        assert (found.state, found.by) == ("once", "webhook:ada")
        assert await store.approvals(chat=(WEB, "room:1")) == []
        resumed = await again(store, claim.lane)
        assert resumed is not None
        standing = await store.standing(resumed, 2, "act")
        assert standing.approval is not None
        assert standing.approval.state == "once"
        other = await store.standing(resumed, 3, "act")
        assert (other.approval, other.allowed) == (None, False)

    @pytest.mark.parametrize("choice", ["session", "always"])
    async def test_what_is_allowed_for_longer_is_remembered(self, store: Store, choice: ApprovalChoice) -> None:
        claim = await asked(store)
        await store.decide(verdict(choice))
        resumed = await again(store, claim.lane)
        assert resumed is not None
        assert (await store.standing(resumed, 3, "act")).allowed
        assert not (await store.standing(resumed, 3, "other")).allowed
        elsewhere = replace(resumed, session=offer("elsewhere").new_session)
        assert (await store.standing(elsewhere, 3, "act")).allowed is (choice == "always")
        assert list(await store.allowances(OPS)) == (["act"] if choice == "always" else [])
        await store.order(order(1, Revoke(OPS, "act")))
        assert not (await store.standing(resumed, 3, "act")).allowed

    async def test_a_command_answers_in_one_transaction(self, store: Store) -> None:
        claim = await asked(store)
        await store.order(order(1, verdict("deny")))
        assert (await the_approval(store)).state == "deny"
        assert await again(store, claim.lane) is not None

    async def test_the_message_that_asked_tells_the_outcome_where_it_can_be_changed(self, store: Store) -> None:
        await asked(store)
        question = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert question is not None
        await store.settle(question, Settlement("sent", remote_id="r1"))
        await store.decide(verdict("deny", "Denied."))
        changed = (await store.next_delivery(WEB, "room:1", NOW + 1)).delivery
        assert changed is not None
        assert (changed.id, changed.text, changed.buttons, changed.remote_id) == (ASKED.id, "Denied.", (), "r1")

    async def test_a_turn_that_waits_can_be_stopped(self, store: Store) -> None:
        claim = await asked(store)
        assert await store.stop_waiting("stopped", NOW + 1, lane=claim.lane) == (OPS, claim.lane)
        assert not (await the_approval(store)).waits
        resumed = await again(store, claim.lane)
        assert resumed is not None
        assert resumed.stop == "stopped"
        assert await store.stop_waiting("stopped", NOW + 1, lane=claim.lane) is None

    async def test_a_turn_that_waits_can_be_stopped_by_its_message(self, store: Store) -> None:
        claim = await asked(store)
        assert await store.stop_waiting("stopped", NOW + 1, run=offer().new_session) is None  # type: ignore[arg-type]
        assert await store.stop_waiting("stopped", NOW + 1, run=claim.inputs[0].id) == (OPS, claim.lane)

    async def test_a_running_turn_does_not_wait(self, store: Store) -> None:
        claim = await begun(store)
        assert await store.stop_waiting("stopped", NOW, lane=claim.lane) is None

    async def test_a_command_stops_a_turn_that_waits(self, store: Store) -> None:
        claim = await asked(store)
        await store.order(order(1, Reset("it was stopped")))
        resumed = await again(store, claim.lane)
        assert resumed is not None
        assert resumed.stop == "it was stopped"

    async def test_a_turn_that_waits_survives_a_crash(self, store: Store) -> None:
        claim = await asked(store)
        await store.recover(frozenset(), NOW + 1)
        assert await again(store, claim.lane) is None
        await store.decide(verdict("once"))
        resumed = await again(store, claim.lane)
        assert resumed is not None
        assert resumed.attempt == 1, "it did not die"

    async def test_a_replaced_worker_asks_nobody(self, store: Store) -> None:
        claim = await begun(store)
        new = NewApproval(NAME, claim.session, 2, "c1", "act", "{}", "act", LATE, [ASKED])
        with pytest.raises(Fenced):
            await store.suspend(Fence(claim.fence.turn, "another"), new, NOW)
        assert await store.approval(NAME) is None
        assert (await store.next_delivery(WEB, "room:1", NOW)).delivery is None

    async def test_an_approval_of_a_turn_that_has_ended_is_not_waited_for(self, store: Store) -> None:
        claim = await asked(store)
        await store.stop_waiting("stopped", NOW + 1, lane=claim.lane)
        resumed = await again(store, claim.lane)
        assert resumed is not None
        await store.finish(resumed.fence, done(), NOW + 2)
        found = await the_approval(store)
        assert (found.waits, found.senders) == (False, frozenset())
        await store.prune(NOW + 10, NOW + 10, NOW + 10)
        assert await store.approval(NAME) is None
