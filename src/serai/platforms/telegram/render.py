"""Markdown as Telegram's HTML (Bot API, "HTML style"). Pure.

What people read is never longer than the Markdown was: so a text that fits as Markdown fits.
"""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Final

from serai.platforms.telegram.inline import inline

_FENCE: Final = re.compile(r"[ ]{0,3}(?P<marks>`{3,}|~{3,})[ ]*(?P<language>[^\s`]*)[^`]*$")
_HEADING: Final = re.compile(r"[ ]{0,3}#{1,6}[ ]+(?P<title>.+?)[ #]*$")
_RULE: Final = re.compile(r"[ ]{0,3}([-*_])(?:[ ]*\1){2,}[ ]*$")
_ITEM: Final = re.compile(r"(?P<indent>[ ]*)[-*+][ ]+(?P<task>\[[ xX]\][ ]+)?(?P<text>\S.*)$")
_QUOTE: Final = re.compile(r"[ ]{0,3}>[ ]?(?P<text>.*)$")
_TABLE_LINE: Final = re.compile(r"[ ]*\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)+\|?[ ]*$")


def render(text: str) -> str:
    """A text of Markdown, whole or cut anywhere, as HTML in which every tag is closed."""
    return "\n".join(_Blocks(text.split("\n")).rendered())


class _Blocks:
    """A text, line by line."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._next = 0

    def rendered(self) -> Iterator[str]:
        while self._next < len(self._lines):
            line = self._lines[self._next]
            if fence := _FENCE.match(line):
                yield self._code(fence["marks"], fence["language"])
            elif self._is_table():
                yield f"<pre>{escape(self._take(lambda line: '|' in line), quote=False)}</pre>"
            elif _QUOTE.match(line):
                yield self._quote()
            else:
                self._next += 1
                yield _line(line)

    def _code(self, marks: str, language: str) -> str:
        """A code block, to its closing line or else to the end."""
        closing = re.compile(rf"[ ]{{0,3}}{re.escape(marks[0])}{{{len(marks)},}}[ ]*$")
        self._next += 1
        code = escape(self._take(lambda line: not closing.match(line)), quote=False)
        self._next += 1
        if language:
            return f'<pre><code class="language-{escape(language)}">{code}</code></pre>'
        return f"<pre>{code}</pre>"

    def _quote(self) -> str:
        quoted = self._take(lambda line: _QUOTE.match(line) is not None)
        lines = (_QUOTE.match(line) for line in quoted.split("\n"))
        return f"<blockquote>{chr(10).join(_line(line['text']) for line in lines if line)}</blockquote>"

    def _is_table(self) -> bool:
        """Whether the line is the head of a table: the one below it tells."""
        below = self._next + 1
        return (
            below < len(self._lines)
            and "|" in self._lines[self._next]
            and _TABLE_LINE.match(self._lines[below]) is not None
        )

    def _take(self, belongs: Callable[[str], bool]) -> str:
        """The lines from here on that belong together."""
        start = self._next
        while self._next < len(self._lines) and belongs(self._lines[self._next]):
            self._next += 1
        return "\n".join(self._lines[start : self._next])


def _line(line: str) -> str:
    if heading := _HEADING.match(line):
        return f"<b>{inline(heading['title'])}</b>"
    if _RULE.match(line):
        return "———"
    if item := _ITEM.match(line):
        mark = "•" if item["task"] is None else "☐" if item["task"][1] == " " else "☑"
        return f"{item['indent']}{mark} {inline(item['text'])}"
    return inline(line)
