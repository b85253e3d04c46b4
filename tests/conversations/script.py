"""Reads `.chat` files; their language is described in README.md."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TIME: Final = r"(?P<time>\*|[\d.]+[smh]?)\s+"
_SAID: Final = re.compile(
    _TIME
    + r"(?P<who>\w+)(?: in #(?P<chat>\w+))?(?P<how>(?: to bot| as bot| cut)*)(?: \((?P<id>\w+)\))?: ?(?P<text>.*)"
)
_ANSWER: Final = re.compile(_TIME + r"(?P<who>\w+) > (?P<chat>#?\w+): (?P<text>.*?)(?: \[(?P<ids>[\w ]+)\])?")
_CHANGE: Final = re.compile(_TIME + r"(?:edit (?P<edited>\w+): (?P<text>.*)|delete (?P<deleted>\w+))")
_EVENT: Final = re.compile(_TIME + r"(?P<what>kill|restart(?: without \w+)?|send is cut|approve \w+)")
_SETTING: Final = re.compile(r"(?P<name>[a-z_]+(?: \w+)?): ?(?P<value>.*)")
_KILL: Final = re.compile(r"kill (?P<side>before|after) (?P<write>\w+) (?P<nth>\d+)")
_CHECK: Final = re.compile(
    r"(?P<name>calls|saw \d+|model \d+|history \w+ #?\w+|sessions \w+ #?\w+|never stored): ?(?P<value>.*)"
)
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Unreadable(ValueError):
    """A line that is not of the language."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a person, or of another bot. `group` is None in a direct chat."""

    time: float
    who: str
    text: str
    id: str
    group: str | None
    mentioned: bool
    is_bot: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that is edited, or deleted where `text` is None."""

    time: float
    id: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the gateway."""

    time: float
    what: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: expected, where parts may be open (None), or as it came."""

    time: float | None
    who: str
    chat: str
    text: str
    ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Kill:
    """Dies on one `side` of the `nth` such `write`."""

    side: str
    write: str
    nth: int


Deed = Said | Changed | Event


@dataclass(slots=True)
class Script:
    """A parsed file."""

    settings: dict[str, str] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    checks: list[tuple[str, str]] = field(default_factory=list)
    kill: Kill | None = None

    @property
    def drivers(self) -> list[str]:
        return self.settings.get("through", "fake").split()


def read(path: Path) -> Script:
    """The script in a file. Raises Unreadable, which names the line."""
    script = Script()
    for number, line in _lines(path.read_text(encoding="utf-8")):
        if not _take(script, line):
            raise Unreadable(f"{path.name}:{number}: {line}")
    return script


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _take(script: Script, line: str) -> bool:
    if found := _ANSWER.fullmatch(line):
        script.answers.append(_answer(found.groupdict()))
    elif found := _EVENT.fullmatch(line):
        script.deeds.append(Event(_seconds(found["time"]), found["what"]))
    elif found := _CHANGE.fullmatch(line):
        script.deeds.append(Changed(_seconds(found["time"]), found["edited"] or found["deleted"], found["text"]))
    elif found := _SAID.fullmatch(line):
        count = sum(isinstance(deed, Said) for deed in script.deeds)
        script.deeds.append(_said(found.groupdict(), f"m{count + 1}"))
    elif found := _KILL.fullmatch(line):
        script.kill = Kill(found["side"], found["write"], int(found["nth"]))
    elif found := _CHECK.fullmatch(line):
        script.checks.append((found["name"], found["value"]))
    elif (found := _SETTING.fullmatch(line)) and not script.deeds:
        script.settings[found["name"]] = found["value"]
    else:
        return False
    return True


def _said(parts: Mapping[str, str], number: str) -> Said:
    how = parts["how"]
    return Said(
        _seconds(parts["time"]),
        parts["who"],
        parts["text"].replace(" / ", "\n"),
        parts["id"] or number,
        parts["chat"],
        "to bot" in how,
        "as bot" in how,
        "cut" in how,
    )


def _answer(parts: Mapping[str, str]) -> Answer:
    time = None if parts["time"] == "*" else _seconds(parts["time"])
    ids = tuple(parts["ids"].split()) if parts["ids"] else None
    return Answer(time, parts["who"], parts["chat"], parts["text"], ids)


def _seconds(text: str) -> float:
    unit = text[-1] if text[-1] in _UNITS else ""
    return float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
