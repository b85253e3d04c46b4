"""What becomes of the slots that are due (SPEC 9.3)."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from serai.core.schedule import Every, Timetable, parse_schedule
from serai.core.slot import Gap, Verdict, judge

NINE = datetime(2026, 3, 10, 9, tzinfo=UTC).timestamp()
HOUR = 3600.0
HOURLY = Timetable(parse_schedule("0 * * * *"), 0.0, UTC)


def test_nothing_due_tells_when_to_look_again() -> None:
    assert judge(HOURLY, NINE, NINE + 60) == Verdict(None, None, NINE + HOUR)


def test_a_due_slot_runs_and_is_not_judged_again() -> None:
    assert judge(HOURLY, NINE - 60, NINE) == Verdict(NINE, None, NINE + HOUR)
    assert judge(HOURLY, NINE, NINE + 1) == Verdict(None, None, NINE + HOUR)


def test_a_late_slot_within_half_a_period_still_runs() -> None:
    assert judge(HOURLY, NINE - 60, NINE + 1800).run == NINE


def test_a_slot_that_is_too_late_is_missed() -> None:
    assert judge(HOURLY, NINE - 60, NINE + 1801) == Verdict(None, Gap(NINE, NINE), NINE + HOUR)


def test_after_a_downtime_at_most_the_latest_slot_runs_and_all_others_are_missed() -> None:
    day_later = NINE + 24 * HOUR
    assert judge(HOURLY, NINE, day_later + 5) == Verdict(
        day_later, Gap(NINE + HOUR, day_later - HOUR), day_later + HOUR
    )
    assert judge(HOURLY, NINE, day_later + 3000) == Verdict(None, Gap(NINE + HOUR, day_later), day_later + HOUR)


def test_a_one_shot_runs_up_to_two_minutes_late_and_then_never() -> None:
    once = Timetable(parse_schedule("30m"), NINE, UTC)
    due = NINE + 1800
    assert judge(once, NINE, NINE) == Verdict(None, None, due)
    assert judge(once, NINE, due + 120) == Verdict(due, None, None)
    assert judge(once, NINE, due + 121) == Verdict(None, Gap(due, due), None)
    assert judge(once, due, due + 1) == Verdict(None, None, None)


def test_a_clock_that_was_set_back_does_not_stop_a_job() -> None:
    assert judge(HOURLY, NINE + 100 * HOUR, NINE + 60) == Verdict(None, None, NINE + HOUR)
    assert judge(HOURLY, NINE + HOUR - 1, NINE + HOUR).run == NINE + HOUR


def test_a_gap_of_years_of_minutes_is_judged_at_once() -> None:
    minutely = Timetable(parse_schedule("* * * * *"), 0.0, UTC)
    assert judge(minutely, 0.0, NINE + 1) == Verdict(NINE, Gap(60.0, NINE - 60), NINE + 60)


@settings(deadline=None)
@given(st.integers(1, 90_000), st.lists(st.floats(0.01, 200_000), max_size=30), st.floats(0, 2e9))
def test_every_slot_is_run_or_missed_exactly_once_whenever_one_looks(
    period: int, steps: list[float], anchor: float
) -> None:
    timetable = Timetable(Every(period), anchor, UTC)
    decided = now = anchor
    seen = 0
    for step in steps:
        now += step
        verdict = judge(timetable, decided, now)
        if verdict.missed is not None:
            seen += round((verdict.missed.last - verdict.missed.first) / period) + 1
            assert verdict.missed.first > decided
        if verdict.run is not None:
            seen += 1
            assert now - verdict.run <= timetable.grace(verdict.run)
        assert verdict.next is not None
        assert verdict.next > now
        decided = now
    last = timetable.latest(anchor, now)
    assert seen == (0 if last is None else round((last - anchor) / period))
