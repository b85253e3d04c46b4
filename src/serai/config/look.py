"""How files look from outside: a change shows without reading them (SPEC 2.6)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

Look = tuple[int, ...] | None
"""What the file system tells of a file; None where there is none."""

Looks = Mapping[Path, Look]


def look(path: Path) -> Look:
    """A file's look, through links. One that cannot be looked at is as if it were not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def look_at(paths: Iterable[Path]) -> Looks:
    """The looks of several files."""
    return {path: look(path) for path in paths}
