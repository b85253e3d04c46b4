"""Seeing that a folder has not changed, without reading it (SPEC 16.4)."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from serai.jobs.folder import JOBS_FILE, OWNER_FILE

_CLOCK_GRAIN_NS: Final = 50_000_000
"""Two changes of a file so close to one another may carry the same times."""

_Look = tuple[int, int, int, int, int]


class Watch:
    """What the files of a folder looked like. `settled` is False where a change may have gone unseen."""

    __slots__ = ("_folder", "_looks", "_place", "_settled")

    def __init__(self, folder: Path, wall: Callable[[], int] = time.time_ns) -> None:
        """Looks now. `wall` gives nanoseconds since the epoch, as the file system counts them."""
        now = wall()
        self._looks = _looks(folder)
        self._folder = str(folder)
        self._place = _place(self._folder, follow=False)
        self._settled = all(look is None or abs(now - look[0]) > _CLOCK_GRAIN_NS for look in self._looks)

    def holds(self, folder: Path) -> bool:
        """Whether nothing has changed since."""
        return self._settled and self._looks == _looks(folder)

    def leads(self, cron: Path) -> bool:
        """Whether that path still leads to the folder, and no link to it has taken the folder's place. That is
        cheaper than to resolve all links. One that takes the place of a folder above shows when a file changes."""
        if self._place is None or self._place != _place(self._folder, follow=False):
            return False
        path = str(cron)
        return path == self._folder or self._place == _place(path, follow=True)

    def renew(self, other: "Watch") -> None:
        """Takes over a later look at the same content."""
        self._looks = other._looks
        self._place = other._place
        self._settled = other._settled


def _looks(folder: Path) -> tuple[_Look | None, ...]:
    """The jobs file through its links and as a link, and the owner."""
    jobs, owner = f"{folder}/{JOBS_FILE}", f"{folder}/{OWNER_FILE}"
    return _look(jobs, follow=True), _look(jobs, follow=False), _look(owner, follow=False)


def _place(path: str, *, follow: bool) -> tuple[int, int] | None:
    """Which directory, or link, is there."""
    try:
        found = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 (as below)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _look(path: str, *, follow: bool) -> _Look | None:
    """The time of the last status change comes first: unlike the other it cannot be set back."""
    try:
        found = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 (a third of the cost of Path.stat)
    except OSError:
        return None
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev
