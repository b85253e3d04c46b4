"""Entries of a memory file: pure functions on its text (SPEC 16.4).

An entry is a list line (`- likes tea`) with the indented lines below it, or a paragraph; headings and blank lines are
none. New entries are list lines. Everything else that people wrote into the file stays as it is.
"""

import unicodedata
from dataclasses import dataclass

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_BULLETS = ("-", "*", "+")


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines `start` to `end` (not included) of a file, counted from 0, and their text without the bullet."""

    start: int
    end: int
    text: str


def entries(text: str) -> list[Entry]:
    """All entries, in order."""
    found: list[list[str]] = []
    starts: list[int] = []
    inside = False
    for n, line in enumerate(text.splitlines()):
        if not line.strip() or line.startswith("#"):
            inside = False
        elif inside and line.partition(" ")[0] not in _BULLETS:
            found[-1].append(line)
        else:
            inside = True
            starts.append(n)
            found.append([line])
    return [Entry(n, n + len(lines), cleaned("\n".join(lines))) for n, lines in zip(starts, found, strict=True)]


def cleaned(text: str) -> str:
    """One line: blanks joined, the bullet and characters that control a terminal or the writing direction gone."""
    line = " ".join("".join(letter for letter in text if letter.isspace() or _printed(letter)).split())
    bullet, _, rest = line.partition(" ")
    return rest if bullet in _BULLETS else line


def _printed(letter: str) -> bool:
    return letter not in _BIDI and unicodedata.category(letter) not in ("Cc", "Cs")


def added(text: str, entry: str) -> str:
    """The file's text with a new last entry."""
    body = text.rstrip()
    return f"{body}\n- {entry}\n" if body else f"- {entry}\n"


def replaced(text: str, old: Entry, new: str | None) -> str:
    """The file's text with one entry replaced, or, for None, removed."""
    lines = text.splitlines(keepends=True)
    lines[old.start : old.end] = [] if new is None else [f"- {new}\n"]
    return "".join(lines)
