"""What a skill says about itself: the front matter of a SKILL.md (agentskills.io layout, SPEC 2.2)."""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

NAME_MOST: Final = 64
DESCRIPTION_MOST: Final = 1024

_FENCE: Final = "---"
_FOLDS: Final = frozenset({">", ">-", ">+", "|", "|-", "|+"})


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill as the list in the prompt shows it: one line each, cut to the layout's limits."""

    name: str
    description: str


def parse_skill(text: str) -> Skill | None:
    """The skill that a SKILL.md describes; None without front matter, or where name or description is missing.

    Read are `key: value` lines, values in quotes, values that go on in indented lines, and folded or literal
    blocks. Other keys and what is nested below them are passed over.

    >>> parse_skill("---\\nname: tidy\\ndescription: Tidies a folder.\\n---\\n# Tidy\\n")
    Skill(name='tidy', description='Tidies a folder.')
    """
    block = _front_matter(text)
    if block is None:
        return None
    fields = dict(_fields(block))
    name = _line(fields.get("name", ""), NAME_MOST)
    description = _line(fields.get("description", ""), DESCRIPTION_MOST)
    return Skill(name, description) if name and description else None


def _front_matter(text: str) -> list[str] | None:
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return None
    for n, line in enumerate(lines[1:], 1):
        if line.rstrip() in (_FENCE, "..."):
            return lines[1:n]
    return None


def _fields(block: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys with the text of their values, lines of a value joined by blanks."""
    key, pieces = "", list[str]()
    for line in block:
        if line[:1] in (" ", "\t", ""):
            pieces.append(line.strip())
        elif not line.startswith("#"):
            if key:
                yield key, _value(pieces)
            key, colon, rest = (part.strip() for part in line.partition(":"))
            key, pieces = (key, [rest]) if colon else ("", [])
    if key:
        yield key, _value(pieces)


def _value(pieces: list[str]) -> str:
    first, *more = pieces
    if first.split(" #", 1)[0].rstrip() in _FOLDS:
        return " ".join(more)
    whole = " ".join(filter(None, pieces))
    if whole[:1] in ('"', "'"):
        return _unquoted(whole)
    return "" if whole.startswith("#") else whole.split(" #", 1)[0].rstrip()


def _unquoted(text: str) -> str:
    """The text between the first quote and the last of the same kind; a comment may follow the latter."""
    quote = text[0]
    end = text.rfind(quote)
    inner = text[1:end] if end > 0 else text[1:]
    if quote == "'":
        return inner.replace("''", "'")
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner


def _line(text: str, most: int) -> str:
    """One line of printable text: what stands in a list of the prompt cannot start a line of its own."""
    clean = " ".join(text.split())
    return "".join(letter for letter in clean if unicodedata.category(letter) not in ("Cc", "Cs"))[:most].strip()
