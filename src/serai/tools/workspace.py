"""The folder that an agent's files tools work in, and nothing beside it (SPEC 7.4, 14).

A path is walked one name at a time from an open descriptor of the workspace; no name is handed to the system before
it is known to be no link, and none is opened through one. Links are read and walked in the same way, so they may
point anywhere inside, and a folder that is swapped for a link in between is refused, not followed.
"""

import errno
import os
import stat
import unicodedata
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from serai.core.error import ToolFailed
from serai.tools.disk import FOLDER

DEPTH_MOST: Final = 64
RelativePath = Annotated[
    str, Meta(description="A path inside the workspace, like `notes/today.md`.", max_length=4096)
]

_LINKS_MOST: Final = 40
_ROOT: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: an open folder and a name in it, which may be missing and is no link; "" is the folder."""

    folder: int
    name: str


@contextmanager
def place(root: Path, path: str, *, create: bool = False) -> Iterator[Place]:
    """Walks `path` inside the workspace at `root`; the descriptor lives as long as the block.

    `create` makes missing folders on the way. Raises ToolFailed for a path that leads, or could lead, outside;
    OSError from the system, FileNotFoundError for a missing folder among them.
    """
    parts = _parts(path)
    walk = _Walk(_root(root), root, path)
    try:
        name = walk.go(parts, create)
        yield Place(walk.folders[-1], name)
    finally:
        for folder in walk.folders:
            os.close(folder)


def _root(root: Path) -> int:
    """Opens the workspace, which the operator may have made a link; makes it where it is missing."""
    try:
        return os.open(root, _ROOT)
    except FileNotFoundError:
        with suppress(FileExistsError):
            root.mkdir(0o700)
        return os.open(root, _ROOT)


def _parts(path: str) -> list[str]:
    if path.startswith("/"):
        raise ToolFailed(f"`{path}` is absolute; paths are relative to the workspace, like `notes/today.md`")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        raise ToolFailed(f"{path!a} holds characters that a name cannot have")
    parts = _split(path)
    if parts and parts[0] == "~":
        raise ToolFailed(f"`{path}` names a home; paths are relative to the workspace, like `notes/today.md`")
    return parts


def _split(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


class _Walk:
    """One walk; `folders` are the open descriptors from the workspace down to where it is."""

    def __init__(self, folder: int, root: Path, path: str) -> None:
        self.folders = [folder]
        self._root = root
        self._path = path
        self._links = 0

    def go(self, parts: list[str], create: bool) -> str:
        """Walks to the end. Returns the last name, or "" where the end is an existing folder."""
        ahead = deque(parts)
        while ahead:
            part = ahead.popleft()
            if part == "..":
                self._up()
                continue
            kind = self._kind(part)
            if stat.S_ISLNK(kind):
                ahead.extendleft(reversed(self._target(part)))
            elif stat.S_ISDIR(kind):
                self._down(part)
            elif not ahead:
                return part
            else:
                self._missing(part, kind, create)
        return ""

    def _kind(self, part: str) -> int:
        """The mode of what bears the name, 0 where nothing does."""
        try:
            return os.stat(part, dir_fd=self.folders[-1], follow_symlinks=False).st_mode
        except FileNotFoundError:
            return 0

    def _up(self) -> None:
        if len(self.folders) == 1:
            raise ToolFailed(f"`{self._path}` leads outside the workspace")
        os.close(self.folders.pop())

    def _down(self, part: str) -> None:
        if len(self.folders) > DEPTH_MOST:
            raise ToolFailed(f"`{self._path}` lies more than {DEPTH_MOST} folders deep")
        self.folders.append(os.open(part, FOLDER, dir_fd=self.folders[-1]))

    def _missing(self, part: str, kind: int, create: bool) -> None:
        if kind or not create:
            number = errno.ENOTDIR if kind else errno.ENOENT
            raise OSError(number, os.strerror(number))
        with suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=self.folders[-1])
        self._down(part)

    def _target(self, part: str) -> list[str]:
        """What a link stands for, to be walked from here; an absolute one inside is walked from the workspace."""
        self._links += 1
        if self._links > _LINKS_MOST:
            raise ToolFailed(f"`{self._path}` leads through too many links")
        target = os.readlink(part, dir_fd=self.folders[-1])
        if not target.startswith("/"):
            return _split(target)
        inside = f"{self._root.resolve()}/"
        if not f"{target}/".startswith(inside):
            raise ToolFailed(f"`{self._path}` leads outside the workspace")
        while len(self.folders) > 1:
            os.close(self.folders.pop())
        return _split(target.removeprefix(inside[:-1]))
