"""Problems as they are found, each with its place (SPEC 2.4)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from serai.core.snapshot import Problem, Scope

_HINTS_MOST: Final = 100
"""How many problems get a nearest name: comparing words is slow, and nobody reads the hundredth hint."""

_COMPARED_LONGEST: Final = 64
_SHOWN_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something stands, and whom a problem there concerns."""

    path: str = ""
    line: int | None = None
    scope: Scope = "gateway"
    subject: str | None = None
    file: str = "config.yaml"

    def key(self, name: str, line: int | None) -> "Place":
        path = f"{self.path}.{_plain(name)}" if self.path else _plain(name)
        return Place(path, line, self.scope, self.subject, self.file)

    def item(self, index: int, line: int | None) -> "Place":
        return Place(f"{self.path}[{index}]", line, self.scope, self.subject, self.file)

    def about(self, scope: Scope, subject: str) -> "Place":
        """The same place, but a problem here concerns one agent or account only."""
        return replace(self, scope=scope, subject=subject)


class Report:
    """Collects the problems of one loading."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._hints = 0

    def add(self, place: Place, text: str, nearest: str | None = None) -> None:
        self.problems.append(Problem(place.scope, text, place.path, place.file, place.line, nearest, place.subject))

    def unknown(self, place: Place, text: str, word: str, valid: Iterable[str]) -> None:
        """A problem with a name that does not exist; the nearest of the valid ones is looked for."""
        nearest = None
        if self._hints < _HINTS_MOST:
            self._hints += 1
            nearest = _nearest(word, valid)
        self.add(place, text, nearest)

    def has(self, scope: Scope) -> bool:
        return any(problem.scope == scope for problem in self.problems)

    def by_subject(self, scope: Scope) -> dict[str, str]:
        """For each subject of that scope what is wrong, as one sentence."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            if problem.scope == scope and problem.subject is not None:
                found.setdefault(problem.subject, []).append(problem)
        return {subject: _sentence(problems) for subject, problems in found.items()}

    def ordered(self) -> tuple[Problem, ...]:
        """All problems, those of config.yaml first, by line."""
        return tuple(sorted(self.problems, key=lambda one: (one.file != "config.yaml", one.file, one.line or 0)))


def shown(word: str) -> str:
    """A word of the file for use in a sentence: in back quotes, short, without control characters."""
    return f"`{_plain(word)}`"


def _plain(word: str) -> str:
    if len(word) <= _SHOWN_LONGEST and word.isprintable():
        return word
    text = "".join(sign if sign.isprintable() else "?" for sign in word[: _SHOWN_LONGEST + 1])
    return text if len(text) <= _SHOWN_LONGEST else text[: _SHOWN_LONGEST - 1] + "…"


def _sentence(problems: list[Problem]) -> str:
    first = problems[0]
    text = f"{first.path}: {first.text}" if first.path else first.text
    rest = len(problems) - 1
    return f"{text} (and {rest} more)" if rest else text


def _nearest(word: str, valid: Iterable[str]) -> str | None:
    if len(word) > _COMPARED_LONGEST:
        return None
    names = list(valid)
    lower = {name.lower(): name for name in names}
    found = get_close_matches(word.lower(), lower, n=1)
    return lower[found[0]] if found else None
