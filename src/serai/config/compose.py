"""Nodes from the events of libyaml."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]

from serai.config.node import Entry, ListNode, MapNode, Node, ScalarNode, plain_kind

_DEEPEST = 64
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_ALIASED_MOST = 500_000
"""How many nodes aliases may add in all: more is a bomb, not a configuration."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]").search


class Unreadable(Exception):
    """The text is no configuration at all. `line` counts from 1."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with one key, found while reading on."""

    path: str
    line: int
    text: str


class _Frame:
    """A list or mapping that is being read, with the key that waits for its value."""

    __slots__ = ("anchor", "end", "key", "merges", "node")

    def __init__(self, node: ListNode | MapNode, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.end = node.start
        self.key: ScalarNode | None = None
        self.merges: list[MapNode] = []

    def step(self) -> str:
        """The part of the path that leads to what is being read in here."""
        if isinstance(self.node, ListNode):
            return f"[{len(self.node.items)}]"
        return f".{self.key.text}" if self.key else ""


class Composer:
    """Builds nodes from events without recursion, so that depth costs nothing before it is refused.

    After the last event `root` is the document's value, None without one, and `faults` are what is wrong with keys.
    """

    def __init__(self, text: str) -> None:
        self.root: Node | None = None
        self._text = text
        self.faults: list[Fault] = []
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._aliased = 0

    def take(self, event: Any) -> None:
        """The next event of libyaml. Raises Unreadable."""
        handle = _HANDLERS.get(type(event))
        if handle is not None:
            handle(self, event, event.start_mark.line + 1)

    def document(self, _: Any, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise Unreadable("a second document begins here; one file holds one configuration", line)

    def scalar(self, event: Any, line: int) -> None:
        _refuse_tag(event, line)
        text: str = event.value
        kind = "text" if event.style else plain_kind(text)
        if event.style == '"' and _CONTROL(text):
            raise Unreadable("an escaped control character stands in this text", line)
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):
            end = start + len(self._text[start:end].rstrip())
        self._add(ScalarNode(text, kind, line, start, end), event.anchor, end)

    def mapping(self, event: Any, line: int) -> None:
        self._open(MapNode(line, event.start_mark.index, event.flow_style), event)

    def sequence(self, event: Any, line: int) -> None:
        self._open(ListNode(line, event.start_mark.index, event.flow_style), event)

    def _open(self, node: ListNode | MapNode, event: Any) -> None:
        _refuse_tag(event, node.line)
        if len(self._frames) >= _DEEPEST:
            raise Unreadable(_TOO_DEEP, node.line)
        if self._frames and self._awaits_key():
            raise Unreadable("a key must be one word, not a list or a mapping", node.line)
        self._frames.append(_Frame(node, event.anchor))

    def _awaits_key(self) -> bool:
        frame = self._frames[-1]
        return isinstance(frame.node, MapNode) and frame.key is None

    def close(self, event: Any, _: int) -> None:
        frame = self._frames.pop()
        node = frame.node
        # libyaml ends a block where the next token begins, after blank lines and comments that are not its own.
        node.end = event.end_mark.index if node.flow else frame.end
        if isinstance(node, MapNode):
            for base in frame.merges:
                for key, entry in base.entries.items():
                    node.entries.setdefault(key, Entry(entry.key, entry.value, entry.end, merged=True))
        self._add(node, frame.anchor, node.end)

    def alias(self, event: Any, line: int) -> None:
        name: str = event.anchor
        node = self._anchors.get(name)
        if node is None:
            raise Unreadable(f"`*{name}` refers to nothing that ends before it", line)
        self._aliased += node.weight
        if self._aliased > _ALIASED_MOST:
            raise Unreadable(f"aliases repeat more than {_ALIASED_MOST} values", line)
        if len(self._frames) + node.depth > _DEEPEST:
            raise Unreadable(_TOO_DEEP, line)
        self._add(node, None, event.end_mark.index)

    def _add(self, node: Node, anchor: str | None, end: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.end = end
        parent = frame.node
        parent.weight += node.weight
        if node.depth >= parent.depth:
            parent.depth = node.depth + 1
        if isinstance(parent, ListNode):
            parent.items.append(node)
            parent.ends.append(end)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._pair(frame, parent, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> ScalarNode:
        if not isinstance(node, ScalarNode):
            raise Unreadable("a key must be one word, not a list or a mapping", node.line)
        return node

    def _pair(self, frame: _Frame, mapping: MapNode, key: ScalarNode, value: Node) -> None:
        if key.text == "<<" and (bases := _bases(value)) is not None:
            frame.merges.extend(bases)
        elif not key.text.strip():
            self._fault(key, "a key is blank")
        elif (first := mapping.entries.get(key.text)) is not None:
            self._fault(key, f"this key stands here twice, first on line {first.key.line}")
        else:
            mapping.entries[key.text] = Entry(key, value, frame.end)

    def _fault(self, key: ScalarNode, text: str) -> None:
        path = "".join(frame.step() for frame in self._frames).strip(".")
        self.faults.append(Fault(path, key.line, text))


_HANDLERS: dict[type, Callable[[Composer, Any, int], None]] = {
    yaml.ScalarEvent: Composer.scalar,
    yaml.MappingStartEvent: Composer.mapping,
    yaml.MappingEndEvent: Composer.close,
    yaml.SequenceStartEvent: Composer.sequence,
    yaml.SequenceEndEvent: Composer.close,
    yaml.AliasEvent: Composer.alias,
    yaml.DocumentStartEvent: Composer.document,
}


def _bases(value: Node) -> list[MapNode] | None:
    """The mappings that `<<` names, or None where it is an ordinary key."""
    items = value.items if isinstance(value, ListNode) else [value]
    bases = [item for item in items if isinstance(item, MapNode)]
    return bases if len(bases) == len(items) else None


def _refuse_tag(event: Any, line: int) -> None:
    if event.tag is not None:
        raise Unreadable("a tag (`!...`) has no meaning in this file", line)
