"""Regular files, named by an open folder and a single name, so that no link is ever followed here."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Final

from serai.core.error import ToolFailed

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCKS: Final = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})


@contextmanager
def opened(folder: int, name: str, shown: str) -> Iterator[int]:
    """A descriptor for reading a regular file. Raises ToolFailed, about `shown`, for anything else; OSError.

    The kind is checked before opening (opening a device may do something) and after (it may have been swapped).
    """
    regular(os.stat(name, dir_fd=folder, follow_symlinks=False), shown)
    descriptor = os.open(name, _READ, dir_fd=folder)
    try:
        regular(os.fstat(descriptor), shown)
        yield descriptor
    finally:
        os.close(descriptor)


def regular(found: os.stat_result, shown: str) -> os.stat_result:
    """The same, where it is a regular file's. Raises ToolFailed for folders, devices, pipes and sockets."""
    if stat.S_ISDIR(found.st_mode):
        raise ToolFailed(f"`{shown}` is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise ToolFailed(f"`{shown}` is no regular file")
    return found


def read(folder: int, name: str, shown: str, most: int) -> bytes:
    """All of a regular file. Raises ToolFailed where it has more than `most` bytes; OSError."""
    with opened(folder, name, shown) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ToolFailed(f"`{shown}` is longer than {most:,} bytes")
    return data


def replace(folder: int, name: str, data: bytes, mode: int = 0o600) -> None:
    """Puts `data` under `name` in one step: whoever looks sees the old file or the whole new one. Raises OSError."""
    draft = f".{token_hex(8)}.draft"
    descriptor = os.open(draft, _CREATE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    with suppress(OSError):  # not every file system syncs folders
        os.fsync(folder)


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Holds the exclusive lock of an open file or folder, against other threads and processes. Raises OSError.

    Some network file systems lock no folders, or nothing; there the last writer wins.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
