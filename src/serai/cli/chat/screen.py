"""Where answers go: drawn as Markdown on a terminal, written as they are everywhere else."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from serai.cli.chat.blocks import Blocks
from serai.cli.completion import print_pieces
from serai.cli.printable import harmless

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_DRAWN_A_SECOND = 8


class Screen(Protocol):
    def show(self, pieces: Iterable[str]) -> None:
        """Shows an answer while it comes. What had come stays also where `pieces` raises."""
        ...


class PlainScreen:
    """Text as it is, without what could drive a terminal."""

    def show(self, pieces: Iterable[str]) -> None:
        print_pieces(pieces)


class RichScreen:
    """Markdown: complete blocks are drawn once, the one that is being written again and again."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def show(self, pieces: Iterable[str]) -> None:
        from rich.live import Live

        blocks = Blocks()
        try:
            with Live(
                console=self._console,
                get_renderable=lambda: self._drawn(blocks.rest or "…"),
                refresh_per_second=_DRAWN_A_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            ):
                for piece in pieces:
                    for block in blocks.add(harmless(piece)):
                        self._console.print(self._drawn(block))
        finally:
            if blocks.rest.strip():
                self._console.print(self._drawn(blocks.rest))
            self._console.print()

    def _drawn(self, text: str) -> "RenderableType":
        from rich.markdown import Markdown

        # Links are written out: behind a link that only shows its words, any address could hide.
        return Markdown(text, hyperlinks=False)


def screen() -> Screen:
    """The one that fits standard output."""
    if not sys.stdout.isatty():
        return PlainScreen()
    from rich.console import Console

    return RichScreen(Console(file=sys.stdout))
