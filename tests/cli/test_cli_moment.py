"""Times as people read them."""

import pytest

from serai.cli.moment import ago, coming, lasting


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (723, "12 min 3 s"),
        (3600, "1 h"),
        (277_000, "3 d 4 h"),
    ],
)
def test_a_duration_shows_its_two_largest_units(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_an_instant_in_the_past_shows_one_unit() -> None:
    assert ago(1000.0, 1000.0 + 2 * 3600 + 5) == "2 h ago"


@pytest.mark.parametrize(
    ("seconds", "units", "text"),
    [
        (7198.6, 2, "2 h"),
        (7198.6, 1, "2 h"),
        (7150, 2, "1 h 59 min"),
        (3599.9, 2, "1 h"),
        (59.6, 1, "1 min"),
        (90_000, 1, "1 d"),
        (86_399.0, 2, "1 d"),
        (0.2, 2, "0 s"),
        (-3, 1, "0 s"),
    ],
)
def test_what_is_to_come_is_rounded_to_the_last_unit_that_is_shown(seconds: float, units: int, text: str) -> None:
    assert coming(seconds, units) == text
