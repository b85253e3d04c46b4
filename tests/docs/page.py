"""The pages of docs/ as blocks, tables and headings.

What stands behind a fence's language says what the tests do with the block:

    ```yaml                    a configuration without problems
    ```yaml bad                a configuration that has problems
    ```yaml config.yaml        the same, and a file of the page's home; `bad` may follow
    ```dotenv .env             any other file of the page's home; `~/name` is a file of the user's own directory
    ```console                 commands and what they print, run from top to bottom in the page's home
    ```console shown           commands that are not run
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

_FENCE: Final = re.compile(r"^```(\w+)?([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_CODE: Final = re.compile(r"`([^`]+)`")
_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `line` is that of its first fence, `start` and `end` are where its text stands in the page."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str
    start: int
    end: int

    @property
    def file(self) -> str | None:
        """The file whose content the block is, where it says so."""
        return next((word for word in self.words if "." in word), None)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table below its head."""

    cells: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the first cell names, in back quotes."""
        return tuple(_CODE.findall(self.cells[0]))


def pages() -> Sequence[Path]:
    """Every page for readers, decisions excepted."""
    return sorted(DOCS.glob("*.md"))


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks in these languages, or all."""
    return [one for one in _blocks(page) if not languages or one.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        language, words, content = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, language or "", tuple(words.split()), content, found.start(3), found.end(3))


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def rows(text: str, head: str) -> list[Row]:
    """The rows of every table whose first column is headed `head`."""
    found, inside = [], False
    for line in prose(text).splitlines():
        cells = _cells(line)
        if not cells:
            inside = False
        elif cells[0] == head:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            found.append(Row(cells))
    return found


def _cells(line: str) -> tuple[str, ...]:
    if not line.startswith("|"):
        return ()
    return tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1]))


def sections(text: str) -> dict[str, str]:
    """What stands below each heading, up to the next heading of any depth."""
    parts = _HEADING.split(_FENCE.sub(_without_hashes, text))
    return dict(zip(parts[2::3], parts[3::3], strict=True))


def _without_hashes(block: re.Match[str]) -> str:
    """Comments inside a block are no headings."""
    return re.sub(r"^#", " #", block.group(), flags=re.MULTILINE)


def quoted(text: str) -> set[str]:
    """Everything in back quotes outside of fenced blocks."""
    return set(_CODE.findall(prose(text)))


def links(text: str) -> list[str]:
    """The targets of all links outside of fenced blocks."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """The anchors that headings get (as GitHub makes them)."""
    titles = (title for _, title in _HEADING.findall(prose(text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
