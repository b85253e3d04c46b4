"""Known secrets taken out of whatever leaves the gateway (SPEC 14, 16.4)."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, AnyStr, Final, Generic

import msgspec

MARK: Final = "[redacted]"
"""Stands where a secret stood."""

LEAST: Final = 8
"""Shorter values are not taken out: they would tear ordinary words apart."""

_FEW: Final = 96
"""Up to so many values are searched for one by one; beyond, their beginnings are looked up first."""

_RUN: Final = re.compile(r"[0-9A-Za-z_-]{8,}")
_BYTES_RUN: Final = re.compile(rb"[0-9A-Za-z_-]{8,}")
"""What nearly every key begins with: eight such signs or more."""


class Redactor:
    """The secrets of one configuration, made ready once for all texts. Immutable.

    A value counts as it is, without the blanks around it, and as JSON writes it. Where values overlap, or one is part
    of another, all that any of them covers makes way for one mark.
    """

    __slots__ = ("_bytes", "_longest", "_texts", "firsts", "forms", "known")

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.known: Final = frozenset(values)
        """What was given."""
        forms = dict.fromkeys(form for value in self.known for form in _forms(value))
        self._texts: Final = _Needles(forms, _RUN)
        encoded = dict.fromkeys(data for form in forms for data in (_as_json(form), form.encode("utf-8", "replace")))
        self._bytes: Final = _Needles(encoded, _BYTES_RUN)
        self.forms: Final = tuple(sorted(forms))
        """What is searched for: the values as they may stand in texts."""
        self.firsts: Final = frozenset(form[0] for form in forms)
        self._longest: Final = max(map(len, forms), default=0)

    def with_values(self, values: Iterable[str]) -> "Redactor":
        """One that knows these as well; the same where there is none that is new."""
        more = self.known.union(values)
        return self if more == self.known else Redactor(more)

    def clean(self, text: str) -> str:
        """The text without the secrets; the same object where there are none.

        >>> Redactor(["fake-key-1", "key"]).clean("the key is fake-key-1")
        'the key is [redacted]'
        """
        found = self._texts.found(text)
        return _marked(text, _spans(text, found)) if found else text

    def clean_value(self, value: Any) -> Any:
        """A JSON value with all its strings cleaned, also those that are keys."""
        match value:
            case str():
                return self.clean(value)
            case dict():
                return {self.clean_value(key): self.clean_value(one) for key, one in value.items()}
            case list() | tuple():
                return [self.clean_value(one) for one in value]
            case _:
                return value

    def in_json(self, data: bytes) -> bool:
        """Whether a secret may stand in an encoded JSON document."""
        return bool(self._bytes.found(data))

    def clean_json(self, data: bytes) -> bytes:
        """The same for an encoded JSON document, which stays one; the same object where there is nothing to clean.

        What is no JSON is cleaned as text, UTF-8.
        """
        if not self.in_json(data):
            return data
        try:
            return msgspec.json.encode(self.clean_value(msgspec.json.decode(data)))
        except (ValueError, OverflowError, RecursionError):
            return self.clean(data.decode("utf-8", "replace")).encode()

    def clean_arguments(self, text: str) -> str:
        """The arguments of a tool call, as the model wrote them. If they were JSON they still are, unless a secret is
        a number there."""
        if not self.spans(text):
            return text
        try:
            cleaned: str = msgspec.json.encode(self.clean_value(msgspec.json.decode(text))).decode()
        except (ValueError, OverflowError, RecursionError):
            return self.clean(text)
        return self.clean(cleaned)

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Where secrets stand, from the first to the last; those that overlap as one."""
        found = self._texts.found(text)
        return _spans(text, found) if found else ()

    def tail(self, text: str) -> int:
        """Where the longest end of the text begins with which a secret may begin; its length where there is none."""
        end = len(text)
        first = max(0, end - self._longest + 1)
        if self.firsts.isdisjoint(text[first:]):
            return end
        for start in range(first, end):
            if text[start] in self.firsts and self._begins(text[start:]):
                return start
        return end

    def _begins(self, text: str) -> bool:
        """Whether a secret begins with the text and goes on."""
        values = self.forms
        n = bisect_left(values, text)
        if n < len(values) and values[n] == text:
            n += 1
        return n < len(values) and values[n].startswith(text)


class _Needles(Generic[AnyStr]):
    """Values to be searched for in many texts.

    A few are searched for one by one, which costs next to nothing. Of many, those that begin with eight signs of a
    `run` are found by these: only where a text has the beginning of one, that one is searched for.
    """

    __slots__ = ("_direct", "_heads", "_run")

    def __init__(self, values: Iterable[AnyStr], run: re.Pattern[AnyStr]) -> None:
        every = tuple(values)
        self._run: re.Pattern[AnyStr] = run
        self._heads: dict[AnyStr, list[AnyStr]] = {}
        if len(every) > _FEW:
            for value in every:
                if run.match(value):
                    self._heads.setdefault(value[:LEAST], []).append(value)
        self._direct: tuple[AnyStr, ...] = tuple(value for value in every if value[:LEAST] not in self._heads)

    def found(self, text: AnyStr) -> list[AnyStr]:
        """Those that are in the text."""
        if len(text) < LEAST:
            return []
        found: list[AnyStr] = []
        for value in self._direct:  # a comprehension costs as much as the search itself
            if value in text:
                found.append(value)  # noqa: PERF401
        if self._heads:
            found += [value for head in self._beginnings(text) for value in self._heads[head] if value in text]
        return found

    def _beginnings(self, text: AnyStr) -> set[AnyStr]:
        return {
            head
            for run in self._run.findall(text)
            for start in range(len(run) - LEAST + 1)
            if (head := run[start : start + LEAST]) in self._heads
        }


def _forms(value: str) -> Iterator[str]:
    """All that is searched for because of a value, nothing of it that the mark itself has."""
    for plain in (value, value.strip()):
        if len(plain) >= LEAST and plain not in MARK:
            yield plain
            yield _as_json(plain).decode()
            yield json.dumps(plain)[1:-1]


def _as_json(text: str) -> bytes:
    """What stands between the quotes; halves of characters, which no text that leaves can have, as question marks."""
    return msgspec.json.encode(text.encode("utf-8", "replace").decode())[1:-1]


def _places(text: str, value: str) -> Iterator[tuple[int, int]]:
    start = text.find(value)
    while start >= 0:
        yield start, start + len(value)
        start = text.find(value, start + 1)


def _spans(text: str, values: Iterable[str]) -> Sequence[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(place for value in values for place in _places(text, value)):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, at = list[str](), 0
    for start, end in spans:
        parts += text[at:start], MARK
        at = end
    return "".join([*parts, text[at:]])
