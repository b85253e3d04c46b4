"""Markdown as Discord shows it. Pure.

Discord's dialect is Markdown with neither tables nor pictures, and three levels of headings; everything else is left
as it is. A text that would become too long by it stays as it was written.
"""

import re
from collections.abc import Iterator
from typing import Final

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ROW: Final = re.compile(r"^\s*\|.*\|\s*$")
_RULE: Final = re.compile(r"^\s*\|(\s*:?-+:?\s*\|)+\s*$")
_HEADING: Final = re.compile(r"^ {0,3}#{4,6}\s+(.+?)\s*#*$")
_PICTURE: Final = re.compile(r"!\[([^\]\n]*)\]\((\S+?)(?:\s+\"[^\"\n]*\")?\)")


def render(text: str, limit: int) -> str:
    """`text` in Discord's dialect, of at most `limit` code points if `text` is."""
    rendered = "\n".join(_lines(text.split("\n")))
    return rendered if len(rendered) <= limit else text


def _lines(lines: list[str]) -> Iterator[str]:
    fence, number = "", 0
    while number < len(lines):
        line = lines[number]
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
            yield line
        elif mark:
            fence = mark[1]
            yield line
        elif rows := _table(lines, number):
            yield from _drawn(lines[number : number + rows])
            number += rows - 1
        else:
            yield _PICTURE.sub(_linked, _HEADING.sub(r"**\1**", line))
        number += 1


def _linked(picture: re.Match[str]) -> str:
    return f"[{picture[1]}]({picture[2]})" if picture[1] else picture[2]


def _table(lines: list[str], begin: int) -> int:
    """How many lines of a table begin here; 0 for none."""
    if begin + 1 >= len(lines) or not _ROW.match(lines[begin]) or not _RULE.match(lines[begin + 1]):
        return 0
    end = begin + 2
    while end < len(lines) and _ROW.match(lines[end]):
        end += 1
    return end - begin


def _drawn(lines: list[str]) -> Iterator[str]:
    """A table in columns of one width, as code: there is no other way to have it stand straight."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in [lines[0], *lines[2:]]]
    columns = max(len(row) for row in rows)
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(columns)]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    yield "```"
    yield drawn[0]
    yield "  ".join("-" * width for width in widths)
    yield from drawn[1:]
    yield "```"
