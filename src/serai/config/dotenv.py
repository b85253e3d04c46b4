"""`.env` files: one KEY=VALUE a line (SPEC 2.5). Nothing of their content is ever repeated in a problem."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serai.config.compose import Unreadable
from serai.config.document import decoded
from serai.config.report import Place, Report

_ASSIGNMENT = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)").fullmatch
_AFTER = r"[ \t]*(?:(?<=[ \t])#.*)?"
_SINGLE = re.compile(rf"'([^']*)'{_AFTER}").fullmatch
_DOUBLE = re.compile(rf'"((?:[^"\\]|\\.)*)"{_AFTER}').fullmatch
_COMMENT = re.compile(r"[ \t]+#.*")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]").search


@dataclass(frozen=True, slots=True)
class EnvFile:
    """One file's variables. `path` says which file it is, also through links; `label` is how people know it."""

    path: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""


def read_env(path: Path, label: str, place: Place, report: Report, notices: list[str]) -> EnvFile:
    """Reads a `.env` file; one that does not exist is empty. What is wrong is reported under `place`.

    A file that others may read is closed to them (0600), or the notices say that it could not be.
    """
    try:
        data = _content(path, label, notices)
    except FileNotFoundError:
        return EnvFile(str(path), label)
    except OSError as error:
        report.add(_at(place, label, None), f"the file cannot be read: {error.strerror}")
        return EnvFile(str(path), label)
    identity = os.path.realpath(path)
    try:
        text = decoded(data)
    except Unreadable as fault:
        report.add(_at(place, label, fault.line), fault.text)
        return EnvFile(identity, label, data=data)
    return EnvFile(identity, label, _values(text, label, place, report), data)


def _at(place: Place, label: str, line: int | None) -> Place:
    return Place("", line, place.scope, place.subject, label)


def _content(path: Path, label: str, notices: list[str]) -> bytes:
    """The bytes of a regular file. Opened without blocking: a pipe of that name must not stop the start."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is not a plain file")
        if mode & 0o077:
            notices.append(_closed(descriptor, label))
        return file.read()


def _closed(descriptor: int, label: str) -> str:
    try:
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        return f"{label} can be read by other users of this machine, and that could not be changed: {error.strerror}"
    return f"{label} could be read by other users of this machine; its mode is 0600 now"


def _values(text: str, label: str, place: Place, report: Report) -> dict[str, str]:
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            pair = _pair(line.removesuffix("\r").strip(" \t"))
        except ValueError as fault:
            report.add(_at(place, label, number), str(fault))
            continue
        if pair is None:
            continue
        name, value = pair
        if name in lines:
            report.add(_at(place, label, number), f"this variable is set twice, first on line {lines[name]}")
            continue
        lines[name] = number
        found[name] = value
    return found


def _pair(line: str) -> tuple[str, str] | None:
    """Name and value of a line, None for a comment. Raises ValueError with a sentence that repeats nothing of it."""
    if not line or line.startswith("#"):
        return None
    if _CONTROL(line):
        raise ValueError("a control character stands in this line")
    match = _ASSIGNMENT(line)
    if match is None:
        raise ValueError("not of the form KEY=VALUE")
    return match[1], _value(match[2])


def _value(raw: str) -> str:
    text = raw.lstrip(" \t")
    if text.startswith("'"):
        if match := _SINGLE(text):
            return match[1]
    elif text.startswith('"'):
        if match := _DOUBLE(text):
            return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), match[1])
    else:
        return _COMMENT.sub("", raw, count=1).strip(" \t")
    raise ValueError("a quote is never closed, or something follows it")
