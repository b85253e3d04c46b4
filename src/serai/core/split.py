"""Long text cut into messages that a platform takes (SPEC 5.5)."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from serai.core.fence import Fence, fences, looks_like_fence
from serai.core.grapheme import is_border, last_border

Unit = Literal["codepoint", "utf16", "byte"]

_WIDEST: Final[dict[Unit, int]] = {"codepoint": 1, "utf16": 2, "byte": 4}
_BLANK: Final = " \t\n\r\v\f\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
"""White space that may be dropped at a cut: not the no-break spaces."""

_GAP: Final = re.compile(rf"[{_BLANK}]+|(?<=[。！？｡])(?=[^{_BLANK}。！？｡」』）”’\])])|(?<=[。！？｡][」』）”’])")
"""Where a text may be cut: a run of white space, or the end of a sentence in scripts without spaces."""

_BLANK_LINES: Final = re.compile(rf"[{_BLANK}]*\n")
_SENTENCE_END: Final = re.compile(r"""[.!?…。！？｡]["')\]»”’」』）]*$""")


class _Gap(NamedTuple):
    """A place to cut: text before `end`, text from `resume` on, and the line breaks that lie between."""

    end: int
    resume: int
    breaks: int


@dataclass(frozen=True, slots=True)
class _Cut:
    """A piece ends at `end`, the next one begins at `resume`, inside `fence` when that is set."""

    end: int
    resume: int
    fence: Fence | None = None


def measure(text: str, unit: Unit) -> int:
    """The length of `text` in code points, UTF-16 code units or bytes of UTF-8."""
    if unit == "codepoint":
        return len(text)
    if unit == "utf16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def split(text: str, limit: int, unit: Unit) -> list[str]:
    """Cuts `text` into pieces of at most `limit` units each, in order; nothing for a blank text.

    A cut is made at the last paragraph that fits, else line, else sentence (if that fills half a piece), else space,
    else between two characters; the white space at a cut is dropped. A code fence is left whole if it can be; one
    that is longer than a piece is closed at the end of one and opened again, with its info string, in the next.
    A single character longer than the limit is cut between code points.

    Raises ValueError for a limit that some code point does not fit.
    """
    if limit < _WIDEST[unit]:
        raise ValueError(f"a limit of {limit} {unit} units is too small for a character")
    if not text.strip():
        return []
    return [piece for piece in _Splitter(text, limit, unit).pieces() if piece.strip()]


