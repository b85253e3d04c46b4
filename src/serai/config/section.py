"""Typed reading of one mapping of config.yaml, key by key.

Every getter reports what is wrong at the key's place and returns the default then, so that one pass finds all
problems. A blank text, number or group counts as not set; a blank list or true/false value is a problem, because
those decide about permission (SPEC 14).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from serai.config.node import Kind, ListNode, MapNode, Node, ScalarNode
from serai.config.report import Place, Report, shown

_NAMES: dict[Kind, str] = {
    "text": "text",
    "integer": "a number",
    "decimal": "a number with a point",
    "boolean": "true/false",
    "nothing": "blank",
    "list": "a list",
    "mapping": "a group of keys",
}
_TEXT: tuple[Kind, ...] = ("text",)
_WORD: tuple[Kind, ...] = ("text", "integer")
_DIGITS_MOST = 15

Word = TypeVar("Word", bound=str)


def wrong(expected: str, node: Node) -> str:
    """The sentence for a value of the wrong type, or for a blank text."""
    if isinstance(node, ScalarNode) and node.kind == "text" and not node.text.strip():
        return "must not be blank"
    if node.kind == "decimal" and expected.startswith("text"):
        return f"must be {expected}, not a number with a point; put it in quotes"
    return f"must be {expected}, not {_NAMES[node.kind]}"


class Section:
    """The entries of a mapping at a place. Keys outside of `keys` are reported when it is opened.

    Over its keys it is iterable; `root` is the mapping's node.
    """

    __slots__ = ("place", "report", "root")

    def __init__(self, node: Node | None, place: Place, report: Report, keys: Collection[str] | None = None) -> None:
        self.place = place
        self.report = report
        self.root = self._mapping(node)
        if keys is not None:
            self.refuse_unknown(keys)

    def _mapping(self, node: Node | None) -> MapNode:
        if isinstance(node, MapNode):
            return node
        if node is not None and node.kind != "nothing":
            self.report.add(self.place, wrong("a group of keys", node))
        return MapNode(self.place.line or 0, 0, flow=True)

    def refuse_unknown(self, keys: Collection[str]) -> None:
        """Reports the entries that are none of `keys`."""
        for name in self.root.entries:
            if name not in keys:
                self.report.unknown(self.place_of(name), "unknown key", name, keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self.root.entries)

    def __contains__(self, key: str) -> bool:
        return key in self.root.entries

    def node(self, key: str) -> Node | None:
        return self.root.get(key)

    def unset(self, key: str) -> bool:
        """Whether a key is absent or has no value at all."""
        node = self.root.get(key)
        return node is None or node.kind == "nothing"

    def place_of(self, key: str) -> Place:
        entry = self.root.entries.get(key)
        return self.place.key(key, entry.key.line if entry else self.place.line)

    def section(self, key: str, keys: Collection[str] | None = None) -> "Section":
        """The group under a key; an empty one where it is not set."""
        return Section(self.node(key), self.place_of(key), self.report, keys)

    def text(self, key: str) -> str | None:
        """A text that is not blank."""
        return self._scalar(key, "text", _TEXT)

    def word(self, key: str) -> str | None:
        """A text, or a number by its digits."""
        return self._scalar(key, "text", _WORD)

    def _scalar(self, key: str, expected: str, kinds: Collection[Kind]) -> str | None:
        node = self.node(key)
        if node is None or self.unset(key):
            return None
        if not isinstance(node, ScalarNode) or node.kind not in kinds:
            self.report.add(self.place_of(key), wrong(expected, node))
        elif not node.text.strip():
            self.report.add(self.place_of(key), "must not be blank")
        else:
            return node.text
        return None

    def choice(self, key: str, options: Sequence[Word], default: Word) -> Word:
        """One of `options`, exactly as written there."""
        expected = f"one of {', '.join(options)}"
        word = self._scalar(key, expected, _TEXT)
        for option in options:
            if word == option:
                return option
        if word is not None:
            self.report.unknown(self.place_of(key), f"must be {expected}", word, options)
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        """A real boolean: true or false, unquoted."""
        node = self.node(key)
        if node is None:
            return default
        if isinstance(node, ScalarNode) and node.kind == "boolean":
            return node.text.lower() == "true"
        self.report.add(self.place_of(key), wrong("true or false", node))
        return default

    def number(self, key: str, default: int, least: int = 1, most: int | None = None) -> int:
        """A whole number from `least` to `most`."""
        found = self.optional_number(key, least, most)
        return default if found is None else found

    def seconds(self, key: str, default: float, most: float = 60.0) -> float:
        """A number from 0 to `most`, with a point or without."""
        node = self.node(key)
        if node is None or node.kind == "nothing":
            return default
        if not isinstance(node, ScalarNode) or node.kind not in ("integer", "decimal"):
            self.report.add(self.place_of(key), wrong("a number of seconds", node))
            return default
        value = float(node.text)
        if not 0 <= value <= most:
            self.report.add(self.place_of(key), f"must be a number of seconds from 0 to {most:g}")
            return default
        return value

    def switch(self, key: str, default: bool) -> bool:
        """`on` or `off`, or a real boolean."""
        node = self.node(key)
        if isinstance(node, ScalarNode) and node.kind == "boolean":
            return self.flag(key, default)
        return self.choice(key, ("on", "off"), "on" if default else "off") == "on"

    def optional_number(self, key: str, least: int = 1, most: int | None = None) -> int | None:
        node = self.node(key)
        if node is None or node.kind == "nothing":
            return None
        if not isinstance(node, ScalarNode) or node.kind != "integer":
            self.report.add(self.place_of(key), wrong("a whole number", node))
            return None
        value = int(node.text) if len(node.text) <= _DIGITS_MOST else None
        if value is None or value < least or (most is not None and value > most):
            limits = f"at least {least}" if most is None else f"from {least} to {most}"
            self.report.add(self.place_of(key), f"must be a whole number, {limits}")
            return None
        return value

    def items(self, key: str) -> list[tuple[Place, Node]] | None:
        """The entries of a list, each with its place; None where the key is absent or holds no list."""
        node = self.node(key)
        if node is None:
            return None
        place = self.place_of(key)
        if not isinstance(node, ListNode):
            self.report.add(place, wrong("a list", node))
            return None
        return [(place.item(index, item.line), item) for index, item in enumerate(node.items)]

    def placed_words(self, key: str) -> list[tuple[Place, str]] | None:
        """A list of texts or numbers, each with its place; None where the key is absent or holds no list."""
        items = self.items(key)
        if items is None:
            return None
        found: list[tuple[Place, str]] = []
        for place, item in items:
            if not isinstance(item, ScalarNode) or item.kind not in _WORD:
                self.report.add(place, wrong("text", item))
            elif not item.text.strip():
                self.report.add(place, "must not be blank")
            else:
                found.append((place, item.text))
        return found

    def words(self, key: str) -> tuple[str, ...] | None:
        """A list of texts or numbers by their digits, without repetitions."""
        found = self.placed_words(key)
        return None if found is None else tuple(dict.fromkeys(word for _, word in found))

    def names(self, key: str, valid: Collection[str], what: str) -> tuple[str, ...] | None:
        """A list of existing names; another one is reported as an unknown `what`."""
        found = self.placed_words(key)
        if found is None:
            return None
        for place, word in found:
            if word not in valid:
                self.report.unknown(place, f"unknown {what} {shown(word)}", word, valid)
        return tuple(dict.fromkeys(word for _, word in found if word in valid))
