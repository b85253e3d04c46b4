"""Known secrets taken out of a text that leaves the gateway (SPEC 14)."""

from collections.abc import Iterable
from typing import Final

_LEAST: Final = 8
"""Shorter values are not taken out: they would tear ordinary words apart."""


def redacted(text: str, values: Iterable[str]) -> str:
    """The text without the values of eight characters and more; the longest go first, as one may be part of another.

    >>> redacted("the key is fake-key-1", ["fake-key-1", "key"])
    'the key is [redacted]'
    """
    found = [value for value in values if len(value) >= _LEAST and value in text]
    for value in sorted(found, key=len, reverse=True):
        text = text.replace(value, "[redacted]")
    return text
