"""Text that others chose, made safe to show."""

import unicodedata
from typing import Final

_KEPT: Final = frozenset("\u200c\u200d")
"""Joiners: invisible, but part of the spelling of Persian names and of emoji."""

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs"})


def clean_name(text: str) -> str:
    """A display name on one line, without bidi controls, control characters and other invisible signs (SPEC 6.8).

    Line breaks and runs of white space become one space; the result may be empty.

    >>> clean_name("al\\u202eice\\nsmith")
    'alice smith'
    """
    words = " ".join(text.split())
    return "".join(char for char in words if char in _KEPT or unicodedata.category(char) not in _DROPPED).strip()
