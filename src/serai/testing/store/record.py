"""What every store must do with the records of runs and responses, as a pytest suite: subclass it, and give it the
fixtures `store` and `records` of one database.
"""

from dataclasses import replace

import pytest

from serai.core.error import Busy
from serai.core.event import TurnEnded
from serai.core.ids import MAIN, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message
from serai.core.turn import Claim, Step
from serai.ports.record import NewRecord, Records
from serai.ports.store import Store
from serai.ports.store.arrival import Accepted, Arrival, Idempotency, SessionTaken
from serai.testing.store.stage import NOW, OPS, arrival, done, offer

RUN = NewRecord("run", b"what was asked", background=True)
RESPONSE = NewRecord("response", b"{}")


def call(number: int, record: NewRecord | None = RUN, **changes: object) -> Arrival:
    """A call of the API in a lane of its own."""
    made = replace(
        arrival(number),
        input_id=InputId(f"run_{number}"),
        address=LaneAddress(OPS, "api_server", "default", "dm", chat=f"ses_{number}"),
        dedupe_key=None,
        reply_to=None,
        session=SessionId(f"ses_{number}"),
        owner="app",
        alone=True,
        record=record,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def claimed(store: Store, accepted: Accepted, token: str = "t") -> Claim:
    claim = await store.claim(accepted.lane, offer(f"{token}_{accepted.input_id}"))
    assert claim is not None
    return claim


async def ended(store: Store, made: Arrival, text: str = "hello") -> Claim:
    """A call that was answered."""
    claim = await claimed(store, await store.accept(made))
    said = [*made.body.before, made.body.message, Message("assistant", text)]
    await store.finish(claim.fence, replace(done(text), messages=said), NOW + 5)
    return claim


class RecordContract:
    """The rules of SPEC 11.4, 11.5 and 11.7, one test each."""

    async def test_a_record_tells_how_its_input_fares(self, store: Store, records: Records) -> None:
        accepted = await store.accept(call(1))
        queued = await records.find(InputId("run_1"), "run")
        assert queued is not None
        assert (queued.owner, queued.agent, queued.session, queued.document) == ("app", OPS, "ses_1", RUN.document)
        assert (queued.state, queued.created_at, queued.ended) == ("queued", NOW + 1, None)
        claim = await claimed(store, accepted)
        running = await records.find(InputId("run_1"), "run")
        assert running is not None
        assert (running.state, running.turn, running.ended_at) == ("running", True, None)
        await store.finish(claim.fence, done(), NOW + 9)
        gone = await records.find(InputId("run_1"), "run")
        assert gone is not None
        assert (gone.state, gone.ended, gone.ended_at) == ("done", done().ended, NOW + 9)

    async def test_a_record_is_found_by_its_kind_alone(self, store: Store, records: Records) -> None:
        await store.accept(call(1))
        await store.accept(call(2, None))
        assert await records.find(InputId("run_1"), "response") is None
        assert await records.find(InputId("run_2"), "run") is None
        assert await records.find(InputId("run_9"), "run") is None

    async def test_no_more_than_so_many_are_active(self, store: Store, records: Records) -> None:
        few = replace(RUN, most=2)
        await store.accept(call(1, few))
        await store.accept(call(2, RESPONSE))
        claim = await claimed(store, await store.accept(call(3, few)))
        with pytest.raises(Busy):
            await store.accept(call(4, few))
        assert await records.find(InputId("run_4"), "run") is None
        assert set(await records.active()) == {"run_1", "run_3"}
        await store.finish(claim.fence, done(), NOW)
        await store.accept(call(4, few))

    async def test_the_steps_of_a_record_can_be_read(self, store: Store, records: Records) -> None:
        claim = await claimed(store, await store.accept(call(1)))
        assert await records.steps(InputId("run_1")) == ()
        step = Step(1, "tool", "started", "c1", b"{}")
        await store.record(claim.fence, [step], sync=True)
        assert await records.steps(InputId("run_1")) == (step,)

    async def test_what_has_not_begun_is_cancelled_at_once(self, store: Store, records: Records) -> None:
        accepted = await store.accept(call(1))
        await records.stop(accepted.input_id, "stopped", NOW)
        assert await store.claim(accepted.lane, offer()) is None
        row = await records.find(accepted.input_id, "run")
        assert row is not None
        assert row.ended is not None
        assert (row.state, row.turn, row.ended.state) == ("cancelled", False, "cancelled")

    async def test_a_turn_that_runs_is_stopped_also_after_a_restart(self, store: Store, records: Records) -> None:
        claim = await claimed(store, await store.accept(call(1)))
        await records.stop(InputId("run_1"), "stopped", NOW)
        row = await records.find(InputId("run_1"), "run")
        assert row is not None
        assert row.state == "stopping"
        await store.recover(frozenset(), NOW)
        assert await store.claim(claim.lane, offer()) is None
        ended_as = await store.outcome(InputId("run_1"))
        assert ended_as is not None
        assert ended_as.state == "cancelled"

    async def test_a_turn_that_nobody_runs_is_cancelled(self, store: Store, records: Records) -> None:
        claim = await claimed(store, await store.accept(call(1)))
        await store.release(claim.fence, NOW)
        await records.stop(InputId("run_1"), "stopped", NOW)
        assert await store.claim(claim.lane, offer("t2")) is None
        assert (await store.unfinished(NOW + 9)).lanes == []

    async def test_what_has_ended_cannot_be_stopped(self, store: Store, records: Records) -> None:
        await ended(store, call(1))
        await records.stop(InputId("run_1"), "stopped", NOW)
        row = await records.find(InputId("run_1"), "run")
        assert row is not None
        assert row.state == "done"

    async def test_what_follows_the_last_word_of_a_session_goes_on_there(
        self, store: Store, records: Records
    ) -> None:
        first = await ended(store, call(1, RESPONSE))
        assert await records.place(InputId("run_1")) == (first.address, "ses_1")
        claim = await claimed(store, await store.accept(call(2, RESPONSE, follows=InputId("run_1"))))
        assert (claim.session, claim.address) == ("ses_1", first.address)
        assert [m.text for m in claim.history] == ["message 1", "hello"]
        assert await records.place(InputId("run_1")) is None

    @pytest.mark.parametrize("later", ["answered", "under way", "waiting"])
    async def test_what_follows_an_earlier_word_has_a_session_of_its_own(
        self, later: str, store: Store, records: Records
    ) -> None:
        await ended(store, call(1, RESPONSE))
        await ended(store, call(2, RESPONSE, follows=InputId("run_1")), "one")
        third = call(3, RESPONSE, follows=InputId("run_1" if later == "answered" else "run_2"))
        if later == "answered":
            claim = await claimed(store, await store.accept(third))
            expected = ["message 1", "hello"]
        else:
            before = await store.accept(call(4, RESPONSE, follows=InputId("run_2")))
            if later == "under way":
                await claimed(store, before)
            claim = await claimed(store, await store.accept(third))
            expected = ["message 1", "hello", "message 2", "one"]
        assert claim.session == "ses_3"
        assert claim.address.chat == "ses_3"
        assert [m.text for m in claim.history] == expected
        said = await store.exchange(InputId("run_2"), "app", OPS)
        assert said is not None
        assert [m.text for m in said.messages] == ["message 2", "one"]
        await store.finish(claim.fence, done("three"), NOW + 9)
        assert await records.place(InputId("run_3")) == (claim.address, "ses_3")

    async def test_nothing_follows_what_is_not_there_or_has_not_ended(self, store: Store) -> None:
        await store.accept(call(1, RESPONSE))
        for name in ("run_1", "run_9"):
            with pytest.raises(SessionTaken):
                await store.accept(call(2, RESPONSE, follows=InputId(name)))
        assert await store.outcome(InputId("run_1")) is None

    async def test_an_exchange_is_told_to_its_key_and_agent_alone(self, store: Store) -> None:
        body = InputBody(Message("user", "q"), before=(Message("user", "p"),))
        await ended(store, call(1, body=body))
        said = await store.exchange(InputId("run_1"), "app", OPS)
        assert said is not None
        assert [m.text for m in said.answered()] == ["hello"]
        assert await store.exchange(InputId("run_1"), "other", OPS) is None
        assert await store.exchange(InputId("run_1"), "app", MAIN) is None

    async def test_nothing_is_found_of_what_is_fleeting(self, store: Store, records: Records) -> None:
        fleeting = replace(RESPONSE, fleeting=True)
        claim = await claimed(store, await store.accept(call(1, fleeting)))
        assert await records.find(InputId("run_1"), "response") is None
        await records.forget(InputId("run_1"))
        assert await store.outcome(InputId("run_1")) is None
        await store.finish(claim.fence, done(), NOW)
        await records.forget(InputId("run_1"))
        assert await store.exchange(InputId("run_1"), "app", OPS) is None
        assert await store.holder(SessionId("ses_1")) is None
        with pytest.raises(KeyError):
            await store.outcome(InputId("run_1"))

    async def test_a_fleeting_answer_stays_for_its_idempotency_key(self, store: Store, records: Records) -> None:
        wanted = Idempotency("app", "k1", "r", "b", NOW + 50)
        await ended(store, call(1, replace(RESPONSE, fleeting=True), idempotency=wanted))
        await records.forget(InputId("run_1"))
        repeated = await store.idempotent(wanted, NOW)
        assert repeated is not None
        assert await store.outcome(repeated.input_id) == TurnEnded("done", done().ended.answer)
        await store.prune(0, 0, NOW + 60)
        with pytest.raises(KeyError):
            await store.outcome(InputId("run_1"))

    async def test_what_is_fleeting_goes_after_a_restart(self, store: Store) -> None:
        await claimed(store, await store.accept(call(1, replace(RESPONSE, fleeting=True), survives=False)))
        await store.recover(frozenset(), NOW)
        with pytest.raises(KeyError):
            await store.outcome(InputId("run_1"))

    async def test_a_dropped_record_takes_along_what_nothing_builds_on(self, store: Store, records: Records) -> None:
        await ended(store, call(1, RESPONSE))
        await ended(store, call(2, RESPONSE))
        await ended(store, call(3, RESPONSE, follows=InputId("run_2")))
        await records.drop(InputId("run_1"))
        await records.drop(InputId("run_2"))
        assert await records.find(InputId("run_1"), "response") is None
        assert await records.find(InputId("run_2"), "response") is None
        assert await store.holder(SessionId("ses_1")) is None
        claim = await claimed(store, await store.accept(call(4, RESPONSE, follows=InputId("run_3"))))
        assert [m.text for m in claim.history][:2] == ["message 2", "hello"]

    async def test_old_records_are_forgotten_with_their_inputs(self, store: Store, records: Records) -> None:
        await ended(store, call(1, RESPONSE))
        await store.prune(NOW + 100, NOW + 100, NOW + 100)
        assert await records.find(InputId("run_1"), "response") is None