class _Splitter:
    """One text on its way into pieces."""

    __slots__ = ("_fences", "_limit", "_text", "_unit")

    def __init__(self, text: str, limit: int, unit: Unit) -> None:
        self._text = text
        self._limit = limit
        self._unit: Unit = unit
        self._fences: Sequence[Fence] = [fence for fence in fences(text) if self._has_room(fence)]

    def pieces(self) -> Iterator[str]:
        start, inside = 0, None
        while start < len(self._text):
            head = f"{inside.opening}\n" if inside else ""
            room = self._limit - self._size(head)
            reach = self._reach(start, room)
            if reach == len(self._text):
                yield head + self._text[start:]
                return
            cut = self._cut(start, reach, room, inside)
            tail = self._tail(cut.fence) if cut.fence else ""
            yield head + self._text[start : cut.end] + tail
            start, inside = self._after(cut)

    def _after(self, cut: _Cut) -> tuple[int, Fence | None]:
        """Where to go on: a fence that has nothing left but its closing line is over, for that line was added."""
        if cut.fence is None or cut.resume < cut.fence.close:
            return cut.resume, cut.fence
        blank = _BLANK_LINES.match(self._text, cut.fence.end)
        return blank.end() if blank else cut.fence.end, None

    def _cut(self, start: int, reach: int, room: int, inside: Fence | None) -> _Cut:
        fence = inside or self._fence_from(start)
        plain = self._best(fence.close if fence else start, reach)
        if plain is not None:
            return plain
        if fence is None:
            end = self._anywhere(start, reach)
            return _Cut(end, end)
        if start < fence.start:
            return _Cut(start, fence.start)
        return self._cut_inside(start, self._reach(start, room - self._size(self._tail(fence))), fence)

    def _best(self, start: int, reach: int) -> _Cut | None:
        """The best gap outside of fences that ends the piece in (start, reach]."""
        gaps = [gap for gap in reversed(self._gaps(start, reach)) if not self._is_inside(gap.resume)]
        half = start + (reach - start) // 2
        levels = (
            (gap for gap in gaps if gap.breaks > 1),
            (gap for gap in gaps if gap.breaks),
            (gap for gap in gaps if not gap.breaks and gap.end >= half and self._ends_sentence(gap)),
            (gap for gap in gaps if not gap.breaks),
        )
        for level in levels:
            for gap in level:
                if self._is_safe(start, gap):
                    return _Cut(gap.end, gap.resume)
        return None

    def _cut_inside(self, start: int, reach: int, fence: Fence) -> _Cut:
        """The best cut of a fence that is longer than the piece: a line, else a space, else anywhere."""
        first, last = max(start, fence.body), min(reach, fence.close)
        gaps = self._gaps(first, last)
        gaps.sort(key=lambda gap: (gap.breaks > 0, gap.end), reverse=True)
        for gap in gaps:
            if self._is_safe(first, gap):
                return _Cut(gap.end, gap.resume, fence)
        end = self._anywhere(first, last)
        return _Cut(end, end, fence)

    def _gaps(self, start: int, reach: int) -> list[_Gap]:
        """All gaps that begin in (start, reach], in order."""
        found = []
        for match in _GAP.finditer(self._text, start, reach + 1):
            end = match.start()
            if end == start:
                continue
            if match.end() > reach:
                match = _GAP.match(self._text, end) or match
            breaks = self._text.count("\n", end, match.end())
            resume = self._text.rfind("\n", end, match.end()) + 1 if breaks else match.end()
            found.append(_Gap(end, resume, breaks))
        return found

    def _ends_sentence(self, gap: _Gap) -> bool:
        return _SENTENCE_END.search(self._text, max(0, gap.end - 8), gap.end) is not None

    def _is_safe(self, start: int, gap: _Gap) -> bool:
        """Whether a cut here keeps characters whole and makes no line look like one of a fence."""
        if not is_border(self._text, gap.resume):
            return False
        return gap.breaks > 0 or not self._makes_fence(start, gap.end, gap.resume)

    def _makes_fence(self, start: int, end: int, resume: int) -> bool:
        """Whether cutting a line here makes either half of it look like a line that opens or closes a fence."""
        line = max(start, self._text.rfind("\n", start, end) + 1)
        return looks_like_fence(self._text, line) or looks_like_fence(self._text, resume)

    def _anywhere(self, start: int, reach: int) -> int:
        """The last border between characters that does not make a fence out of what follows."""
        border = last_border(self._text, start, reach)
        candidate = border
        while candidate > start and looks_like_fence(self._text, candidate):
            candidate -= 1
        candidate = last_border(self._text, start, candidate) if candidate > start else start
        return border if candidate == start or looks_like_fence(self._text, candidate) else candidate

    def _is_inside(self, index: int) -> bool:
        found = bisect_right(self._fences, index - 1, key=lambda fence: fence.start) - 1
        return found >= 0 and index < self._fences[found].end

    def _fence_from(self, start: int) -> Fence | None:
        """The fence with which the text at `start` begins, white space aside."""
        found = bisect_right(self._fences, start - 1, key=lambda fence: fence.start)
        if found == len(self._fences) or self._text[start : self._fences[found].start].strip():
            return None
        return self._fences[found]

    def _has_room(self, fence: Fence) -> bool:
        """Whether a piece can hold the fence's own lines and as much code again; else it is text like any other."""
        return self._size(f"{fence.opening}\n{self._tail(fence)}") * 2 <= self._limit

    def _tail(self, fence: Fence) -> str:
        return f"\n{fence.closing}"

    def _reach(self, start: int, room: int) -> int:
        """The furthest index such that the text from `start` to it takes at most `room` units."""
        most = min(room, len(self._text) - start)
        if self._unit == "codepoint":
            return start + most
        sizes = range(1, most + 1)
        return start + bisect_right(sizes, room, key=lambda length: self._size(self._text[start : start + length]))

    def _size(self, text: str) -> int:
        return measure(text, self._unit)
