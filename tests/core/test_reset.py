"""When a session starts afresh (SPEC 3.5)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from serai.core.reset import ResetPolicy

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC).timestamp()


def test_nothing_expires_without_a_policy() -> None:
    assert ResetPolicy("none").cutoff(NOON) == float("-inf")


def test_idle_expires_after_its_minutes() -> None:
    assert ResetPolicy("idle", idle_minutes=30).cutoff(NOON) == NOON - 1800
    assert ResetPolicy().cutoff(NOON) == NOON - 1440 * 60


def test_daily_expires_at_its_hour_of_the_local_day() -> None:
    policy = ResetPolicy("daily", daily_hour=4)
    assert policy.cutoff(NOON, UTC) == NOON - 8 * 3600
    before_four = datetime(2026, 3, 10, 3, 59, tzinfo=UTC).timestamp()
    assert policy.cutoff(before_four, UTC) == datetime(2026, 3, 9, 4, 0, tzinfo=UTC).timestamp()


def test_daily_follows_the_wall_clock_over_a_change_to_summer_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 29, 12, 0, tzinfo=berlin).timestamp()
    four = datetime(2026, 3, 29, 4, 0, tzinfo=berlin).timestamp()
    assert ResetPolicy("daily", daily_hour=4).cutoff(noon, berlin) == four


def test_both_means_whichever_is_later() -> None:
    policy = ResetPolicy("both", idle_minutes=60, daily_hour=4)
    assert policy.cutoff(NOON, UTC) == NOON - 3600
