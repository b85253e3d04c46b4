"""Names that people chose for themselves are shown safely (SPEC 6.8)."""

import pytest

from serai.core.display import clean_name


@pytest.mark.parametrize("control", ["\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"])
def test_bidi_controls_are_stripped(control: str) -> None:
    assert clean_name(f"al{control}ice") == "alice"


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\x7f", "\x9b", "\ufeff", "\u200b", "\U000e0041", "\ud800"])
def test_control_characters_and_invisible_signs_are_stripped(control: str) -> None:
    assert clean_name(f"al{control}ice") == "alice"


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\t", "  ", "\u2028", "\u0085"])
def test_a_name_stays_on_one_line(gap: str) -> None:
    assert clean_name(f" alice{gap}smith ") == "alice smith"


@pytest.mark.parametrize("name", ["Ünal Çelik", "李小龍", "مریم", "می\u200cخواهم", "👩\u200d🚀 Ada", "O'Neil-Smith"])
def test_what_people_are_really_called_is_left_alone(name: str) -> None:
    assert clean_name(name) == name


def test_a_name_of_controls_alone_is_empty() -> None:
    assert clean_name("\u202e\u200b \n") == ""
