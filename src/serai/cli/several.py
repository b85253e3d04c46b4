"""Targets that were put into one word: there a comma belongs to the chat's id (SPEC 9.5, 16.7)."""

from collections.abc import Collection
from typing import Final

from serai.cli.failure import Failed

_WORDS: Final = frozenset({"all", "origin", "local"})


def refuse_several(value: str, platforms: Collection[str]) -> None:
    """Raises Failed where what follows a comma is a target by itself; what is meant as it is can be written so, too.

    >>> refuse_several("webhook:a,b", {"webhook"})
    """
    _, *rest = value.split(",")
    known = _WORDS | {name.lower() for name in platforms}
    heads = [part.strip().partition(":")[0].partition("@")[0].lower() for part in rest]
    if heads and known.issuperset(heads):
        raise Failed("This looks like several targets; name one at a time. A comma inside an id is written `%2C`.")
