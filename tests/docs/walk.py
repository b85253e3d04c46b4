"""Walking through a page: its files are made and its commands typed, from top to bottom.

`python -m tests.docs.walk [PAGE...]` writes what the commands print now into the pages. Read the difference before
you keep it.
"""

import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.docs.console import Step, joined, same, steps
from tests.docs.page import DOCS, Block, blocks, pages
from tests.docs.reader import Reader, reader

_READING: Final = re.compile(r"serai (?:status|\w+ (?:list|show|test))\b|curl (?!.* -(?:d|X) )", re.DOTALL).match
_LOOKS: Final = 100
_BETWEEN_LOOKS_S: Final = 0.15
"""In all far more than the three seconds in which a gateway takes a changed file over."""


def acted(page: Path) -> list[Block]:
    """The blocks of a page that somebody who follows it acts on."""
    return [one for one in blocks(page) if one.file or (one.language == "console" and "shown" not in one.words)]


def programs(commands: str) -> list[str]:
    """The reader's own programs that commands run, as files of the reader's directory."""
    return [f"~/{name}" for name in re.findall(r"\bpython (\w+\.py)\b", commands)]


def borrowed(page: Path) -> dict[str, Block]:
    """Programs of other pages, by their file: a page may run them too."""
    return {one.file: one for other in pages() if other != page for one in blocks(other, "python") if one.file}


def walked(page: Path, user: Path) -> Iterator[tuple[Block, list[Step], list[Step]]]:
    """For each console block: what the page shows, and what came of the same commands."""
    own, others = {block.file for block in acted(page)}, borrowed(page)
    with reader(user) as one:
        for block in acted(page):
            if block.file:
                one.keep(block)
                continue
            for file in programs(block.text):
                if file not in own:
                    one.keep(others[file])
            shown = steps(block.text)
            yield block, shown, [_repeated(one, step) for step in shown]


def _repeated(one: Reader, shown: Step) -> Step:
    """The step as it is now; word for word as shown where nothing has changed, so that ids and times stay.

    Who only reads may be too early, while the gateway is still writing down what it has just done, and looks again.
    """
    now = one.do(shown.command)
    looks = _LOOKS if _READING(shown.command) else 0
    while looks and not same(shown.output, now.output):
        time.sleep(_BETWEEN_LOOKS_S)
        now, looks = one.do(shown.command), looks - 1
    one.learn(shown.output, now.output)
    return shown if same(shown.output, now.output) else one.told_anew(now)


def rewrite(page: Path) -> bool:
    """Puts today's outputs into a page. Returns whether something has changed."""
    with tempfile.TemporaryDirectory() as folder:
        found = [(block, joined(now)) for block, _, now in walked(page, Path(folder, "ada"))]
    text = old = page.read_text(encoding="utf-8")
    for block, new in reversed(found):
        text = text[: block.start] + new + text[block.end :]
    page.write_text(text, encoding="utf-8")
    return text != old


def main(names: Sequence[str]) -> None:
    for page in [DOCS / name for name in names] or pages():
        if acted(page):
            print(f"{page.name}: {'changed' if rewrite(page) else 'as before'}")


if __name__ == "__main__":
    main(sys.argv[1:])
