"""Changes to the text of config.yaml that leave every other character as it is (SPEC 12.2).

Nodes know where their text stands, so an entry is added or taken out as text. Whoever changes a file reads the result
again and compares it with what was meant: a text that these rules do not understand is refused, never spoilt.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from serai.config.document import parse
from serai.config.node import ListNode, MapNode, ScalarNode, plain_kind

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@+=-]*").fullmatch


class Unpatchable(Exception):
    """The text is written in a way that cannot be changed safely."""


def flow(value: object) -> str:
    """A value as YAML on one line. Raises TypeError for anything but texts, numbers, lists and mappings."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            safe = _PLAIN(value) and plain_kind(value) == "text"
            return value if safe else json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
        case list() | tuple() | set() | frozenset():
            return "[" + ", ".join(map(flow, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no place in config.yaml")


def with_pair(text: str, top: str, key: str, value: Mapping[str, object]) -> str:
    """The text with a new entry in the mapping under the top-level key `top`. Raises Unpatchable, Unreadable."""
    step = _step(text, top)
    lines = [f"{flow(key)}:" if value else f"{flow(key)}: {{}}"]
    lines.extend(f"{step}{flow(name)}: {flow(one)}" for name, one in value.items())
    return _added(text, top, lines, f"{flow(key)}: {flow(value)}", "{}", step)


def with_entry(text: str, path: Sequence[str], key: str, value: Mapping[str, object]) -> str:
    """The text with a new entry in the mapping down a path of keys, which has entries already. Raises Unpatchable,
    Unreadable."""
    node: object = _root(text)
    for name in path:
        entry = node.entries.get(name) if isinstance(node, MapNode) else None
        if entry is None or not entry.here:
            raise Unpatchable(f"`{'.'.join(path)}` is written in a way that cannot be changed here")
        node = entry.value
    if not isinstance(node, MapNode) or not _cells(node):
        raise Unpatchable(f"`{'.'.join(path)}` is written in a way that cannot be changed here")
    if node.flow:
        return _into_flow(text, node, f"{flow(key)}: {flow(value)}")
    return _below_last(
        text, node, [f"{flow(key)}:", *(f"  {flow(name)}: {flow(one)}" for name, one in value.items())]
    )


def with_item(text: str, top: str, value: Mapping[str, object]) -> str:
    """The text with a new item at the end of the list under the key `top`. Raises Unpatchable, Unreadable."""
    return _added(text, top, [f"- {flow(value)}"], flow(value), "[]", _step(text, top))


def with_value(text: str, top: str, value: object) -> str:
    """The text with the top-level key `top` set to a value; what stood there goes. Raises Unpatchable, Unreadable."""
    root = _root(text)
    if root is None or (top not in root.entries and not root.flow):
        return _at_end(text, [f"{top}: {flow(value)}"])
    if top not in root.entries:
        return _into_flow(text, root, f"{top}: {flow(value)}")
    entry = root.entries[top]
    if not entry.here:
        raise Unpatchable(f"`{top}` is written in a way that cannot be changed here")
    colon = text.index(":", entry.key.end) + 1
    return f"{text[:colon]} {flow(value)}{text[max(entry.end, colon) :]}"


def with_scalar(text: str, top: str, key: str, value: str) -> str:
    """The text with one text set in the mapping under the top-level key `top`. Raises Unpatchable, Unreadable."""
    node, _ = _collection(text, top)
    entry = node.entries.get(key) if isinstance(node, MapNode) else None
    if entry is None:
        line = f"{flow(key)}: {flow(value)}"
        return _added(text, top, [line], line, "{}", _step(text, top))
    if not entry.here or not isinstance(entry.value, ScalarNode):
        raise Unpatchable(f"`{top}.{key}` is written in a way that cannot be changed here")
    colon = text.index(":", entry.key.end) + 1
    return f"{text[:colon]} {flow(value)}{text[max(entry.end, colon) :]}"


def without(text: str, top: str, numbers: Sequence[int]) -> str:
    """The text without the entries or items `numbers` (from 0) of `top`. Raises Unpatchable, Unreadable."""
    node, colon = _collection(text, top)
    if not node.flow:
        return _without_lines(text, node, numbers, colon)
    for number in sorted(numbers, reverse=True):
        node, _ = _collection(text, top)
        start, end = _flow_span(node, number)
        text = text[:start] + text[end:]
    return text


def _root(text: str) -> MapNode | None:
    root = parse(text).root
    if root is None or root.kind == "nothing":
        return None
    if not isinstance(root, MapNode):
        raise Unpatchable("the file is no group of keys")
    return root


def _collection(text: str, top: str) -> tuple[ListNode | MapNode, int]:
    """The list or mapping under a top-level key, and where the key's colon ends."""
    root = _root(text)
    entry = root.entries.get(top) if root else None
    if entry is None or not entry.here or isinstance(entry.value, ScalarNode):
        raise Unpatchable(f"`{top}` is written in a way that cannot be changed here")
    return entry.value, text.index(":", entry.key.end) + 1


def _cells(node: ListNode | MapNode) -> list[tuple[int, int]]:
    """Where the text of each item or entry begins and ends. Raises Unpatchable where one stands elsewhere."""
    if isinstance(node, MapNode):
        if any(entry.merged for entry in node):
            raise Unpatchable("entries come from another mapping, with `<<`")
        return [(entry.key.start, entry.end) for entry in node]
    return [(item.start, end) for item, end in zip(node.items, node.ends, strict=True)]


def _added(text: str, top: str, lines: list[str], inline: str, empty: str, step: str) -> str:
    """`lines` go into a block, `inline` between brackets, whichever the file uses; `empty` is an empty collection."""
    root = _root(text)
    if root is None or (top not in root.entries and not root.flow):
        return _at_end(text, [f"{top}:", *(step + line for line in lines)])
    if top not in root.entries:
        return _into_flow(text, root, f"{top}: {empty[0]}{inline}{empty[1]}")
    entry = root.entries[top]
    node = entry.value
    if not entry.here or not (node.kind == "nothing" or isinstance(node, MapNode if empty == "{}" else ListNode)):
        raise Unpatchable(f"`{top}` is written in a way that cannot be changed here")
    if not isinstance(node, ScalarNode) and _cells(node):
        return _into_flow(text, node, inline) if node.flow else _below_last(text, node, lines)
    if root.flow:
        colon = text.index(":", entry.key.end) + 1
        return f"{text[:colon]} {empty[0]}{inline}{empty[1]}{text[entry.end :]}"
    indent = " " * _column(text, entry.key.start) + step
    bare = text[: node.start].rstrip(" ") + text[entry.end :]
    return _below(bare, entry.key.end, [indent + line for line in lines])


def _below_last(text: str, node: ListNode | MapNode, lines: list[str]) -> str:
    """Below the last entry of a block, as far in as its first one."""
    start, _ = _cells(node)[0]
    if isinstance(node, ListNode):
        start = text.rindex("-", _line_start(text, start), start)
    indent = " " * _column(text, start)
    return _below(text, node.end, [indent + line for line in lines])


def _into_flow(text: str, node: ListNode | MapNode, inline: str) -> str:
    cells = _cells(node)
    if cells:
        end = cells[-1][1]
        return f"{text[:end]}, {inline}{text[end:]}"
    opening = text.index("{" if isinstance(node, MapNode) else "[", node.start) + 1
    return text[:opening] + inline + text[opening:]


def _at_end(text: str, lines: list[str]) -> str:
    newline = _newline(text)
    gap = "" if not text or text.endswith("\n") else newline
    return text + gap + newline.join(lines) + newline


def _below(text: str, index: int, lines: list[str]) -> str:
    """New lines under the one that holds `index`."""
    end = text.find("\n", index)
    if end < 0:
        return _at_end(text, lines)
    newline = _newline(text)
    return text[: end + 1] + newline.join(lines) + newline + text[end + 1 :]


def _without_lines(text: str, node: ListNode | MapNode, numbers: Sequence[int], colon: int) -> str:
    cells = _cells(node)
    if len(set(numbers)) == len(cells):
        empty = " {}" if isinstance(node, MapNode) else " []"
        return text[:colon] + empty + _cut(text, [_lines_of(text, node, number) for number in numbers])[colon:]
    return _cut(text, [_lines_of(text, node, number) for number in numbers])


def _lines_of(text: str, node: ListNode | MapNode, number: int) -> tuple[int, int]:
    """The whole lines of an entry or item; whatever else stands on them is not to be lost."""
    start, end = _cells(node)[number]
    if isinstance(node, ListNode):
        after = node.ends[number - 1] if number else node.start
        start = text.rindex("-", after, start)
    first = _line_start(text, start)
    if text[first:start].strip(" ?"):
        raise Unpatchable("an entry shares its line with something else")
    newline = text.find("\n", end)
    return first, len(text) if newline < 0 else newline + 1


def _flow_span(node: ListNode | MapNode, number: int) -> tuple[int, int]:
    """An entry of a bracketed collection with the comma that goes with it."""
    cells = _cells(node)
    if number > 0:
        return cells[number - 1][1], cells[number][1]
    start, end = cells[0]
    return start, cells[1][0] if len(cells) > 1 else end


def _cut(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in sorted(set(spans), reverse=True):
        text = text[:start] + text[end:]
    return text


def _step(text: str, top: str) -> str:
    """How far the file indents: as the entries under `top` are, else two blanks."""
    root = _root(text)
    entry = root.entries.get(top) if root else None
    if entry is None or not isinstance(entry.value, MapNode) or entry.value.flow or not entry.here:
        return "  "
    first = next(iter(entry.value), None)
    width = _column(text, first.key.start) - _column(text, entry.key.start) if first else 0
    return " " * max(width, 1) if first else "  "


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _column(text: str, index: int) -> int:
    return index - _line_start(text, index)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
