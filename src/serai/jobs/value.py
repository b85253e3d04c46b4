"""Single values of a job: their types, and what is wrong with them as a piece of a sentence (SPEC 9.2)."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final, Protocol, TypeVar

from serai.core.ids import JobId
from serai.core.job import is_job_id
from serai.jobs.scan import Constant, Repeated

_T_co = TypeVar("_T_co", covariant=True)

_NAMES: Final = {
    str: "text",
    bool: "true/false",
    int: "a number",
    float: "a number",
    list: "a list",
    type(None): "null",
}
ITEMS_MOST: Final = 100
"""Items of a list in a job."""

_REPEAT_MOST: Final = 1_000_000_000
_KEPT: Final = "\n\t"
_SPACE: Final = " "
_DEPTH: Final = 3
_COMPARED_LONGEST: Final = 64
_SHOWN_LONGEST: Final = 60


class Wrong(ValueError):
    """A value that cannot be; the text follows the field's name in a sentence.

    `at` is the place in a list that it is about.
    """

    def __init__(self, text: str, at: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.at = at

    def about(self, field: str) -> str:
        """The sentence."""
        return f"`{field}` {self.text}" if self.at is None else f"`{field}[{self.at}]` {self.text}"


class Reader(Protocol[_T_co]):
    """Checks a value and gives what it means. Raises Wrong."""

    def __call__(self, value: object, /) -> _T_co: ...


def wrong(expected: str, value: object) -> Wrong:
    """The fault of a value that is not of the type `expected`."""
    if isinstance(value, Constant):
        return Wrong(f"must be {expected}: {value}")
    return Wrong(f"must be {expected}, not {_NAMES.get(type(value), 'a map')}")


def text(value: object) -> str:
    """Any text."""
    if type(value) is not str:
        raise wrong("text", value)
    if not value.isprintable() and not _encodable(value):
        raise Wrong("holds half of a character (a lone surrogate)")
    return value


def line(value: object, expected: str = "text") -> str:
    """A text of one line that is not blank, without space around it."""
    if type(value) is not str:
        raise wrong(expected, value)
    found = (value if value.isprintable() else text(value)).strip()
    if not found:
        raise Wrong("must not be blank")
    if "\n" in found:
        raise Wrong("must be one line")
    return found


def label(value: object) -> str:
    """A line that may be blank."""
    return line(value) if type(value) is not str or value.strip() else ""


def word(value: object) -> str:
    """An id: a line, or a whole number by its digits."""
    return str(value) if type(value) is int else line(value)


def flag(value: object) -> bool:
    if type(value) is not bool:
        raise wrong("true or false", value)
    return value


def times(value: object) -> int:
    """How often: a whole number above 0."""
    if type(value) is not int:
        raise wrong("a whole number above 0", value)
    if not 0 < value <= _REPEAT_MOST:
        raise Wrong(f"must be between 1 and {_REPEAT_MOST:,}")
    return value


def names(value: object) -> tuple[str, ...]:
    """A list of lines."""
    if not isinstance(value, list):
        raise wrong("a list of texts", value)
    if len(value) > ITEMS_MOST:
        raise Wrong(f"must not be longer than {ITEMS_MOST} items")
    found: list[str] = []
    for at, item in enumerate(value):
        try:
            found.append(line(item))
        except Wrong as fault:
            raise Wrong(fault.text, at) from None
    return tuple(found)


def job_ids(value: object) -> tuple[JobId, ...]:
    """A list of ids of jobs."""
    found = names(value)
    for at, name in enumerate(found):
        if not is_job_id(name):
            raise Wrong(f"must be the id of a job, 12 hex digits, not {shown(name)}", at)
    return tuple(map(JobId, found))


def places(value: object) -> tuple[str, ...]:
    """One target, or a list of some."""
    if isinstance(value, list):
        if not value:
            raise Wrong('must not be an empty list; "local" sends nothing')
        return names(value)
    return (line(value, "a text or a list of texts"),)


def cleaned(value: Any, depth: int = _DEPTH) -> Any:
    """The same without control characters in its texts, newlines and tabs apart."""
    if type(value) is str:
        return value if value.isprintable() else _cleaned_text(value)
    if depth and type(value) is list:
        return [cleaned(item, depth - 1) for item in value]
    if depth and type(value) is dict:
        return {key: cleaned(item, depth - 1) for key, item in value.items()}
    return value


def _cleaned_text(value: str) -> str:
    return "".join(sign for sign in value if sign >= _SPACE or sign in _KEPT)


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def repeated(value: object) -> tuple[str, ...]:
    """The keys that a map has more than once."""
    return value.twice if isinstance(value, Repeated) else ()


def shown(name: str) -> str:
    """A word of the file for use in a sentence: in back quotes, short, without control characters."""
    text = "".join(sign if sign.isprintable() else "?" for sign in name[: _SHOWN_LONGEST + 1])
    return f"`{text}`" if len(text) <= _SHOWN_LONGEST else f"`{text[: _SHOWN_LONGEST - 1]}…`"


class Hints:
    """Finds the valid name that was probably meant, for the first `most` problems: comparing words is slow, and
    nobody reads the hundredth hint."""

    def __init__(self, most: int = 100) -> None:
        self._left = most
        self._known: dict[Callable[[], Iterable[str]], dict[str, str]] = {}

    def near(self, name: str, valid: Callable[[], Iterable[str]]) -> str:
        """` (did you mean ...?)`; blank where no name is near. `valid` is asked once."""
        if len(name) > _COMPARED_LONGEST or not self._left:
            return ""
        self._left -= 1
        if valid not in self._known:
            self._known[valid] = {known.lower(): known for known in valid()}
        lower = self._known[valid]
        found = get_close_matches(name.lower(), lower, n=1)
        return f" (did you mean `{lower[found[0]]}`?)" if found else ""
