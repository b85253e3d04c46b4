"""Writing a file of a folder in one step, under a lock that every writer of ours takes (SPEC 9.1)."""

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from serai.core.error import StorageFailed
from serai.jobs.folder import LOCK_FILE

_LOCK_S: Final = 10.0
_RETRY_S: Final = 0.02
_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns an error of the file system into StorageFailed."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, for which it is made where it is missing. Raises OSError; StorageFailed where somebody
    else holds it for 10 seconds."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    path = folder / LOCK_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, _PRIVATE)
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    give_up = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise StorageFailed(f"{path} is locked by another process") from None
            time.sleep(_RETRY_S)
        else:
            return


def replace(path: Path, data: bytes, may: Callable[[], bool] = lambda: True, mode: int = _PRIVATE) -> bool:
    """Puts `data` in the file's place, surely on disk, unless `may`, asked at the last moment, says no. Returns
    whether it did. Only one writer at a time: what a killed one has left is taken over. Raises OSError."""
    staged = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        staged.unlink()
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    with _staged(staged, descriptor, data, mode):
        if not may():
            return False
        staged.replace(path)
    _sync(path.parent)
    return True


def create(path: Path, data: bytes) -> bool:
    """The same where there is no such file, else False. Nobody ever sees a part of it. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with _staged(Path(name), descriptor, data) as staged:
        try:
            path.hardlink_to(staged)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS or os.path.lexists(path):
                raise
            staged.replace(path)
    _sync(path.parent)
    return True


@contextmanager
def _staged(path: Path, descriptor: int, data: bytes, mode: int = _PRIVATE) -> Iterator[Path]:
    """A complete temporary file, gone afterwards."""
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
