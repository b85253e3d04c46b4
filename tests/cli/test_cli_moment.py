"""Times as people read them."""

import pytest

from serai.cli.moment import ago, lasting


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
