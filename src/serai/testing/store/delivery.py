"""What is to be sent: in order per chat, repeated only where that is safe (SPEC 5.5)."""

from dataclasses import replace

from serai.core.delivery import NewDelivery
from serai.core.ids import Account, DeliveryId
from serai.ports.store import Store
from serai.ports.store.dispatch import Settlement
from serai.testing.store.stage import CHAT, NOW, WEB, arrival, begun, done


class DeliveryContract:
    """What is to be sent, one test for each rule."""

    async def test_a_connection_owes_while_something_is_unanswered_or_unsent(self, store: Store) -> None:
        assert not await store.owes(WEB)
        await _deliver(store, "one")
        assert await store.owes(WEB)
        assert not await store.owes(Account("webhook"))
        sent = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert sent is not None
        await store.settle(sent, Settlement("sent"))
        assert not await store.owes(WEB)
        await store.accept(arrival(2))
        assert await store.owes(WEB)

    async def test_deliveries_of_a_chat_are_taken_in_order_one_at_a_time(self, store: Store) -> None:
        await _deliver(store, "one", "two")
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
        await _deliver(store, "one", "two")
        first = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert first is not None
        await store.settle(first, Settlement("new", error="busy", due_at=NOW + 30))
        assert (await store.next_delivery(WEB, "room:1", NOW + 29)).due_at == NOW + 30
        again = (await store.next_delivery(WEB, "room:1", NOW + 30)).delivery
        assert again is not None
        assert (again.id, again.attempt, again.error) == (first.id, 2, "busy")
        assert not await store.settle(first, Settlement("sent"))

    async def test_a_dead_delivery_holds_up_nobody_and_can_be_retried(self, store: Store) -> None:
        await _deliver(store, "one", "two")
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
        await _deliver(store, "one", "two")
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
        await _deliver(store, "one", "two", "three")
        for expected in (0, 1, 1):
            found = await store.next_delivery(WEB, "room:1", NOW)
            assert found.delivery is not None
            assert found.held == expected
            await store.settle(found.delivery, Settlement("unknown", error="timeout"))


async def _deliver(store: Store, *texts: str) -> None:
    """A turn has ended with these texts."""
    claim = await begun(store, 1)
    deliveries = [NewDelivery(DeliveryId(f"d_{text}"), CHAT, text) for text in texts]
    await store.finish(claim.fence, replace(done(), deliveries=deliveries), NOW)
