"""What every store must do for live chats (SPEC 6), as a pytest suite like `StoreContract`."""

from dataclasses import replace

from serai.core.delivery import NewDelivery, Target
from serai.core.ids import DeliveryId, LaneId
from serai.core.message import Revision
from serai.core.turn import Claim, SessionSettings
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival
from serai.ports.store.dispatch import Settlement
from serai.ports.store.order import Adjust, Entitle, Resend, Reset, Undo
from serai.ports.store.people import Person, Stranger
from serai.testing.store.stage import CHAT, NOW, WEB, arrival, begun, done, offer, order

QUIET = 0.6


def piece(number: int, sender: str = "alice", at: float = 0.0, **changes: object) -> Arrival:
    """A message that may be one of several, `at` seconds after the first."""
    now = NOW + at
    return replace(arrival(number, sender=sender, now=now, due_at=now + QUIET, joins=True), **changes)  # type: ignore[arg-type]


async def said(store: Store, *pieces: Arrival) -> LaneId:
    """Stores messages of one lane."""
    lanes = {(await store.accept(one)).lane for one in pieces}
    (lane,) = lanes
    return lane


def texts(claim: Claim | None) -> list[str]:
    assert claim is not None
    return [one.body.message.text for one in claim.inputs]


class LiveContract:
    """Bursts, busy lanes, commands, strangers."""

    async def test_pieces_that_come_quickly_are_one_turn_once_it_is_quiet(self, store: Store) -> None:
        lane = await said(store, piece(1), piece(2, at=0.5))
        early = offer("t1", NOW + 0.7)
        assert await store.claim(lane, early) is None
        assert await store.due(lane, early) == NOW + 0.5 + QUIET
        assert texts(await store.claim(lane, offer("t2", NOW + 1.1))) == ["message 1", "message 2"]
        assert await store.due(lane, offer("t3")) is None

    async def test_eight_pieces_are_enough(self, store: Store) -> None:
        lane = await said(store, *(piece(n, at=n / 100) for n in range(1, 11)))
        assert len(texts(await store.claim(lane, offer("t1", NOW + 0.2)))) == 8

    async def test_another_sender_ends_a_burst(self, store: Store) -> None:
        lane = await said(store, piece(1), piece(2, "bob", at=0.1))
        assert texts(await store.claim(lane, offer("t1", NOW + 0.2))) == ["message 1"]

    async def test_a_message_that_joins_nobody_ends_a_burst(self, store: Store) -> None:
        lane = await said(store, piece(1), piece(2, at=0.1, joins=False))
        assert texts(await store.claim(lane, offer("t1", NOW + 0.2))) == ["message 1"]

    async def test_what_came_behind_a_turn_is_one_turn_whoever_said_it(self, store: Store) -> None:
        claim = await begun(store, 1)
        accepted = [
            await store.accept(piece(n, sender, at=n)) for n, sender in enumerate(("alice", "bob", "carol"), 2)
        ]
        assert all(one.behind for one in accepted)
        await store.finish(claim.fence, done(), NOW + 10)
        following = await store.claim(claim.lane, offer("t9"))
        assert texts(following) == ["message 2", "message 3", "message 4"]

    async def test_what_is_said_in_another_place_has_a_turn_of_its_own(self, store: Store) -> None:
        claim = await begun(store, 1)
        elsewhere = replace(CHAT, chat_id="room:2")
        await said(store, piece(2), piece(3, reply_to=elsewhere), piece(4))
        await store.finish(claim.fence, done(), NOW + 10)
        assert texts(await store.claim(claim.lane, offer("t9"))) == ["message 2"]

    async def test_a_message_joins_the_running_turn_of_its_place(self, store: Store) -> None:
        claim = await begun(store, 1)
        await said(store, piece(2), piece(3, "bob"), piece(4, reply_to=replace(CHAT, chat_id="room:2")))
        joined = await store.join(claim.fence, 3)
        assert [one.body.message.text for one in joined] == ["message 2", "message 3"]
        assert await store.join(claim.fence, 4) == ()
        await store.release(claim.fence, NOW + 20)
        again = await store.claim(claim.lane, offer("t9"))
        assert again is not None
        assert [one.joined for one in again.inputs] == [None, 3, 3]
        assert [(step.n, step.kind) for step in again.steps] == [(3, "input")]
        await store.finish(again.fence, done(), NOW + 30)
        assert texts(await store.claim(claim.lane, offer("t10"))) == ["message 4"]

    async def test_a_command_counts_once(self, store: Store) -> None:
        first, again = await store.order(order(1)), await store.order(order(1))
        assert (first.duplicate, again.duplicate) == (False, True)
        assert (await store.look(WEB, "cmd/1", "room:1")).input_id is not None
        found = await store.next_delivery(WEB, "room:1", NOW)
        assert found.delivery is not None
        await store.settle(found.delivery, Settlement("sent"))
        assert (await store.next_delivery(WEB, "room:1", NOW)).delivery is None

    async def test_a_reset_closes_the_session_and_what_waits_is_one_turn_of_the_next(self, store: Store) -> None:
        claim = await begun(store, 1)
        await said(store, piece(2), piece(3, "bob"))
        ordered = await store.order(order(1, Reset("stopped by hand")))
        assert (ordered.lane, ordered.closed) == (claim.lane, claim.session)
        await store.finish(claim.fence, done(), NOW + 1)
        following = await store.claim(claim.lane, offer("t9"))
        assert texts(following) == ["message 2", "message 3"]
        assert following is not None
        assert (following.session != claim.session, following.history) == (True, ())

    async def test_nothing_joins_a_turn_that_was_stopped(self, store: Store) -> None:
        claim = await begun(store, 1)
        await said(store, piece(2))
        await store.order(order(1, Reset("stopped by hand")))
        assert await store.join(claim.fence, 3) == ()

    async def test_a_command_ends_a_burst(self, store: Store) -> None:
        lane = await said(store, piece(1), piece(2, at=0.1))
        await store.order(replace(order(1), now=NOW + 0.2))
        assert texts(await store.claim(lane, offer("t1", NOW + 0.2))) == ["message 1", "message 2"]

    async def test_a_burst_that_follows_an_interrupted_turn_is_waited_for(self, store: Store) -> None:
        claim = await begun(store, 1)
        await said(store, piece(2))
        await store.finish(claim.fence, done(), NOW + 0.1)
        assert (await store.accept(piece(3, at=0.5))).waiting == 2
        assert await store.claim(claim.lane, offer("t8", NOW + 0.7)) is None
        assert texts(await store.claim(claim.lane, offer("t9", NOW + 1.1))) == ["message 2", "message 3"]

    async def test_a_turn_that_was_stopped_does_not_go_on_after_a_crash(self, store: Store) -> None:
        claim = await begun(store, 1)
        await store.order(order(1, Reset("stopped by hand")))
        left = await store.recover(frozenset(), NOW + 5)
        assert left.lanes == []
        ended = await store.outcome(claim.inputs[0].id)
        assert ended is not None
        assert (ended.state, ended.fault and ended.fault.text) == ("cancelled", "stopped by hand")

    async def test_what_people_set_holds_for_the_session(self, store: Store) -> None:
        chosen = SessionSettings("big", "high")
        await store.order(order(1, Adjust(chosen)))
        await store.order(order(2, Entitle("Plans")))
        claim = await begun(store, 1)
        assert claim.settings == chosen
        view = await store.view(claim.address)
        assert view is not None
        assert (view.title, view.settings, view.session) == ("Plans", chosen, claim.session)
        assert view.busy_since == offer().now
        await store.finish(claim.fence, done(), NOW + 1)
        await store.order(order(3, Reset("afresh")))
        following = await begun(store, 2)
        assert following.settings == SessionSettings()

    async def test_undo_takes_the_last_turn_out_of_the_history(self, store: Store) -> None:
        first = await begun(store, 1)
        await store.finish(first.fence, done("one"), NOW + 1)
        second = await begun(store, 2)
        await store.finish(second.fence, done("two"), NOW + 2)
        await store.order(order(1, Undo()))
        third = await begun(store, 3)
        assert [message.text for message in third.history] == ["hi", "one"]
        await store.finish(third.fence, done("three"), NOW + 3)
        fourth = await begun(store, 4)
        assert [message.text for message in fourth.history] == ["hi", "one", "hi", "three"]

    async def test_the_tokens_of_a_session_are_summed_up(self, store: Store) -> None:
        for number in (1, 2):
            claim = await begun(store, number)
            await store.finish(claim.fence, done(), NOW + number)
        spent = await store.spent(claim.session)
        assert (spent.input_tokens, spent.output_tokens) == (6, 10)

    async def test_held_deliveries_are_sent_again_on_request(self, store: Store) -> None:
        claim = await begun(store, 1)
        made = NewDelivery(DeliveryId("dlv_1"), CHAT, "hello")
        await store.finish(claim.fence, replace(done(), deliveries=[made]), NOW)
        found = await store.next_delivery(WEB, "room:1", NOW)
        assert found.delivery is not None
        await store.settle(found.delivery, Settlement("unknown", error="cut"))
        await store.order(order(1, Resend("room:1"), deliveries=[]))
        again = await store.next_delivery(WEB, "room:1", NOW)
        assert again.delivery is not None
        assert again.delivery.id == "dlv_1"

    async def test_a_message_is_changed_or_taken_back_until_its_turn_begins(self, store: Store) -> None:
        place = replace(CHAT, reply_to=("m1",))
        lane = await said(store, piece(1, reply_to=place), piece(2, reply_to=replace(CHAT, reply_to=("m2",))))
        assert await store.revise(Revision(WEB, "room:1", "m1", "better"))
        assert await store.revise(Revision(WEB, "room:1", "m2", None))
        assert not await store.revise(Revision(WEB, "room:9", "m1", "elsewhere"))
        assert texts(await store.claim(lane, offer("t1"))) == ["better"]
        assert not await store.revise(Revision(WEB, "room:1", "m1", "too late"))

    async def test_a_stranger_with_the_right_code_is_admitted(self, store: Store) -> None:
        assert await store.knock(stranger("CODE1"))
        assert not await store.knock(stranger("CODE2")), "the first code is still valid"
        assert not (await store.look(WEB, "x", "room:1", "eve")).admitted
        assert [one.code for one in await store.people(NOW)] == ["CODE1"]
        assert await store.admit("CODE9", NOW) is None
        admitted = await store.admit("CODE1", NOW)
        assert admitted == Person(WEB, "eve", "Eve", NOW)
        assert (await store.look(WEB, "x", "room:1", "eve")).admitted
        assert await store.admit("CODE1", NOW) is None, "a code admits once"
        assert await store.expel(WEB, "eve")
        assert not (await store.look(WEB, "x", "room:1", "eve")).admitted

    async def test_a_code_expires(self, store: Store) -> None:
        await store.knock(stranger("CODE1"))
        assert await store.admit("CODE1", NOW + 600) is None
        assert await store.knock(replace(stranger("CODE2"), now=NOW + 600, expires_at=NOW + 1200))


def stranger(code: str) -> Stranger:
    """Eve, who asks to be admitted."""
    told = NewDelivery(DeliveryId(f"dlv_{code}"), Target("webhook", "room:1", account="work"), f"your code is {code}")
    return Stranger(WEB, "eve", "Eve", code, NOW, NOW + 600, told)
