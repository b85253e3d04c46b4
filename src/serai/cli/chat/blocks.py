"""Markdown as it comes: which part of it is complete and can be drawn for good."""

from collections.abc import Iterator

_FENCES = ("```", "~~~")


class Blocks:
    """Collects pieces of a document. A block ends at a blank line that is followed by a line which is not indented,
    outside of fenced code."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._cut = ""
        self._fence = ""
        self._blank = False

    @property
    def rest(self) -> str:
        """What has come and belongs to no complete block yet."""
        return "".join(self._lines) + self._cut

    def add(self, piece: str) -> Iterator[str]:
        """Takes a piece, and gives the blocks that are complete now."""
        *lines, self._cut = (self._cut + piece).split("\n")
        for line in lines:
            if self._begins_anew(line) and (block := "".join(self._lines)).strip():
                self._lines.clear()
                yield block
            self._lines.append(f"{line}\n")
            self._blank = not line.strip()
            self._note_fence(line.strip())

    def _begins_anew(self, line: str) -> bool:
        return self._blank and not self._fence and bool(line) and not line[0].isspace()

    def _note_fence(self, line: str) -> None:
        if self._fence:
            if line.startswith(self._fence) and not line.strip(self._fence[0]):
                self._fence = ""
        elif line.startswith(_FENCES):
            self._fence = line[: len(line) - len(line.lstrip(line[0]))]
