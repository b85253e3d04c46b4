"""Where one character, as a reader sees it, ends and the next begins.

A small reading of Unicode Standard Annex 29 (extended grapheme clusters) from what `unicodedata` knows: CR LF,
combining marks, variation selectors, emoji joined by ZWJ, flags, skin tones, Hangul and Indic conjuncts.
"""

import unicodedata
from bisect import bisect_right
from typing import Final

_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
_CONTROLS: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
_TRAILING: Final = frozenset({_ZWNJ, _ZWJ, "\u0e33", "\u0eb3", "\uff9e", "\uff9f"})
"""Extenders that are no marks by category: joiners, Thai and Lao AM, half-width voicing signs."""

_LEADING: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46"
)
"""Signs that belong to what follows them (Grapheme_Cluster_Break=Prepend)."""

_VIRAMAS: Final = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
_PICTURES: Final = (
    (0xA9, 0xA9), (0xAE, 0xAE), (0x203C, 0x203C), (0x2049, 0x2049), (0x2122, 0x2122), (0x2139, 0x2139),
    (0x2194, 0x21AA), (0x231A, 0x23FF), (0x24C2, 0x24C2), (0x25AA, 0x25FE), (0x2600, 0x27BF), (0x2934, 0x2935),
    (0x2B05, 0x2B55), (0x3030, 0x3030), (0x303D, 0x303D), (0x3297, 0x3299), (0x1F000, 0x1F1E5), (0x1F200, 0x1F3FA),
    (0x1F400, 0x1FAFF), (0x1FC00, 0x1FFFD),
)  # fmt: skip
"""Ranges that hold the characters with Extended_Pictographic, a little wider where a gap costs nothing."""

_PICTURE_STARTS: Final = tuple(first for first, _ in _PICTURES)


def is_border(text: str, index: int) -> bool:
    """Whether `text` may be cut before `index` (counted in code points) without taking a character apart."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return False
    if _is_control(before) or _is_control(after):
        return True
    if _extends(after) or before in _LEADING:
        return False
    return not (_is_syllable(before, after) or _is_joined(text, index) or _splits_flag(text, index))


def last_border(text: str, low: int, high: int) -> int:
    """The last border in (low, high]; `high` itself where one character fills all of that."""
    for index in range(high, low, -1):
        if is_border(text, index):
            return index
    return high


def _is_control(char: str) -> bool:
    if char < " " or "\x7f" <= char <= "\x9f":
        return True
    return unicodedata.category(char) in _CONTROLS and not _extends(char) and char not in _LEADING


def _extends(char: str) -> bool:
    if char < "\u0300":
        return False
    return (
        char in _TRAILING
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or unicodedata.category(char) in _MARKS
    )


def _is_joined(text: str, index: int) -> bool:
    """Whether a ZWJ or a virama before `index` ties what follows to what precedes it."""
    after = text[index]
    last = text[index - 1]
    if last == _ZWJ and _is_picture(after):
        start = index - 2
        while start > 0 and _extends(text[start]):
            start -= 1
        return start >= 0 and _is_picture(text[start])
    start = index - 1
    while start >= 0 and _extends(text[start]):
        if text[start] in _VIRAMAS and _same_script(text[start], after):
            return True
        start -= 1
    return False


def _same_script(virama: str, letter: str) -> bool:
    """Each of the scripts concerned has one block of 128 code points."""
    return ord(virama) >> 7 == ord(letter) >> 7 and unicodedata.category(letter) == "Lo"


def _is_picture(char: str) -> bool:
    code = ord(char)
    found = bisect_right(_PICTURE_STARTS, code) - 1
    return found >= 0 and code <= _PICTURES[found][1]


def _splits_flag(text: str, index: int) -> bool:
    """Whether `index` is inside a pair of regional indicators."""
    if not (_is_regional(text[index]) and _is_regional(text[index - 1])):
        return False
    start = index
    while start > 0 and _is_regional(text[start - 1]):
        start -= 1
    return (index - start) % 2 == 1


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_syllable(before: str, after: str) -> bool:
    """Whether two Hangul characters form one block (L, V, T, LV, LVT)."""
    first, second = _hangul(before), _hangul(after)
    if first == "L":
        return second in ("L", "V", "LV", "LVT")
    if first in ("LV", "V"):
        return second in ("V", "T")
    return first in ("LVT", "T") and second == "T"


def _hangul(char: str) -> str:
    code = ord(char)
    if 0xAC00 <= code <= 0xD7A3:
        return "LVT" if (code - 0xAC00) % 28 else "LV"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB else ""
