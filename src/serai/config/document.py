"""The text of config.yaml as nodes, or what keeps it from being read (SPEC 2.4).

The text goes through libyaml's events, not through a loader that builds values: events carry lines, keep `007` as it
was written, and are 20 times faster than a parser written in Python.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]

from serai.config.compose import Composer, Fault, Unreadable
from serai.config.node import Node

__all__ = ["Document", "Fault", "Unreadable", "decoded", "parse"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")
_TAB = re.compile(r"^ *\t\s*[^\s#]", re.MULTILINE)

_UNCLOSED = {
    "did not find expected ',' or ']'": "this `[` has no `]`, or a comma is missing",
    "did not find expected ',' or '}'": "this `{` has no `}`, or a comma is missing",
    "found unexpected end of stream": "this quote is never closed",
    "found unexpected document indicator": "this quote is never closed",
}
_PLAINLY = {
    "mapping values are not allowed in this context": (
        "a `:` stands where no value can begin: is the line indented too far, or does a text with `: ` need quotes?"
    ),
    "could not find expected ':'": "a key without `:`",
    "did not find expected key": "no key begins here: does the indentation fit the lines above?",
    "did not find expected '-' indicator": "no list item begins here: does the indentation fit the lines above?",
    "block sequence entries are not allowed in this context": "a list item cannot begin here",
    "found character that cannot start any token": "a text cannot begin with this character; put it in quotes",
    "did not find expected <document start>": "nothing may follow the end of the document",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read. `root` is None for a text without any value."""

    root: Node | None
    faults: tuple[Fault, ...] = ()


def decoded(data: bytes) -> str:
    """The bytes of a file as text, without a byte order mark. Raises Unreadable for anything but UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable("the file is not UTF-8 text", line) from error


def parse(text: str) -> Document:
    """Reads one YAML document. Raises Unreadable where nothing can be made of it."""
    _refuse_characters(text)
    composer = Composer(text)
    for event in _events(text):
        composer.take(event)
    return Document(composer.root, tuple(composer.faults))


def _refuse_characters(text: str) -> None:
    if found := _UNPRINTABLE.search(text):
        raise Unreadable("a control character stands here", _line(text, found.start()))
    if found := _TAB.search(text):
        raise Unreadable("a tab indents this line; YAML wants spaces", _line(text, found.start()))


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _events(text: str) -> Iterator[Any]:
    try:
        loader = _Loader(text)
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            yield event
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error) from error
    except yaml.YAMLError as error:
        raise Unreadable("the file is not readable as YAML") from error


def _unreadable(error: Any) -> Unreadable:
    problem = str(error.problem)
    mark = error.problem_mark
    if problem in _UNCLOSED and error.context_mark is not None:
        mark = error.context_mark
    sentence = _UNCLOSED.get(problem) or _PLAINLY.get(problem) or f"not readable as YAML: {problem}"
    return Unreadable(sentence, mark.line + 1 if mark is not None else None)
