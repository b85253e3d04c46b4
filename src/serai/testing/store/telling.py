"""What every store must do for answers that are told while they are written (SPEC 5.7), like `StoreContract`."""

from dataclasses import replace

import pytest

from serai.core.delivery import Button, Delivery, Enclosure, NewDelivery, Sealed
from serai.core.error import Fenced
from serai.core.ids import DeliveryId
from serai.core.turn import Claim, Fence
from serai.ports.store import Store
from serai.ports.store.dispatch import Settlement
from serai.ports.store.order import Reset
from serai.testing.store.stage import CHAT, NOW, WEB, begun, done, offer, order

GROWN = DeliveryId("dlv_grown")


async def opened(store: Store, *, remote_id: str | None = "r1") -> Claim:
    """A turn that has told the beginning of its answer."""
    claim = await begun(store)
    await store.tell(claim.fence, NewDelivery(GROWN, CHAT, "Once"), 0, NOW, grows=True)
    if remote_id is not None:
        await store.placed(claim.fence, GROWN, remote_id)
    return claim


async def taken(store: Store, now: float = NOW + 1) -> Delivery | None:
    """What is to be sent next in the room."""
    return (await store.next_delivery(WEB, "room:1", now)).delivery


class TellingContract:
    """Open deliveries, and how they end."""

    async def test_an_open_delivery_is_not_sent_and_holds_up_nobody(self, store: Store) -> None:
        await opened(store)
        assert await taken(store) is None
        await store.order(order(1))
        answer = await taken(store)
        assert answer is not None
        assert answer.text == "done"

    async def test_the_end_of_a_turn_seals_what_was_told_of_its_answer(self, store: Store) -> None:
        claim = await opened(store)
        more = NewDelivery(DeliveryId("dlv_more"), CHAT, "The end.")
        finish = replace(done(), sealed=[Sealed(GROWN, "Once upon a time")], deliveries=[more])
        await store.finish(claim.fence, finish, NOW)
        first = await taken(store)
        assert first is not None
        assert (first.id, first.text, first.remote_id, first.call) == (GROWN, "Once upon a time", "r1", 0)
        assert await store.settle(first, Settlement("sent"))
        second = await taken(store)
        assert second is not None
        assert (second.id, second.text, second.remote_id, second.call) == ("dlv_more", "The end.", None, None)

    async def test_a_piece_is_sealed_while_the_turn_runs(self, store: Store) -> None:
        claim = await opened(store)
        await store.seal(claim.fence, Sealed(GROWN, "Once upon a time"), NOW)
        piece = await taken(store)
        assert piece is not None
        assert (piece.text, piece.remote_id) == ("Once upon a time", "r1")

    @pytest.mark.parametrize("state", ["sending", "sent"])
    async def test_what_was_sealed_is_changed_again_only_where_its_text_is_another_one(
        self, store: Store, state: str
    ) -> None:
        claim = await opened(store)
        await store.seal(claim.fence, Sealed(GROWN, "Once"), NOW)
        piece = await taken(store)
        assert piece is not None
        if state == "sent":
            await store.settle(piece, Settlement("sent"))
        await store.seal(claim.fence, Sealed(GROWN, "Once"), NOW)
        assert await taken(store) is None
        await store.finish(claim.fence, replace(done(), sealed=[Sealed(GROWN, "Twice")]), NOW)
        assert await store.settle(piece, Settlement("sent")) is False, "what was sent is not what is to be seen"
        again = await taken(store)
        assert again is not None
        assert (again.text, again.remote_id) == ("Twice", "r1")

    async def test_a_part_is_to_be_sent_at_once(self, store: Store) -> None:
        claim = await begun(store)
        await store.tell(claim.fence, NewDelivery(DeliveryId("dlv_part"), CHAT, "One."), 3, NOW, grows=False)
        part = await taken(store)
        assert part is not None
        assert (part.text, part.call) == ("One.", 3)

    async def test_a_turn_that_goes_on_knows_what_it_has_told(self, store: Store) -> None:
        claim = await opened(store)
        await store.tell(claim.fence, NewDelivery(DeliveryId("dlv_2"), CHAT, "More"), 1, NOW, grows=True)
        await store.recover(frozenset(), NOW)
        again = await store.claim(claim.lane, offer("t2"))
        assert again is not None
        told = [(one.id, one.call, one.remote_id, one.state) for one in again.told]
        assert told == [(GROWN, 0, "r1", "open"), ("dlv_2", 1, None, "open")]
        assert claim.told == ()

    async def test_a_replaced_worker_tells_nothing(self, store: Store) -> None:
        claim = await opened(store)
        old = Fence(claim.fence.turn, "another")
        with pytest.raises(Fenced):
            await store.tell(old, NewDelivery(DeliveryId("dlv_late"), CHAT, "late"), 0, NOW, grows=False)
        with pytest.raises(Fenced):
            await store.placed(old, GROWN, "r9")
        with pytest.raises(Fenced):
            await store.seal(old, Sealed(GROWN, "late"), NOW)
        assert await taken(store) is None

    async def test_an_edit_whose_outcome_is_unknown_after_a_crash_is_repeated(self, store: Store) -> None:
        claim = await opened(store)
        await store.finish(claim.fence, replace(done(), sealed=[Sealed(GROWN, "The end.")]), NOW)
        assert await taken(store) is not None
        await store.recover(frozenset(), NOW)
        again = await taken(store)
        assert again is not None
        assert (again.text, again.remote_id, again.attempt) == ("The end.", "r1", 2)

    @pytest.mark.parametrize(("remote_id", "retried"), [("r1", False), (None, True)])
    async def test_what_a_stopped_turn_has_told_stays_as_it_is_after_a_crash(
        self, store: Store, remote_id: str | None, retried: bool
    ) -> None:
        """It counts as sent, and as dead where nobody knows whether it was there."""
        await opened(store, remote_id=remote_id)
        await store.order(order(1, Reset("it was stopped")))
        await store.recover(frozenset(), NOW)
        answer = await taken(store)
        assert answer is not None
        assert answer.text == "done"
        assert await store.settle(answer, Settlement("sent"))
        assert await taken(store) is None
        assert (await store.retry(GROWN, NOW) is not None) is retried

    async def test_a_message_that_cannot_be_changed_becomes_another_one(self, store: Store) -> None:
        claim = await opened(store)
        await store.finish(claim.fence, replace(done(), sealed=[Sealed(GROWN, "The end.")]), NOW)
        edit = await taken(store)
        assert edit is not None
        other = DeliveryId("dlv_other")
        assert await store.settle(edit, Settlement("new", error="too old", due_at=NOW, anew=other))
        new = await taken(store)
        assert new is not None
        assert (new.id, new.text, new.remote_id, new.call) == (other, "The end.", None, None)
        assert await store.settle(edit, Settlement("sent")) is False

    async def test_buttons_and_files_come_through(self, store: Store) -> None:
        claim = await begun(store)
        buttons = (Button("Allow", "a:1"), Button("Deny", "d:1"))
        enclosure = Enclosure("/home/plan.pdf", "plan.pdf", "application/pdf")
        new = NewDelivery(DeliveryId("dlv_1"), CHAT, "See there.", buttons, enclosure)
        await store.finish(claim.fence, replace(done(), deliveries=[new]), NOW)
        sent = await taken(store)
        assert sent is not None
        assert (sent.buttons, sent.enclosure) == (buttons, enclosure)
