"""Known secrets are taken out of texts, whole or in pieces, and out of JSON (SPEC 14)."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.redact import MARK, Redactor
from serai.core.redact_stream import RedactedStream

FEW = "abA1"
"""So few signs that values overlap, repeat themselves and are parts of others."""

ODD = 'a"\\\n\té漢/ '
values = st.lists(st.one_of(st.text(FEW, min_size=6, max_size=14), st.text(ODD, min_size=6, max_size=12)), max_size=6)
many = st.lists(st.text(FEW, min_size=8, max_size=12), min_size=30, max_size=40, unique=True)
texts = st.text(FEW + ODD, max_size=60)


@st.composite
def told(draw: st.DrawFn, known: st.SearchStrategy[list[str]]) -> tuple[list[str], str]:
    """Secrets, and a text that is likely to hold some of them."""
    secrets = draw(known)
    parts = st.one_of(texts, st.sampled_from(secrets)) if secrets else texts
    return secrets, "".join(draw(st.lists(parts, max_size=6)))


@given(st.one_of(told(values), told(many)))
def test_no_value_stands_in_a_cleaned_text(case: tuple[list[str], str]) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    cleaned = redactor.clean(text)
    assert not [value for value in secrets if len(value) >= 8 and value in cleaned]
    if not any(form in text for form in redactor.forms):
        assert cleaned is text


@given(st.one_of(told(values), told(many)), st.lists(st.integers(0, 400), max_size=20))
def test_a_text_in_pieces_is_cleaned_as_the_whole_one(case: tuple[list[str], str], cuts: list[int]) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    stream = RedactedStream(redactor)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [stream.feed(text[start:end]) for start, end in pairwise(places)]
    assert "".join([*pieces, stream.end()]) == redactor.clean(text)


@given(told(values), st.lists(st.integers(0, 400), max_size=20))
def test_nothing_is_held_but_what_a_secret_may_begin_with(case: tuple[list[str], str], cuts: list[int]) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    stream = RedactedStream(redactor)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    given_out = ""
    for start, end in pairwise(places):
        given_out += stream.feed(text[start:end])
        so_far = text[:end]
        assert redactor.clean(so_far).startswith(given_out) or MARK in given_out
        assert given_out == RedactedStream(redactor).feed(so_far)
        held = len(so_far) - redactor.tail(so_far)
        assert held == 0 or any(value.startswith(so_far[-held:]) for value in redactor.forms)


@given(told(values))
def test_a_json_document_stays_one_without_the_values(case: tuple[list[str], str]) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    document = {"text": text, text: [text, 12345678, None, {"deep": text}]}
    encoded = msgspec.json.encode(document)
    assert redactor.clean_json(encoded) == msgspec.json.encode(redactor.clean_value(document))


@given(told(values))
def test_arguments_of_calls_stay_what_they_were(case: tuple[list[str], str]) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    for written in (json.dumps({"x": text}), msgspec.json.encode({"x": text}).decode()):
        cleaned = redactor.clean_arguments(written)
        assert redactor.clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("secrets", "text", "cleaned"),
    [
        pytest.param(["fake-key-1"], "the key is fake-key-1.", f"the key is {MARK}.", id="one"),
        pytest.param(["fake-key-1", "fake-key-12"], "a fake-key-12 b", f"a {MARK} b", id="one begins as the other"),
        pytest.param(["abcdefgh", "efghijkl"], "abcdefghijkl", MARK, id="two overlap"),
        pytest.param(["aaaaaaaa"], "a" * 20, MARK, id="it overlaps itself"),
        pytest.param(["abcdefgh"], "abcdefgh" * 2, MARK * 2, id="one after the other"),
        pytest.param(["short-1"], "short-1", "short-1", id="too short"),
        pytest.param([" padded-key "], "padded-key", MARK, id="without the blanks around it"),
        pytest.param(['quo"ted\\key'], r"it is quo\"ted\\key", f"it is {MARK}", id="as JSON writes it"),
        pytest.param(["schlüssel-1"], r"schl\u00fcssel-1", MARK, id="as JSON in ASCII writes it"),
        pytest.param(["two lines\nof a key"], "a two lines\nof a key b", f"a {MARK} b", id="with a line end"),
        pytest.param(["redacted", "[redacted"], f"redacted {MARK}", f"redacted {MARK}", id="part of the mark"),
    ],
)
def test_what_becomes_of_a_text(secrets: list[str], text: str, cleaned: str) -> None:
    redactor = Redactor(secrets)
    assert redactor.clean(text) == cleaned
    stream = RedactedStream(redactor)
    assert "".join([*map(stream.feed, text), stream.end()]) == cleaned


def test_a_text_without_secrets_is_the_same_object() -> None:
    text, data = "nothing to be seen here", b'{"nothing": "to be seen"}'
    redactor = Redactor(["fake-key-1"])
    assert redactor.clean(text) is text
    assert redactor.clean_json(data) is data
    assert redactor.clean_arguments(text) is text


def test_ordinary_text_is_told_at_once() -> None:
    stream = RedactedStream(Redactor(["sk-fake-0123456789"]))
    assert [stream.feed(word) for word in ("It ", "is ", "nice", ".")] == ["It ", "is ", "nice", "."]


def test_numbers_of_a_document_stay_and_those_of_a_call_do_not() -> None:
    redactor = Redactor(["12345678"])
    assert redactor.clean_json(b'{"at":12345678,"text":"12345678"}') == b'{"at":12345678,"text":"[redacted]"}'
    assert redactor.clean_arguments('{"pin": 12345678}') == '{"pin":[redacted]}'


def test_what_is_no_json_is_cleaned_as_text() -> None:
    assert Redactor(["fake-key-1"]).clean_json(b"{not json: fake-key-1") == b"{not json: [redacted]"


def test_json_nested_too_deep_is_cleaned_as_text() -> None:
    deep = "[" * 5000 + '"fake-key-1"' + "]" * 5000
    redactor = Redactor(["fake-key-1"])
    assert "fake-key-1" not in redactor.clean_arguments(deep)
    assert b"fake-key-1" not in redactor.clean_json(deep.encode())


def test_a_redactor_grows_and_is_the_same_where_nothing_is_new() -> None:
    first = Redactor(["fake-key-1"])
    assert first.with_values(["fake-key-1"]) is first
    assert first.with_values(["fake-key-2"]).clean("fake-key-1 fake-key-2") == f"{MARK} {MARK}"


def test_many_values_are_found_by_their_beginnings() -> None:
    keys = [f"fake-{n:04}-key" for n in range(1000)] + ["with blanks in it", 'quo"ted-value']
    redactor = Redactor(keys)
    assert redactor.clean("x fake-0007-key, fake-0999-key; with blanks in it") == f"x {MARK}, {MARK}; {MARK}"
    assert redactor.clean_json(b'{"a":"quo\\"ted-value fake-0500-key"}') == b'{"a":"[redacted] [redacted]"}'
    assert redactor.clean("fake-1000-key") == "fake-1000-key"
