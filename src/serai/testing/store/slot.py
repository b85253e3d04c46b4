"""What every store must do with the slots of schedules, as a pytest suite: subclass it, and give it the fixtures
`store` and `slots` of one database.
"""

from dataclasses import replace

import pytest

from serai.core.delivery import DeliveryState, NewDelivery
from serai.core.ids import DeliveryId, InputId, JobId
from serai.core.job import Job, JobRun
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message
from serai.core.turn import Step
from serai.ports.slots import JobMark, JobRunning, NewSlot, Sighting, Slots, SlotTaken
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival
from serai.ports.store.claim import Finish
from serai.ports.store.dispatch import Settlement
from serai.testing.store.stage import CHAT, NOW, OPS, WEB, arrival, done, offer

HOME, CLONE = "/homes/ops/cron", "/homes/copy/cron"
JOB, OTHER = JobId("0123456789ab"), JobId("ba9876543210")


def seen(at: float, key: str = "every 1h", *, anew: bool = True) -> list[Sighting]:
    """The job with that key, first seen at that moment."""
    return [Sighting(JOB, key, key or "every 1h", at, anew)]


def due(number: int, at: float, directory: str = HOME, *, manual: bool = False, **changes: object) -> Arrival:
    """The input of a run of the job at that slot."""
    job = Job(JOB, "every 1h", "look around", workdir="site")
    made = replace(
        arrival(number),
        input_id=InputId(f"run_{number}"),
        address=LaneAddress(OPS, "cron", "default", "dm", chat=JOB),
        dedupe_key=None,
        reply_to=None,
        body=InputBody(Message("user", "look around"), job=JobRun(job, directory, at, manual)),
        slot=NewSlot(directory, JOB, at, manual),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def ran(store: Store, made: Arrival, text: str = "all quiet") -> None:
    """A run that has ended."""
    accepted = await store.accept(made)
    claim = await store.claim(accepted.lane, offer(f"t_{made.input_id}"))
    assert claim is not None
    messages = [Message("user", "look around"), Message("assistant", text)]
    await store.finish(claim.fence, Finish(done(text).ended, messages, closes=True), NOW + 9)


class SlotContract:
    """The rules of SPEC 9.1 and 9.3, one test each."""

    async def test_a_store_has_one_name(self, slots: Slots) -> None:
        assert await slots.store_name() == await slots.store_name() != ""

    async def test_the_time_of_a_job_begins_when_it_is_first_seen(self, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await slots.see(HOME, seen(NOW + 50))
        assert await slots.marks(HOME) == {JOB: JobMark("every 1h", NOW, NOW, written="every 1h")}
        assert await slots.marks(CLONE) == {}

    async def test_another_schedule_begins_anew_and_counts_its_own_runs(self, store: Store, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await ran(store, due(1, NOW + 5))
        assert (await slots.marks(HOME))[JOB] == JobMark("every 1h", NOW, NOW + 5, 1, written="every 1h")
        await slots.see(HOME, seen(NOW + 50, "every 2h"))
        assert (await slots.marks(HOME))[JOB] == JobMark("every 2h", NOW + 50, NOW + 50, written="every 2h")

    async def test_a_job_that_was_paused_begins_anew_and_its_runs_still_count(
        self, store: Store, slots: Slots
    ) -> None:
        await slots.see(HOME, seen(NOW))
        await ran(store, due(1, NOW + 5))
        await slots.see(HOME, seen(NOW + 10, "", anew=False))
        await slots.see(HOME, seen(NOW + 50, anew=False))
        assert (await slots.marks(HOME))[JOB] == JobMark("every 1h", NOW + 50, NOW + 50, 1, written="every 1h")

    async def test_another_way_to_write_a_schedule_changes_nothing_else(self, store: Store, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await ran(store, due(1, NOW + 5))
        await slots.see(HOME, [Sighting(JOB, "every 1h", "every 60m", NOW + 50, anew=False)])
        assert (await slots.marks(HOME))[JOB] == JobMark("every 1h", NOW, NOW + 5, 1, written="every 60m")

    async def test_a_jobs_owner_stays_when_its_schedule_changes(self, slots: Slots) -> None:
        await slots.give(HOME, JOB, "app", NOW)
        await slots.see(HOME, seen(NOW))
        assert (await slots.marks(HOME))[JOB].owner == "app"

    async def test_a_slot_is_claimed_once_and_what_fails_leaves_no_input(self, store: Store, slots: Slots) -> None:
        await ran(store, due(1, NOW))
        with pytest.raises(SlotTaken):
            await store.accept(due(2, NOW))
        with pytest.raises(KeyError):
            await store.outcome(InputId("run_2"))
        assert [row.run for row in await slots.history(HOME, JOB)] == ["run_1"]

    async def test_the_same_job_in_another_directory_is_another_job(self, store: Store, slots: Slots) -> None:
        await ran(store, due(1, NOW))
        await ran(store, due(2, NOW, CLONE))
        assert [row.run for row in await slots.history(CLONE, JOB)] == ["run_2"]

    async def test_a_job_never_overlaps_itself(self, store: Store) -> None:
        accepted = await store.accept(due(1, NOW))
        with pytest.raises(JobRunning):
            await store.accept(due(2, NOW + 60))
        claim = await store.claim(accepted.lane, offer("t"))
        assert claim is not None
        await store.finish(claim.fence, done("done"), NOW + 9)
        await store.accept(due(2, NOW + 60))

    async def test_a_missed_slot_cannot_be_claimed_nor_a_claimed_one_missed(self, store: Store, slots: Slots) -> None:
        await slots.miss(HOME, JOB, NOW + 10, NOW + 30, "late", NOW + 40)
        for number, at in enumerate((NOW + 10, NOW + 20, NOW + 30)):
            with pytest.raises(SlotTaken):
                await store.accept(due(number, at, now=NOW + 50))
        await ran(store, due(9, NOW + 31))
        await slots.miss(HOME, JOB, NOW + 31, NOW + 31, "late", NOW + 50)
        assert [row.state for row in await slots.history(HOME, JOB)] == ["ok", "missed"]

    async def test_gaps_of_one_reason_right_behind_one_another_are_one(self, slots: Slots) -> None:
        for at, reason in ((10, "late"), (20, "late"), (30, "stopped"), (40, "late")):
            await slots.miss(HOME, JOB, NOW + at, NOW + at, reason, NOW + at)
        rows = await slots.history(HOME, JOB)
        assert [(row.at - NOW, (row.until or 0) - NOW) for row in reversed(rows)] == [(10, 20), (30, 30), (40, 40)]

    async def test_what_was_missed_under_a_clock_that_was_set_back_since_may_run(
        self, store: Store, slots: Slots
    ) -> None:
        await slots.miss(HOME, JOB, NOW - 100, NOW + 900, "late", NOW + 1000)
        await ran(store, due(1, NOW + 1, now=NOW + 1))
        await ran(store, due(2, NOW + 2, now=NOW + 2))
        rows = list(reversed(await slots.history(HOME, JOB)))
        assert [row.state for row in rows] == ["missed", "ok", "ok"]
        assert NOW < (rows[0].until or 0) < NOW + 1

    async def test_a_run_that_was_asked_for_counts_for_nothing(self, store: Store, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await slots.miss(HOME, JOB, NOW + 10, NOW + 30, "late", NOW + 40)
        await ran(store, due(1, NOW + 20.5, manual=True))
        assert (await slots.marks(HOME))[JOB].runs == 0
        assert [row.manual for row in await slots.history(HOME, JOB)] == [True, False]

    async def test_runs_that_go_on_are_told_with_where_they_work(self, store: Store, slots: Slots) -> None:
        await ran(store, due(2, NOW, CLONE))
        await store.accept(due(1, NOW))
        [one] = await slots.active()
        assert (one.directory, one.job, one.run, one.agent, one.workdir) == (HOME, JOB, "run_1", OPS, "site")
        assert not one.manual

    async def test_a_run_that_goes_on_tells_whether_somebody_asked_for_it(self, store: Store, slots: Slots) -> None:
        await store.accept(due(1, NOW, manual=True))
        assert [one.manual for one in await slots.active()] == [True]

    async def test_what_runs_leave_is_told_until_it_is_kept(self, store: Store, slots: Slots) -> None:
        await store.accept(due(1, NOW))
        assert await slots.left() == []
        await ran(store, due(2, NOW, CLONE, address=LaneAddress(OPS, "cron", "default", "dm", chat=OTHER)), "found")
        [one] = await slots.left()
        assert one.ended is not None
        assert one.ended.answer is not None
        assert (one.run, one.directory, one.ended.answer.text, one.script) == ("run_2", CLONE, "found", None)
        assert await slots.left(without=[CLONE]) == []
        await slots.kept(one.run, "file.md")
        assert await slots.left() == []
        assert (await slots.history(CLONE, JOB))[0].output == "file.md"

    async def test_what_a_run_s_script_did_is_told_with_what_it_left(self, store: Store, slots: Slots) -> None:
        accepted = await store.accept(due(1, NOW))
        claim = await store.claim(accepted.lane, offer("t"))
        assert claim is not None
        step = Step(1, "script", "failed", request=b'"a.sh"', result=b'["partly"]')
        await store.record(claim.fence, [step], sync=False)
        await store.finish(claim.fence, Finish(done("").ended, [], closes=True), NOW + 9)
        assert [one.script for one in await slots.left()] == [step]

    async def test_the_latest_slot_of_each_job_and_the_earlier_ones_by_pages(
        self, store: Store, slots: Slots
    ) -> None:
        for number in range(4):
            await ran(store, due(number, NOW + number))
        assert [row.at - NOW for row in await slots.history(HOME, JOB, limit=2)] == [3, 2]
        assert [row.at - NOW for row in await slots.history(HOME, JOB, before=NOW + 2)] == [1, 0]
        assert {job: row.at - NOW for job, row in (await slots.latest(HOME, [JOB, OTHER])).items()} == {JOB: 3}

    async def test_the_latest_slot_tells_whom_its_answer_did_not_reach(self, store: Store, slots: Slots) -> None:
        accepted = await store.accept(due(1, NOW))
        claim = await store.claim(accepted.lane, offer("t"))
        assert claim is not None
        new = [NewDelivery(DeliveryId(name), replace(CHAT, chat_id=name), "quiet") for name in ("a", "b", "c")]
        await store.finish(claim.fence, Finish(done("t").ended, [], new, closes=True, problems=("x: none",)), NOW + 9)
        states: dict[str, DeliveryState] = {"a": "dead", "b": "sent", "c": "unknown"}
        for name, state in states.items():
            found = (await store.next_delivery(WEB, name, NOW + 9)).delivery
            assert found is not None
            await store.settle(found, Settlement(state, error="gone" if state != "sent" else None))
        row = (await slots.latest(HOME, [JOB]))[JOB]
        assert row.undelivered == ("x: none", "webhook@work:a: gone", "webhook@work:c: perhaps not, gone")
        assert (row.state, row.fault) == ("ok", f"not delivered: {'; '.join(row.undelivered)}")
        assert [one.id for one in row.deliveries] == ["a", "c"]
        assert [one.id for one in (await slots.history(HOME, JOB))[0].deliveries] == ["a", "b", "c"]

    async def test_what_was_another_stores_is_settled(self, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await slots.see(CLONE, seen(NOW))
        await slots.pass_over(HOME, NOW + 500)
        assert (await slots.marks(HOME))[JOB] == JobMark("every 1h", NOW, NOW + 500, written="every 1h")
        assert (await slots.marks(CLONE))[JOB].decided == NOW

    async def test_a_removed_job_is_not_found_again_by_another_one_of_its_id(
        self, store: Store, slots: Slots
    ) -> None:
        await slots.see(HOME, seen(NOW))
        await ran(store, due(1, NOW + 1))
        await slots.kept(InputId("run_1"), "one.md")
        await slots.miss(HOME, JOB, NOW + 2, NOW + 3, "late", NOW + 4)
        await ran(store, due(2, NOW + 5))
        await slots.forget(HOME, JOB)
        assert await slots.marks(HOME) == {}
        assert [row.run for row in await slots.history(HOME, JOB)] == ["run_2"]  # whose output is still to be kept

    async def test_gaps_before_and_after_a_new_beginning_are_two(self, slots: Slots) -> None:
        await slots.see(HOME, seen(NOW))
        await slots.miss(HOME, JOB, NOW + 1, NOW + 2, "late", NOW + 3)
        await slots.see(HOME, seen(NOW + 10, ""))
        await slots.see(HOME, seen(NOW + 500))
        await slots.miss(HOME, JOB, NOW + 501, NOW + 502, "late", NOW + 503)
        assert [(row.at - NOW, row.until and row.until - NOW) for row in await slots.history(HOME, JOB)] == [
            (501, 502),
            (1, 2),
        ]

    async def test_the_run_of_an_erased_session_has_ended_as_cancelled(self, store: Store, slots: Slots) -> None:
        accepted = await store.accept(due(1, NOW))
        claim = await store.claim(accepted.lane, offer("t"))
        assert claim is not None
        await store.erase(claim.session, "erased", NOW + 1)
        assert await slots.active() == []
        [row] = await slots.history(HOME, JOB)
        assert row.state == "cancelled"
        await store.accept(due(2, NOW + 60))

    async def test_old_slots_are_forgotten_but_not_those_of_runs_that_go_on(self, store: Store, slots: Slots) -> None:
        await slots.miss(HOME, JOB, NOW - 100, NOW - 100, "late", NOW - 90)
        await store.accept(due(1, NOW))
        await store.prune(NOW + 1000, NOW + 1000, NOW + 1000)
        assert [row.run for row in await slots.history(HOME, JOB)] == ["run_1"]
