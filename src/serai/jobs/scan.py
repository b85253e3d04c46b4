"""The text of a jobs file, and where in it each job stands (SPEC 9.1).

A job is written by replacing its own piece of the text; so what people have put around it, unknown keys and other
jobs that are wrong included, stays as it is to the byte.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serai.ports.jobs import JobsDamaged

ENTRIES_MOST: Final = 10_000
VALUES_MOST: Final = 200_000
"""Bounds of a file: jobs, and commas and brackets, which count its values. Reading more would take too long."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_LAST_CONTROL: Final = 0x1F
_DIGITS_MOST: Final = 400
"""Longer numbers are not turned into numbers: it is slow, and an error in Python."""


class Constant(str):
    """What stands for a word such as NaN, or a number without end: no value that a job may have. It says why."""


class Repeated(dict[str, Any]):
    """A map that has keys more than once, `twice`; it holds the last value of each."""

    twice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of `jobs`: its value, and its piece `text[start:end]`.

    `raw`: a text of it holds control characters that JSON forbids there. `suspect`: some may be written in the way of
    JSON, with a backslash.
    """

    value: object
    start: int
    end: int
    raw: bool = False
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole file. `text[start:end]` is what stands between the brackets of `jobs`."""

    text: str
    start: int
    end: int
    entries: tuple[Entry, ...] = ()


def scan(text: str) -> Sheet:
    """Reads a file's text. Raises JobsDamaged, with the place where it stops making sense."""
    if sum(map(text.count, ",[{")) > VALUES_MOST:
        raise JobsDamaged(f"holds more than {VALUES_MOST:,} values")
    cursor = _Cursor(text)
    try:
        return _sheet(cursor)
    except json.JSONDecodeError as error:
        raise _fault(text, error.pos, error.msg) from None
    except RecursionError:
        raise JobsDamaged("is nested too deeply") from None


def _sheet(cursor: "_Cursor") -> Sheet:
    if cursor.peek() == "[":
        raise JobsDamaged('is a list; it must be a map: {"jobs": [...]}')
    if not cursor.peek():
        raise JobsDamaged('is empty; an empty list of jobs is {"jobs": []}')
    found: Sheet | None = None
    keys: list[str] = []
    for _ in cursor.members("{", "}"):
        key = cursor.key()
        keys.append(key)
        if key != "jobs":
            cursor.value()
        elif found is not None:
            raise JobsDamaged("has `jobs` twice")
        else:
            found = _jobs(cursor)
    if cursor.peek():
        raise _fault(cursor.text, cursor.at, "Extra data")
    if found is None:
        raise JobsDamaged(_missing(keys))
    return found


def _missing(keys: Sequence[str]) -> str:
    near = next((key for key in keys if key.lower() in ("job", "jobs", "cron", "crons")), None)
    return f'has no `jobs`; it must be {{"jobs": [...]}}{f" (instead of `{near}`)" if near else ""}'


def _jobs(cursor: "_Cursor") -> Sheet:
    if cursor.peek() != "[":
        raise JobsDamaged("`jobs` must be a list")
    start = cursor.at + 1
    entries: list[Entry] = []
    for _ in cursor.members("[", "]"):
        if len(entries) == ENTRIES_MOST:
            raise JobsDamaged(f"holds more than {ENTRIES_MOST:,} jobs")
        entries.append(cursor.entry())
    return Sheet(cursor.text, start, cursor.at - 1, tuple(entries))


def _fault(text: str, at: int, reason: str) -> JobsDamaged:
    if at >= len(text.rstrip()):
        return JobsDamaged(f"ends too early, in line {text.rstrip().count(chr(10)) + 1}: a part of it is missing")
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    if reason.startswith("Unterminated string"):
        reason = "the text that begins here has no end"
    elif ord(text[at]) <= _LAST_CONTROL:
        reason = f"a control character (U+{ord(text[at]):04X}) outside of a text"
    return JobsDamaged(f"is no JSON: line {line}, column {column}: {reason}")


class _Cursor:
    """Walks through the text. Its methods raise JSONDecodeError and RecursionError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 1 if text.startswith("\ufeff") else 0

    def peek(self) -> str:
        """The next sign that is no space; blank at the end."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def take(self, *signs: str) -> str:
        sign = self.peek()
        if sign not in signs:
            raise json.JSONDecodeError(f"{' or '.join(map(repr, signs))} expected", self.text, self.at)
        self.at += 1
        return sign

    def members(self, first: str, last: str) -> Iterator[None]:
        """Stops in front of each member of a list or map, from bracket to bracket."""
        self.take(first)
        if self.peek() == last:
            self.at += 1
            return
        while True:
            yield
            if self.take(",", last) == last:
                return

    def key(self) -> str:
        if self.peek() != '"':
            raise json.JSONDecodeError("a key in quotes expected", self.text, self.at)
        key, self.at = _LENIENT.raw_decode(self.text, self.at)
        self.take(":")
        return str(key)

    def value(self) -> object:
        self.peek()
        value, self.at = _LENIENT.raw_decode(self.text, self.at)
        return value

    def entry(self) -> Entry:
        self.peek()
        start = self.at
        try:
            value, self.at = _STRICT.raw_decode(self.text, start)
        except json.JSONDecodeError:
            return Entry(self.value(), start, self.at, raw=True, suspect=True)
        return Entry(value, start, self.at, suspect="\\" in self.text[start : self.at])


def _map(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = Counter(key for key, _ in pairs)
    repeated = Repeated(found)
    repeated.twice = tuple(key for key, count in keys.items() if count > 1)
    return repeated


# Functions of our own, not the built-in ones: other threads get their turn between two numbers.
def _integer(digits: str) -> int | Constant:
    return int(digits) if len(digits) <= _DIGITS_MOST else Constant("the number has too many digits")


def _constant(name: str) -> Constant:
    return Constant(f"{name} is no value of JSON")


def _decimal(digits: str) -> float:
    return float(digits)


def _decoder(*, strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_map, parse_constant=_constant, parse_int=_integer, parse_float=_decimal, strict=strict
    )


_STRICT: Final = _decoder(strict=True)
_LENIENT: Final = _decoder(strict=False)
