"""The entries of the gateway's log. It is rotated: `serai.log` is the newest file, `serai.log.1` the one before."""

import json
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

Entry = dict[str, Any]

_LOOK_S = 0.2
_FILES_MOST = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for. `agent` None: those about any agent, or none."""

    levels: tuple[str, ...]
    agent: str | None = None

    def __call__(self, entry: Entry) -> bool:
        return entry.get("level") in self.levels and self.agent in (None, entry.get("agent"))


def latest(file: Path, count: int, wanted: Wanted) -> list[Entry]:
    """The last `count` entries that are wanted, oldest first. Older files are read only where the newer have too few.

    Raises OSError where a file cannot be read.
    """
    found: list[Entry] = []
    for path in _newest_first(file):
        with path.open("rb") as lines:
            found = [*deque(filter(wanted, _entries(lines)), maxlen=count - len(found)), *found]
        if len(found) == count:
            break
    return found


def following(file: Path, wanted: Wanted) -> Iterator[Entry]:
    """Entries that are written from now on, also after the file was rotated or made anew. Never ends."""
    start = file.stat().st_size if file.exists() else 0
    while True:
        if file.exists():
            with file.open("rb") as opened:
                opened.seek(start)
                yield from filter(wanted, _entries(_written(opened, file)))
            start = 0
        time.sleep(_LOOK_S)


def _written(opened: IO[bytes], file: Path) -> Iterator[bytes]:
    """Whole lines as they come, until another file has the name and this one is read to its end."""
    rest, ended = b"", False
    while not ended:
        ended = _replaced(opened, file)
        *lines, rest = (rest + opened.read()).split(b"\n")
        yield from lines
        time.sleep(_LOOK_S)


def _newest_first(file: Path) -> Iterator[Path]:
    yield from (path for path in [file] if path.exists())
    for number in range(1, _FILES_MOST):
        path = file.with_name(f"{file.name}.{number}")
        if not path.exists():
            return
        yield path


def _entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The lines that hold an entry: one that was cut by a crash does not."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _replaced(opened: IO[bytes], file: Path) -> bool:
    """Whether another file has the name now, so that this one gets no more lines."""
    try:
        return os.fstat(opened.fileno()).st_ino != file.stat().st_ino
    except FileNotFoundError:
        return False
