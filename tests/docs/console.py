"""Console blocks: commands behind `$ `, each followed by what it prints; and when two outputs say the same."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ID: Final = re.compile(
    r'\b(?:run|ses|dlv|resp|msg|fc|fco|conv)_[0-9a-f]{24}(?=\b|_)|(?<="id":")[0-9a-f]{12}(?=")|(?<="job":")[0-9a-f]{12}(?=")'
)
_VOLATILE: Final = (
    (_ID, lambda found: f"{found.group().rpartition('_')[0]}_ID"),
    (re.compile(r"\bchat-[0-9a-f]{12}\b"), "chat-ID"),
    (re.compile(r"\b(revision\W+)[0-9a-f]{16}\b"), r"\1REVISION"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?Z"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+Z)?"), "TIME"),
    (re.compile(r"\b1[789]\d{8}(?:\.\d+)?\b"), "TIME"),
    (re.compile(r"\b\d+ (?:s|min|h|d) ago\b"), "AGO"),
    (re.compile(r"\b(webhook:\w+ +)\d+\b"), r"\1TRIES"),
    (re.compile(r"^uptime .*$", re.MULTILINE), "uptime TIME"),
    (re.compile(r"\bpid(\W+)\d+"), r"pid\1PID"),
    (re.compile(r"^(Date|Content-Length): .*$", re.MULTILINE), r"\1: ..."),
    (re.compile(r"\b\d+\.\d{4,}(?:e-\d+)?\b"), "NUMBER"),
    (re.compile(r"\r"), ""),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
)
"""What is never twice the same: ids, times, measured numbers, and the width of columns that hold them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it is typed, with its continuation lines, and what stands below it."""

    command: str
    output: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.output}"


def steps(text: str) -> list[Step]:
    """The commands of a console block. Raises ValueError for a block that begins with something else."""
    found: list[Step] = []
    lines = text.splitlines(keepends=True)
    while lines:
        line = lines.pop(0)
        if not line.startswith("$ "):
            raise ValueError(f"output before any command: {line!r}")
        while lines and _goes_on(line):
            line += lines.pop(0)
        output: list[str] = []
        while lines and not lines[0].startswith("$ "):
            output.append(lines.pop(0))
        found.append(Step(line[2:].rstrip("\n"), "".join(output)))
    return found


def _goes_on(command: str) -> bool:
    """Whether the next line belongs to the command: behind a backslash, or inside of a quotation."""
    try:
        shlex.split(command)
    except ValueError:
        return True
    return command.endswith("\\\n")


def ids(text: str) -> list[str]:
    """The ids in an output, in their order."""
    return [found.group() for found in _ID.finditer(text)]


def same(one: str, other: str) -> bool:
    """Whether two outputs differ in nothing but what is never twice the same."""
    return _settled(one) == _settled(other)


def _settled(text: str) -> str:
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text.strip("\n")


def joined(shown: Sequence[Step]) -> str:
    """The text of a console block."""
    return "".join(map(str, shown))
