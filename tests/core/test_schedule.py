"""When a job is due (SPEC 9.2, 9.3)."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serai.core.crontab import Crontab
from serai.core.schedule import At, BadSchedule, Cron, Every, Once, Timetable, parse_schedule
from serai.core.zone import UnknownZone, zone_named, zone_names

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC).timestamp()


def slots(text: str, start: str, count: int, zone: tzinfo = BERLIN) -> list[str]:
    """The first slots after a time that a clock in `zone` shows, as that clock shows them, with the offset to UTC."""
    since = datetime.fromisoformat(start).replace(tzinfo=zone).timestamp()
    timetable = Timetable(parse_schedule(text), since, zone)
    found = []
    for _ in range(count):
        slot = timetable.after(since)
        if slot is None:
            break
        found.append(datetime.fromtimestamp(slot, zone).isoformat(timespec="minutes"))
        since = slot
    return found


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("30m", Once(1800)),
        (" 1H30M ", Once(5400)),
        ("2 weeks", Once(1209600)),
        ("every 2h", Every(7200)),
        ("Every  90  minutes", Every(5400)),
        ("every day", Every(86400)),
        ("0 9 * * mon-fri", Cron(Crontab("0 9 * * MON-FRI"))),
        ("  */5   * * jan,JUL  5#2 ", Cron(Crontab("*/5 * * JAN,JUL 5#2"))),
        ("0 0 L * *", Cron(Crontab("0 0 L * *"))),
        ("2026-12-24T18:00", At(datetime(2026, 12, 24, 18))),
        ("2026-12-24 18:00:30", At(datetime(2026, 12, 24, 18, 0, 30))),
        ("2026-12-24T18:00z", At(datetime(2026, 12, 24, 18, tzinfo=UTC))),
        ("2026-12-24T18:00+05:30", At(datetime(2026, 12, 24, 18, tzinfo=timezone(timedelta(hours=5, minutes=30))))),
    ],
)
def test_a_schedule_is_written_in_one_of_four_forms(text: str, schedule: object) -> None:
    assert parse_schedule(text) == schedule


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must not be blank; write `30m` (once), `every 2h`"),
        ("soon", "`soon` is no schedule; write `30m` (once)"),
        ("x" * 300, "at most 200 characters"),
        ("90", "`90` lacks a unit"),
        ("0m", "from 1 second to 3650 days"),
        ("9999w", "from 1 second to 3650 days"),
        ("every 0s", "from 1 second to 3650 days"),
        ("every monday", "write five fields of cron"),
        ("every", "write five fields of cron"),
        ("1.5h", "is no schedule"),
        ("* * * * * *", "five fields (minute hour day month weekday), not 6"),
        ("0 9 * *", "not 4"),
        ("60 * * * *", "the minute of a cron expression cannot be `60`; it may hold 0 to 59"),
        ("0 24 * * *", "the hour of a cron expression cannot be `24`"),
        ("0 0 32 * *", "the day of the month of a cron expression cannot be `32`"),
        ("0 0 * janu *", "the month of a cron expression cannot be `janu`"),
        ("0 0 * * fri-sun", "the day of the week of a cron expression cannot be `fri-sun`"),
        ("*/0 * * * *", "the minute"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9 *", "never comes"),
        ("@daily", "write `0 0 * * *`"),
        ("@reboot", "write `30m` (once)"),
        ("2026-12-24", "lacks the time of day; write 2026-12-24T09:00"),
        ("2026-02-30T09:00", "no date with a time"),
        ("2026-12-24T25:00", "no date with a time"),
        ("0001-01-01T00:00", "a year from 1970 to 2999"),
        ("\x00 \u202e", "is no schedule"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(text: str, told: str) -> None:
    with pytest.raises(BadSchedule) as error:
        parse_schedule(text)
    assert told in str(error.value)
    assert str(error.value).isprintable()


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("0123456789*/-,#LWevry mhd@T:+.\n\0²", max_size=40)))
def test_a_text_is_a_schedule_or_refused_and_nothing_else_goes_wrong(text: str) -> None:
    told = ""
    try:
        parse_schedule(text)
    except BadSchedule as error:
        told = str(error)
    assert told.isprintable()


def test_a_length_of_time_alone_is_due_once_that_long_after_it_was_first_seen() -> None:
    once = Timetable(parse_schedule("30m"), NOON, UTC)
    assert once.after(NOON) == NOON + 1800
    assert once.after(NOON + 1800) is None
    assert once.latest(NOON, NOON + 9999) == NOON + 1800
    assert once.latest(NOON + 1800, NOON + 9999) is None


def test_every_counts_from_when_it_was_first_seen() -> None:
    every = Timetable(parse_schedule("every 2h"), NOON, UTC)
    assert every.after(0.0) == NOON + 7200
    assert every.after(NOON + 7200) == NOON + 14400
    assert every.latest(NOON, NOON + 7199) is None
    assert every.latest(NOON, NOON + 7200 * 1000.5) == NOON + 7200 * 1000


@settings(deadline=None)
@given(st.floats(0, 2e9), st.integers(1, 10**6), st.floats(-1e6, 1e8))
def test_every_has_the_same_slots_from_wherever_one_looks(anchor: float, period: int, away: float) -> None:
    every = Timetable(Every(period), anchor, UTC)
    moment = anchor + away
    following = every.after(moment)
    assert following is not None
    assert following > moment
    last = every.latest(anchor, moment)
    if last is None:
        assert following == anchor + period
    else:
        assert anchor < last <= moment
        assert every.after(last) == following


def test_a_time_of_the_day_that_the_clocks_skip_runs_at_the_first_minute_after() -> None:
    assert slots("30 2 * * *", "2027-03-27T12:00", 2) == ["2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"]
    assert slots("0,30 2,3 * * *", "2027-03-28T00:00", 3)[:2] == ["2027-03-28T03:00+02:00", "2027-03-28T03:30+02:00"]


def test_a_time_of_the_day_that_comes_twice_runs_the_first_time() -> None:
    assert slots("30 2 * * *", "2027-10-30T12:00", 2) == ["2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"]


def test_each_minute_or_hour_runs_in_the_repeated_hour_too_and_not_in_the_skipped_one() -> None:
    twice = slots("30 * * * *", "2027-10-31T01:40", 3)
    assert twice == ["2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00", "2027-10-31T03:30+01:00"]
    assert slots("30 * * * *", "2027-03-28T01:00", 2) == ["2027-03-28T01:30+01:00", "2027-03-28T03:30+02:00"]


def test_a_scheduler_that_starts_in_the_repeated_hour_runs_nothing_a_second_time() -> None:
    half = datetime(2027, 10, 31, 2, 10, tzinfo=BERLIN, fold=1).timestamp()
    after = Timetable(parse_schedule("30 2 * * *"), 0.0, BERLIN).after(half)
    assert after == datetime(2027, 11, 1, 2, 30, tzinfo=BERLIN).timestamp()


def test_clocks_that_are_put_back_into_the_midst_of_an_hour_stop_no_schedule() -> None:
    chatham = ZoneInfo("Pacific/Chatham")
    found = slots("45,15 */3 * * *", "2027-04-04T03:00", 4, chatham)
    assert found == [f"2027-04-04T{time}" for time in ("03:15+13:45", "03:15+12:45", "03:45+12:45", "06:15+12:45")]


def test_a_time_without_an_offset_is_that_of_the_jobs_zone_under_the_same_rules() -> None:
    assert slots("2026-12-24T18:00", "2026-12-01T00:00", 2) == ["2026-12-24T18:00+01:00"]
    assert slots("2027-03-28T02:30", "2026-12-01T00:00", 2) == ["2027-03-28T03:00+02:00"]
    assert slots("2027-10-31T02:30", "2026-12-01T00:00", 2) == ["2027-10-31T02:30+02:00"]
    assert slots("2026-12-24T18:00+00:00", "2026-12-01T00:00", 2) == ["2026-12-24T19:00+01:00"]


@settings(deadline=None)
@given(
    st.sampled_from(["* * * * *", "*/7 1-3 * * *", "30 2 * * *", "0 */2 * * sun", "0 0 1 * *", "59 23 L * *"]),
    st.sampled_from(["Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Chatham", "UTC"]),
    st.integers(1_704_067_200, 1_830_000_000),
    st.integers(0, 100_000),
)
def test_the_latest_slot_is_the_last_one_before_the_next(text: str, name: str, since: int, span: int) -> None:
    timetable = Timetable(parse_schedule(text), 0.0, ZoneInfo(name))
    until = since + span
    last, following = timetable.latest(since, until), timetable.after(until)
    first = timetable.after(since)
    if last is None:
        assert first == following
    else:
        assert first is not None
        assert first <= last <= until
        assert timetable.after(last) == following


def test_the_latest_slot_of_many_years_of_minutes_is_found_without_counting_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    after = Crontab.after
    monkeypatch.setattr(
        Crontab, "after", lambda self, moment, zone: asked.append(moment) or after(self, moment, zone)
    )
    timetable = Timetable(parse_schedule("* * * * *"), 0.0, BERLIN)
    assert timetable.latest(0.0, NOON + 30) == NOON
    assert len(asked) < 100


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 120),
        ("2026-03-10T12:00", 120),
        ("* * * * *", 120),
        ("*/10 * * * *", 300),
        ("every 1s", 120),
        ("every 1h", 1800),
        ("0 12 * * *", 7200),
        ("every 30d", 7200),
    ],
)
def test_a_slot_may_run_late_by_half_a_period_within_two_minutes_and_two_hours(text: str, seconds: float) -> None:
    assert Timetable(parse_schedule(text), NOON - 3600, UTC).grace(NOON) == seconds


def test_the_period_of_a_cron_slot_is_the_way_to_its_next_one() -> None:
    timetable = Timetable(parse_schedule("0 9,10 * * *"), 0.0, UTC)
    nine = datetime(2026, 3, 10, 9, tzinfo=UTC).timestamp()
    assert timetable.grace(nine) == 1800
    assert timetable.grace(nine + 3600) == 7200


@pytest.mark.parametrize(
    "name", ["", "Berlin", "Europe", "../etc/passwd", "/etc/localtime", "right/UTC", "a\0b", "é" * 99]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone_named(name)


def test_a_zone_is_found_by_its_name() -> None:
    assert zone_named("Europe/Berlin") is BERLIN
    assert "Europe/Berlin" in zone_names()


def test_a_schedule_on_which_cronsim_never_gets_on_has_its_slots_all_the_same() -> None:
    """On the Chatham Islands clocks go back from 03:45 to 02:45."""
    zone, change = ZoneInfo("NZ-CHAT"), 1743861600.0
    table = Timetable(parse_schedule("59 */3 * * *"), 0.0, zone)
    moment, slots = change - 7 * 3600, []
    for _ in range(3):
        found = table.after(moment)
        assert found is not None
        slots.append(found - change)
        moment = found
    assert slots == [-20760.0, -9960.0, 4440.0]
