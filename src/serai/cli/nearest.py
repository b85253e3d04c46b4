"""The name that was probably meant."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The entry of `known` most like `word`, or None where none is near enough to be a slip."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), None)


def hint(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, to follow a sentence about an unknown word, or nothing."""
    found = nearest(word, known)
    return f" (did you mean `{found}`?)" if found else ""
