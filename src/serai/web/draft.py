"""An answer that is being written, as every reader of its chat can take it up at any moment."""

from dataclasses import dataclass, field
from typing import Literal

ToolState = Literal["running", "done", "failed"]


@dataclass(slots=True)
class Draft:
    """The answer to one message so far. `over`: its turn has ended, and the answer itself is on its way.

    Lengths are counted in UTF-16 code units, as browsers count.
    """

    post: str
    n: int
    agent: str
    tools: dict[str, tuple[str, ToolState]] = field(default_factory=dict)
    over: bool = False
    _pieces: list[str] = field(default_factory=list)
    _ends: list[int] = field(default_factory=lambda: [0])

    @property
    def size(self) -> int:
        """How many pieces there are."""
        return len(self._pieces)

    def write(self, text: str) -> None:
        self._pieces.append(text)
        self._ends.append(self._ends[-1] + len(text.encode("utf-16-le", "surrogatepass")) // 2)

    def pause(self) -> None:
        """What follows is another paragraph: the agent did something in between."""
        if self._pieces:
            self.write("\n\n")

    def since(self, piece: int) -> tuple[int, str]:
        """Where a piece begins, and the text from there on."""
        return self._ends[piece], "".join(self._pieces[piece:])
