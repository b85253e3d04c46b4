"""Frames: our codec against google's protobuf, both ways."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.platforms.feishu.fragment import Fragments
from serai.platforms.feishu.frame import CONTROL, DATA, Frame, Malformed, decode, encode
from tests.platforms.feishu.pbbp2 import GoogleFrame

TEXTS = st.text(max_size=20)
WORDS = st.integers(0, 2**64 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
FRAMES = st.builds(
    Frame,
    service=INTS,
    method=INTS,
    headers=st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple),
    payload=st.binary(max_size=300),
    seq_id=WORDS,
    log_id=WORDS,
    payload_encoding=TEXTS,
    payload_type=TEXTS,
    log_id_new=TEXTS,
)


def google(frame: Frame) -> GoogleFrame:
    other = GoogleFrame(
        SeqID=frame.seq_id,
        LogID=frame.log_id,
        service=frame.service,
        method=frame.method,
        payload_encoding=frame.payload_encoding,
        payload_type=frame.payload_type,
        payload=frame.payload,
        LogIDNew=frame.log_id_new,
    )
    for key, value in frame.headers:
        other.headers.add(key=key, value=value)
    return other


@given(FRAMES)
def test_what_we_encode_google_decodes(frame: Frame) -> None:
    other = GoogleFrame()
    other.ParseFromString(encode(frame))
    mine = google(frame)
    for name in ("SeqID", "LogID", "service", "method", "payload_encoding", "payload_type", "payload", "LogIDNew"):
        assert getattr(other, name) == getattr(mine, name), name
    assert [(header.key, header.value) for header in other.headers] == list(frame.headers)


@given(FRAMES)
def test_what_google_encodes_we_decode(frame: Frame) -> None:
    assert decode(google(frame).SerializeToString()) == frame


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode(Frame(1, 1, payload=b"whole"))[:-1],
        encode(Frame(1, 1))[2:],
        b"\x08" + b"\xff" * 10,
        b"\x0b",
        encode(Frame(1, 1)) + b"\x32\x02\xff\xfe",
    ],
    ids=["nothing", "cut", "no SeqID", "a number without end", "a group", "no UTF-8"],
)
def test_bytes_that_are_no_frame_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    extra = b"\xa0\x06\x01" + b"\xaa\x06\x02hi" + b"\xad\x06abcd" + b"\xa9\x06abcdefgh"
    assert decode(encode(Frame(3, DATA, payload=b"p")) + extra) == Frame(3, DATA, payload=b"p")


def test_the_four_required_numbers_are_written_even_where_they_are_zero() -> None:
    assert encode(Frame(0, CONTROL)) == b"\x08\x00\x10\x00\x18\x00\x20\x00"


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def piece(text: str, total: object, place: object, message: str = "m1") -> Frame:
    headers = (("type", "event"), ("message_id", message), ("sum", str(total)), ("seq", str(place)))
    return Frame(1, DATA, headers, text.encode())


def test_pieces_are_joined_by_their_place_whatever_their_order() -> None:
    fragments = Fragments(Time())
    assert fragments.join(piece("c", 3, 2)) is None
    assert fragments.join(piece("a", 3, 0)) is None
    assert fragments.join(piece("a", 3, 0)) is None
    assert fragments.join(piece("b", 3, 1)) == b"abc"


def test_an_event_in_one_piece_is_whole() -> None:
    fragments = Fragments(Time())
    assert fragments.join(piece("a", 1, 0)) == b"a"
    assert fragments.join(Frame(1, DATA, (("type", "event"),), b"a")) == b"a"


@pytest.mark.parametrize(("total", "place"), [(2, 2), (5000, 0), (3, 7)])
def test_a_piece_that_cannot_be_one_is_dropped(total: int, place: int) -> None:
    assert Fragments(Time()).join(piece("a", total, place)) is None


def test_pieces_that_disagree_about_their_number_are_dropped() -> None:
    fragments = Fragments(Time())
    fragments.join(piece("a", 2, 0))
    assert fragments.join(piece("b", 3, 1)) is None
    assert fragments.join(piece("b", 2, 1)) is None, "the first piece is gone"


def test_the_rest_of_an_event_is_waited_for_10_seconds() -> None:
    time = Time()
    fragments = Fragments(time)
    fragments.join(piece("a", 2, 0))
    time.now = 10.5
    assert fragments.join(piece("b", 2, 1)) is None


def test_a_flood_of_beginnings_is_bounded() -> None:
    fragments = Fragments(Time())
    for number in range(1000):
        fragments.join(piece("a", 2, 0, f"m{number}"))
    assert len(fragments._waiting) < 100
