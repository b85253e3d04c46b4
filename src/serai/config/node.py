"""A YAML document as plain nodes that know where they stand in the text.

Positions are offsets in characters; lines count from 1. A node that is used through an alias is the same object.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from re import compile as pattern
from typing import Any, Literal

Kind = Literal["text", "integer", "decimal", "boolean", "nothing", "list", "mapping"]

_FIXED: dict[str, Kind] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), "nothing"),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), "boolean"),
}
_INTEGER = pattern(r"[-+]?[0-9]+").fullmatch
_DECIMAL = pattern(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
).fullmatch


def plain_kind(text: str) -> Kind:
    """What an unquoted scalar is, by the core schema of YAML 1.2: `yes` and `0x1f` are text."""
    fixed = _FIXED.get(text)
    if fixed is not None:
        return fixed
    if text[0] in "+-.0123456789":
        if _INTEGER(text):
            return "integer"
        if _DECIMAL(text):
            return "decimal"
    return "text"


@dataclass(slots=True)
class ScalarNode:
    """One value. `text` is as it was written, without quotes: `007` stays `007`."""

    text: str
    kind: Kind
    line: int
    start: int
    end: int
    weight: int = 1
    depth: int = 0


@dataclass(slots=True)
class ListNode:
    """A list. `flow`: written in brackets. `weight` counts its nodes with aliases written out, `depth` its levels.

    `ends` says where each item's text ends; for an alias that is not where the item itself does.
    """

    line: int
    start: int
    flow: bool
    end: int = 0
    items: "list[Node]" = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    weight: int = 1
    depth: int = 1
    kind: Kind = "list"


@dataclass(slots=True)
class Entry:
    """A key and its value, whose text ends at `end`. `merged`: it came through `<<`, from another mapping's text."""

    key: ScalarNode
    value: "Node"
    end: int
    merged: bool = False

    @property
    def here(self) -> bool:
        """Whether the value's text follows the key, and is not elsewhere, behind an alias."""
        return not self.merged and self.key.end <= self.value.start and self.value.end <= self.end


@dataclass(slots=True)
class MapNode:
    """A mapping, by the text of its keys, in the order of the file. `flow`: written in braces."""

    line: int
    start: int
    flow: bool
    end: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    weight: int = 1
    depth: int = 1
    kind: Kind = "mapping"

    def get(self, key: str) -> "Node | None":
        entry = self.entries.get(key)
        return entry.value if entry else None

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


Node = ScalarNode | ListNode | MapNode


_LONGEST_NUMBER = 400
"""Longer numbers stay text: turning thousands of digits into a number is slow, and an error in Python."""


def plain(node: Node) -> object:
    """The node as Python values: dict, list, str, int, float, bool, None."""
    if isinstance(node, MapNode):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return _scalar(node)


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    if len(node.text) > _LONGEST_NUMBER:
        return node.text
    match node.kind:
        case "nothing":
            return None
        case "boolean":
            return node.text.lower() == "true"
        case "integer":
            return int(node.text)
        case "decimal":
            named = node.text[-3:].isalpha()
            return float(node.text.replace(".", "") if named else node.text)
        case _:
            return node.text


def outline(node: Node | None) -> Any:
    """What a node means, without where it stands: mappings, lists, and kind and text of each value."""
    if isinstance(node, MapNode):
        return {key: outline(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [outline(item) for item in node.items]
    return None if node is None or node.kind == "nothing" else (node.kind, node.text)
