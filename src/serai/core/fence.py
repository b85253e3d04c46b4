"""Code fences of Markdown: where they stand in a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_OPENING: Final = re.compile(r"([ \t]*)(`{3,}(?=[^`\n]*$)|~{3,})[^\n]*", re.MULTILINE)
_MARKER: Final = re.compile(r"[ \t]*(?:`{3}|~{3})")


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block as offsets in its text.

    `start` is where the opening line begins, `body` the first line of code, `close` the closing line, `end` what
    follows it; an unclosed fence has `close` and `end` at the end of the text. `opening` is the opening line with
    its info string, `closing` the line that ends the block; both without line break.
    """

    start: int
    body: int
    close: int
    end: int
    opening: str
    closing: str


def looks_like_fence(text: str, index: int) -> bool:
    """Whether a line that begins at `index` would be read as one that opens or closes a fence."""
    return _MARKER.match(text, index) is not None


def fences(text: str) -> Iterator[Fence]:
    """The fences of `text` in order. They never overlap."""
    index = 0
    while index < len(text):
        opening = _OPENING.match(text, index)
        line_end = _line_end(text, index)
        if opening is None:
            index = line_end
            continue
        indent, marker = opening.groups()
        close, end = _closing(text, line_end, marker)
        yield Fence(index, line_end, close, end, opening.group().rstrip(), indent + marker)
        index = end


def _closing(text: str, index: int, marker: str) -> tuple[int, int]:
    """The closing line's start and end, from the line at `index` on."""
    pattern = re.compile(rf"^[ \t]*{marker[0]}{{{len(marker)},}}[ \t\r]*$", re.MULTILINE)
    found = pattern.search(text, index)
    if found is None:
        return len(text), len(text)
    return found.start(), _line_end(text, found.start())


def _line_end(text: str, index: int) -> int:
    """The start of the next line."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1
