"""Frames of the long connection: protobuf, proto2 (`pbbp2.Frame` of the vendor's SDKs).

Frame: 1 SeqID uint64, 2 LogID uint64, 3 service int32, 4 method int32 (all four required), 5 headers (repeated:
1 key, 2 value), 6 payload_encoding, 7 payload_type, 8 payload bytes, 9 LogIDNew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONTROL: Final = 0
DATA: Final = 1

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
_WORD: Final = 1 << 64
_LONGEST_VARINT: Final = 10

_SEQ_ID, _LOG_ID, _SERVICE, _METHOD, _HEADER, _ENCODING, _TYPE, _PAYLOAD, _LOG_ID_NEW = range(1, 10)
_KEY, _VALUE = 1, 2


class Malformed(ValueError):
    """Bytes that are no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `method` is CONTROL or DATA; `headers` keep their order."""

    service: int
    method: int
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""
    seq_id: int = 0
    log_id: int = 0
    payload_encoding: str = ""
    payload_type: str = ""
    log_id_new: str = ""

    def header(self, key: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for name, value in self.headers if name == key), "")


def encode(frame: Frame) -> bytes:
    """A frame's bytes; the four required numbers are written even where they are 0."""
    parts = [
        _number(_SEQ_ID, frame.seq_id),
        _number(_LOG_ID, frame.log_id),
        _number(_SERVICE, frame.service),
        _number(_METHOD, frame.method),
    ]
    for key, value in frame.headers:
        parts.append(_block(_HEADER, _block(_KEY, key.encode()) + _block(_VALUE, value.encode())))
    texts = ((_ENCODING, frame.payload_encoding.encode()), (_TYPE, frame.payload_type.encode()))
    parts += [_block(field, data) for field, data in (*texts, (_PAYLOAD, frame.payload)) if data]
    if frame.log_id_new:
        parts.append(_block(_LOG_ID_NEW, frame.log_id_new.encode()))
    return b"".join(parts)


def decode(data: bytes) -> Frame:
    """The frame that the bytes hold; unknown fields are passed over. Raises Malformed."""
    numbers: dict[int, int] = {}
    blocks: dict[int, bytes] = {}
    headers: list[tuple[str, str]] = []
    for field, value in _fields(data):
        if isinstance(value, int):
            numbers[field] = value
        elif field == _HEADER:
            headers.append(_header(value))
        else:
            blocks[field] = value
    if not {_SEQ_ID, _LOG_ID, _SERVICE, _METHOD} <= numbers.keys():
        raise Malformed("a required number is missing")
    return Frame(
        service=_signed(numbers[_SERVICE]),
        method=_signed(numbers[_METHOD]),
        headers=tuple(headers),
        payload=blocks.get(_PAYLOAD, b""),
        seq_id=numbers[_SEQ_ID],
        log_id=numbers[_LOG_ID],
        payload_encoding=_text(blocks.get(_ENCODING, b"")),
        payload_type=_text(blocks.get(_TYPE, b"")),
        log_id_new=_text(blocks.get(_LOG_ID_NEW, b"")),
    )


def _header(data: bytes) -> tuple[str, str]:
    found = {field: value for field, value in _fields(data) if isinstance(value, bytes)}
    return _text(found.get(_KEY, b"")), _text(found.get(_VALUE, b""))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with their values, in order."""
    index = 0
    while index < len(data):
        tag, index = _varint(data, index)
        kind = tag & 7
        if kind == _VARINT:
            value, index = _varint(data, index)
            yield tag >> 3, value
            continue
        size, index = _size(data, index, kind)
        if index + size > len(data):
            raise Malformed("it ends inside a field")
        if kind == _BYTES:
            yield tag >> 3, data[index : index + size]
        index += size


def _size(data: bytes, index: int, kind: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _varint(data, index)
    if kind == _FIXED64:
        return 8, index
    if kind == _FIXED32:
        return 4, index
    raise Malformed(f"wire type {kind} is not used")


def _varint(data: bytes, index: int) -> tuple[int, int]:
    """A number and the index behind it."""
    value = 0
    for step in range(_LONGEST_VARINT):
        if index + step >= len(data):
            raise Malformed("it ends inside a number")
        byte = data[index + step]
        value |= (byte & 0x7F) << (7 * step)
        if byte < 0x80:
            return value % _WORD, index + step + 1
    raise Malformed("a number is too long")


def _number(field: int, value: int) -> bytes:
    return _packed(field << 3 | _VARINT) + _packed(value % _WORD)


def _block(field: int, data: bytes) -> bytes:
    return _packed(field << 3 | _BYTES) + _packed(len(data)) + data


def _packed(value: int) -> bytes:
    """A number as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _signed(value: int) -> int:
    """An int32 from the 64 bits in which a varint carries it."""
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low & 0x80000000 else low


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None
