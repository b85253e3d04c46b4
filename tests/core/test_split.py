"""Long text is cut into messages (SPEC 5.5)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.fence import fences
from serai.core.split import Unit, measure, split

UNITS: list[Unit] = ["codepoint", "utf16", "byte"]
FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE)


def ink(text: str) -> str:
    """All that can be seen of a text, the lines of its fences aside."""
    return re.sub(r"\s", "", FENCE_LINE.sub("", text))


def test_a_text_that_fits_is_left_exactly_as_it_is() -> None:
    assert split("  hello \n", 9, "codepoint") == ["  hello \n"]


def test_nothing_is_made_of_a_blank_text() -> None:
    assert split("", 10, "byte") == []
    assert split(" \n " * 100, 10, "byte") == []


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    assert split("one two\nthree\n\nfour five", 22, "codepoint") == ["one two\nthree", "four five"]


def test_lines_are_kept_whole_where_a_paragraph_does_not_fit() -> None:
    assert split("one two\nthree four\nfive", 20, "codepoint") == ["one two\nthree four", "five"]


def test_sentences_are_kept_whole_where_a_line_does_not_fit() -> None:
    assert split("One is here. Two is there. Three", 28, "codepoint") == ["One is here. Two is there.", "Three"]


def test_a_short_first_sentence_does_not_make_a_short_message() -> None:
    assert split("Yes. one two three four five", 20, "codepoint") == ["Yes. one two three", "four five"]


def test_words_are_kept_whole_where_a_sentence_does_not_fit() -> None:
    assert split("alpha beta gamma", 11, "codepoint") == ["alpha beta", "gamma"]


def test_a_word_that_fills_the_message_needs_no_room_for_the_space_after_it() -> None:
    assert split("alpha beta", 5, "codepoint") == ["alpha", "beta"]


def test_a_word_longer_than_a_message_is_cut_between_characters() -> None:
    assert split("x" * 25, 10, "codepoint") == ["x" * 10, "x" * 10, "x" * 5]


def test_a_sentence_without_spaces_ends_at_its_full_stop() -> None:
    assert split("今日はいい天気です。明日も晴れます。", 14, "codepoint") == [
        "今日はいい天気です。",
        "明日も晴れます。",
    ]


def test_the_indentation_of_the_next_line_is_kept() -> None:
    assert split("- first item\n  - second item", 16, "codepoint") == ["- first item", "  - second item"]


def test_a_no_break_space_is_not_a_place_to_cut() -> None:
    assert split("aaaa 10\u00a0km", 9, "codepoint") == ["aaaa", "10\u00a0km"]


@pytest.mark.parametrize(
    ("unit", "length"),
    [("codepoint", 5), ("utf16", 7), ("byte", 12)],
)
def test_each_platform_counts_in_its_own_unit(unit: Unit, length: int) -> None:
    text = "aé🙂b🙂"
    assert measure(text, unit) == length
    assert split(text, length, unit) == [text]
    assert len(split(text, length - 1, unit)) == 2


@pytest.mark.parametrize(
    "character",
    [
        pytest.param("e\u0301\u0323", id="combining marks"),
        pytest.param("👩‍👩‍👧‍👦", id="a family of joined emoji"),
        pytest.param("❤️‍🔥", id="a variation selector before a joiner"),
        pytest.param("👍🏽", id="a skin tone"),
        pytest.param("🇫🇷", id="a flag"),
        pytest.param("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", id="a flag of tags"),
        pytest.param("1️⃣", id="a keycap"),
        pytest.param("\u1112\u1161\u11ab", id="Hangul letters"),
        pytest.param("한", id="a Hangul syllable"),
        pytest.param("क्षि", id="an Indic conjunct"),
        pytest.param("กำ", id="Thai AM"),
    ],
)
@pytest.mark.parametrize("unit", UNITS)
def test_a_character_is_never_taken_apart(character: str, unit: Unit) -> None:
    limit = measure(character, unit) * 3 + 1 if measure(character, unit) > 1 else 3
    pieces = split(character * 10, max(limit, 4), unit)
    assert "".join(pieces) == character * 10
    assert all(piece == character * (len(piece) // len(character)) for piece in pieces)


def test_a_line_break_of_two_characters_is_one_place_to_cut() -> None:
    assert split("abc\r\ndef", 4, "codepoint") == ["abc", "def"]


def test_a_character_longer_than_the_limit_is_cut_between_code_points() -> None:
    zalgo = "e" + "\u0301" * 30
    pieces = split(zalgo, 10, "byte")
    assert "".join(pieces) == zalgo
    assert all(measure(piece, "byte") <= 10 for piece in pieces)


def test_a_limit_that_no_character_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        split("🙂", 1, "utf16")


def test_a_fence_is_left_whole_where_it_fits_into_the_next_message() -> None:
    text = "Some words come before it.\n```py\nx = 1\ny = 2\n```"
    assert split(text, 30, "codepoint") == ["Some words come before it.", "```py\nx = 1\ny = 2\n```"]


def test_a_fence_that_must_be_cut_is_closed_and_opened_again_with_its_info_string() -> None:
    text = "```py title=a\nalpha = 1\nbeta = 2\ngamma = 3\n```\nafter"
    assert split(text, 37, "codepoint") == [
        "```py title=a\nalpha = 1\nbeta = 2\n```",
        "```py title=a\ngamma = 3\n```\nafter",
    ]


def test_the_indentation_of_code_survives_the_cut() -> None:
    text = "```py\nif alpha:\n    beta()\n    gamma()\n```"
    assert split(text, 30, "codepoint") == [
        "```py\nif alpha:\n    beta()\n```",
        "```py\n    gamma()\n```",
    ]


def test_no_empty_fence_is_left_where_only_its_closing_line_remained() -> None:
    text = "```\nalpha beta\ngamma\n```\n\nafter it all"
    assert split(text, 24, "codepoint") == ["```\nalpha beta\ngamma\n```", "after it all"]
    assert split("```\nalpha beta\ngamma\n`````` \n\nafter", 24, "codepoint") == [
        "```\nalpha beta\ngamma\n```",
        "after",
    ]


def test_a_longer_marker_is_closed_with_the_same_marker() -> None:
    text = "~~~~\n" + "line of code\n" * 6 + "~~~~"
    pieces = split(text, 50, "codepoint")
    assert len(pieces) > 1
    assert all(piece.startswith("~~~~\n") and piece.endswith("\n~~~~") for piece in pieces)


def test_a_line_of_code_longer_than_a_message_is_cut_inside_the_fence() -> None:
    pieces = split("```\n" + "x" * 50 + "\n```", 30, "codepoint")
    assert pieces == ["```\n" + "x" * 22 + "\n```", "```\n" + "x" * 22 + "\n```", "```\n" + "x" * 6 + "\n```"]


def test_a_fence_that_is_never_closed_is_closed_at_each_cut() -> None:
    pieces = split("```sh\n" + "echo hello\n" * 6, 40, "codepoint")
    assert all(piece.startswith("```sh\n") for piece in pieces)
    assert all(piece.endswith("\n```") for piece in pieces[:-1])


def test_backticks_inside_a_line_do_not_become_a_fence_at_a_cut() -> None:
    pieces = split("write it as ```code and go on with this", 20, "codepoint")
    assert not any(list(fences(piece)) for piece in pieces)


@given(st.text(), st.integers(4, 60), st.sampled_from(UNITS))
def test_every_piece_fits_and_nothing_is_lost_or_doubled(text: str, limit: int, unit: Unit) -> None:
    pieces = split(text, limit, unit)
    assert all(measure(piece, unit) <= limit for piece in pieces)
    assert all(piece.strip() for piece in pieces)
    assert ink("".join(pieces)) == ink(text)


CHARACTERS = [
    "a",
    ".",
    " ",
    "\n",
    "é",
    "e\u0301",
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "🇩🇪",
    "1️⃣",
    "\u1112\u1161\u11ab",
    "각",
    "中",
    "。",
    "नि",
]


@given(st.lists(st.sampled_from(CHARACTERS), max_size=120), st.integers(40, 80), st.sampled_from(UNITS))
def test_pieces_are_made_of_whole_characters(characters: list[str], limit: int, unit: Unit) -> None:
    rest = [character for character in characters if character.strip()]
    for piece in split("".join(characters), limit, unit):
        whole = re.sub(r"\s", "", piece)
        while whole:
            assert whole.startswith(rest[0])
            whole = whole[len(rest.pop(0)) :]
    assert not rest


WORDS = st.text("ab. \n", max_size=60)
CODE = st.text("xy=( \n", max_size=90)
INFO = st.sampled_from(["", "py", "js title=x", "c++"])
MARKER = st.sampled_from(["```", "~~~", "````"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        marker = draw(MARKER)
        parts.append(f"{draw(WORDS)}\n{marker}{draw(INFO)}\n{draw(CODE)}\n{marker}\n")
    return "".join(parts) + draw(WORDS)


@given(documents(), st.integers(40, 120), st.sampled_from(UNITS))
def test_every_piece_of_a_document_closes_the_fences_that_it_opens(text: str, limit: int, unit: Unit) -> None:
    pieces = split(text, limit, unit)
    assert all(measure(piece, unit) <= limit for piece in pieces)
    assert "".join(ink(piece) for piece in pieces) == ink(text)
    for piece in pieces:
        assert all(fence.close < len(piece) for fence in fences(piece))
    code = [ink(piece[fence.body : fence.close]) for piece in pieces for fence in fences(piece)]
    assert "".join(code) == "".join(ink(text[fence.body : fence.close]) for fence in fences(text))
    infos = {fence.opening for fence in fences(text)}
    assert all(fence.opening in infos for piece in pieces for fence in fences(piece))


@given(st.text("`~ab \n", max_size=200), st.integers(8, 40))
def test_stray_markers_break_nothing(text: str, limit: int) -> None:
    pieces = split(text, limit, "codepoint")
    assert all(len(piece) <= limit for piece in pieces)
    letters = re.sub(r"[^ab]", "", text)
    kept = re.sub(r"[^ab]", "", "".join(pieces))
    assert letters == kept or list(fences(text))
