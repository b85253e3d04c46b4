"""What tools really did: an append-only file that survives the process that writes it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """`effect`: the tool has done it. `recorded`: the store has the call's result. They stand in their real order."""

    event: Literal["effect", "recorded"]
    call: str
    tool: str = ""
    agent: str = ""
    process: int = 0


class Journal:
    """Appends entries, each surely on disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, entry: Entry) -> None:
        line = json.dumps(asdict(entry)) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @property
    def lets_go(self) -> bool:
        """Whether tools that hang may return."""
        return self._path.with_suffix(".go").exists()

    def let_go(self) -> None:
        self._path.with_suffix(".go").touch()

    def read(self) -> Sequence[Entry]:
        """All entries, without one that is just being written."""
        if not self._path.exists():
            return []
        return [Entry(**json.loads(line)) for line in self._path.read_text().rpartition("\n")[0].splitlines()]
