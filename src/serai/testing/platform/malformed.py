"""Payloads as no platform should send them, made out of good ones; for `PlatformRig.malformed`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_DEPTH: Final = 100_000
_WRONG: Final[tuple[tuple[str, Any], ...]] = (
    ("null", None),
    ("a number", 7),
    ("a text", "text"),
    ("a list", [None]),
    ("an object", {"x": {}}),
)
_SHAPES: Final = ("null", "true", "7", '"text"', "[]", "[[]]", "{}", '{"x": [{}]}', "1e999", '"\\ud800"')


@dataclass(frozen=True, slots=True)
class Malformed:
    """`payload` is what the rig's `garble` takes. `ends`: the connection may be given up over it, and made anew."""

    name: str
    payload: Any
    ends: bool = False


def texts(*, ends: bool = False) -> Iterator[Malformed]:
    """Texts that are no JSON, or JSON that is no document of any platform."""
    for name, text in (
        ("nothing", ""),
        ("half an object", '{"type":'),
        ("a page", "<html>Bad Gateway</html>"),
        ("a zero", "\0"),
    ):
        yield Malformed(f"no JSON: {name}", text, ends)
    for shape in _SHAPES:
        yield Malformed(f"JSON of another shape: {shape}", shape, ends)
    yield Malformed("nested absurdly deep lists", "[" * _DEPTH + "]" * _DEPTH, ends)
    yield Malformed("nested absurdly deep objects", '{"a":' * _DEPTH + "1" + "}" * _DEPTH, ends)


def spoilt(document: Mapping[str, Any], place: str = "") -> Iterator[Malformed]:
    """A good document with one field missing or of another type, for every field at every depth, also of documents
    that are texts inside of it."""
    for name, value in document.items():
        where = f"{place}.{name}" if place else name
        yield Malformed(f"{where} is missing", {key: kept for key, kept in document.items() if key != name})
        for kind, wrong in _WRONG:
            if type(wrong) is not type(value) or isinstance(value, list | dict):
                yield Malformed(f"{where} is {kind}", {**document, name: wrong})
        for inner in _spoilt_inside(value, where):
            yield Malformed(inner.name, {**document, name: inner.payload})


def _spoilt_inside(value: Any, where: str) -> Iterator[Malformed]:
    if isinstance(value, Mapping):
        yield from spoilt(value, where)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for inner in spoilt(value[0], f"{where}[0]"):
            yield Malformed(inner.name, [inner.payload, *value[1:]])
    elif isinstance(value, str) and value.startswith("{"):
        for inner in spoilt(json.loads(value), f"{where}()"):
            yield Malformed(inner.name, json.dumps(inner.payload))
        yield Malformed(f"{where} is half a document", value[:-1])


def damaged(data: bytes, step: int = 5) -> Iterator[Malformed]:
    """A good binary frame that ends too soon, or has a wrong byte, at every `step`th place."""
    yield Malformed("no bytes", b"")
    yield Malformed("only ones", b"\xff" * 64)
    for place in range(1, len(data), step):
        yield Malformed(f"cut at byte {place}", data[:place])
        yield Malformed(f"byte {place} is wrong", data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
