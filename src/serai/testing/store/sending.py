"""What agents say unasked: sent and said at once, and once for each request (SPEC 9.4, 10, 11.7)."""

from dataclasses import replace

import pytest

from serai.core.delivery import NewDelivery
from serai.core.ids import DeliveryId, SessionId
from serai.ports.store import Store
from serai.ports.store.arrival import Idempotency, IdempotencyConflict, KeptAnswer
from serai.ports.store.claim import Said
from serai.ports.store.dispatch import Settlement
from serai.ports.store.order import Undo
from serai.testing.store.stage import CHAT, NOW, WEB, arrival, begun, done, order

DAY = 86400.0
REQUEST = Idempotency("operator", "key-1", "route", "body", NOW + DAY)


def new(name: str) -> NewDelivery:
    return NewDelivery(DeliveryId(name), CHAT, "good morning")


def said(text: str = "good morning") -> Said:
    """In the chat of `CHAT`."""
    return Said(arrival(1).address, text, SessionId(f"ses_{text}"))


def kept(answer: bytes = b"first", **changes: object) -> KeptAnswer:
    return KeptAnswer(replace(REQUEST, **changes), answer)  # type: ignore[arg-type]


async def sent(store: Store) -> list[str]:
    """The ids of all that is to be sent to the chat, which is sent now."""
    found: list[str] = []
    while (one := (await store.next_delivery(WEB, "room:1", NOW + 9 * DAY)).delivery) is not None:
        found.append(one.id)
        await store.settle(one, Settlement("sent"))
    return found


async def heard(store: Store, number: int = 1) -> list[str]:
    """What somebody's next message comes after."""
    return [message.text for message in (await begun(store, number)).history]


class SendingContract:
    """The rules, one test each."""

    async def test_what_is_sent_as_an_agents_is_in_the_history_that_the_next_message_sees(self, store: Store) -> None:
        await store.deliver([new("a")], NOW, said=[said()])
        assert await sent(store) == ["a"]
        assert await heard(store) == ["good morning"]

    async def test_it_comes_behind_what_was_said_before(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.finish(claim.fence, done(), NOW)
        await store.deliver([], NOW, said=[said()])
        assert await heard(store, 2) == ["hi", "hello", "good morning"]

    async def test_undo_takes_back_the_last_question_and_nothing_that_was_said_unasked(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.finish(claim.fence, done(), NOW)
        await store.deliver([], NOW, said=[said("one")])
        await store.deliver([], NOW, said=[said("two")])
        await store.order(order(1, Undo()))
        await store.order(order(2, Undo()))
        assert await heard(store, 2) == ["one", "two"]

    async def test_a_repeated_request_gets_the_first_answer_and_nothing_is_sent_or_said_again(
        self, store: Store
    ) -> None:
        assert await store.deliver([new("a")], NOW, said=[said()], kept=kept()) is None
        await store.recover(frozenset(), NOW + 1)
        assert await store.deliver([new("b")], NOW + 2, said=[said("again")], kept=kept(b"second")) == b"first"
        assert await sent(store) == ["a"]
        assert await heard(store) == ["good morning"]

    async def test_the_same_key_with_another_body_is_refused(self, store: Store) -> None:
        await store.deliver([new("a")], NOW, kept=kept())
        with pytest.raises(IdempotencyConflict):
            await store.deliver([new("b")], NOW, said=[said()], kept=kept(body_digest="other"))
        assert await sent(store) == ["a"]
        assert await heard(store) == []

    @pytest.mark.parametrize("other", [{"principal": "app"}, {"key": "key-2"}, {"route_digest": "elsewhere"}])
    async def test_another_key_or_path_is_another_request(self, store: Store, other: dict[str, str]) -> None:
        await store.deliver([new("a")], NOW, kept=kept())
        assert await store.deliver([new("b")], NOW, kept=kept(b"second", **other)) is None
        assert await sent(store) == ["a", "b"]

    async def test_a_request_is_forgotten_when_its_time_is_over(self, store: Store) -> None:
        await store.deliver([new("a")], NOW, kept=kept())
        later = kept(b"second", expires_at=NOW + 2 * DAY)
        assert await store.deliver([new("b")], NOW + DAY - 1, kept=later) == b"first"
        assert await store.deliver([new("b")], NOW + DAY, kept=later) is None
        assert await store.deliver([new("c")], NOW + DAY, kept=later) == b"second"
        assert await store.prune(NOW - DAY, NOW - DAY, NOW + 2 * DAY) == 1
