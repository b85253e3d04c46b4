"""The files of a `cron` folder as they are opened: never through a link that leads out of it (SPEC 9.1)."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from serai.ports.jobs import JobsDamaged

JOBS_FILE: Final = "jobs.json"
OWNER_FILE: Final = ".owner"
LOCK_FILE: Final = ".lock"
JOBS_MOST: Final = 5_000_000
"""Bytes of a jobs file. A larger one is taken for damaged: no person has written it."""

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def directory(cron: Path) -> Path:
    """The folder's real path, be it there or not."""
    return Path(os.path.realpath(cron))


def is_inside(path: str | Path, folder: Path) -> bool:
    """Whether `path`, its links resolved, is `folder` or lies in it. `folder` is a real path."""
    return Path(os.path.realpath(path)).is_relative_to(folder)


def jobs_path(folder: Path) -> Path:
    """Where the jobs of a real folder are, links resolved. Raises JobsDamaged where that is another folder."""
    path = folder / JOBS_FILE
    if not path.is_symlink():
        return path
    if not is_inside(path, folder):
        raise JobsDamaged("is a link to a file outside of this `cron` folder")
    return Path(os.path.realpath(path))


def read_jobs(folder: Path) -> bytes | None:
    """The jobs file of a real folder; None where there is none. Raises JobsDamaged for what cannot be used."""
    try:
        return read_regular(jobs_path(folder), JOBS_MOST)
    except FileNotFoundError:
        return None
    except NotRegular as error:
        raise JobsDamaged(str(error)) from None
    except OSError as error:
        raise JobsDamaged(f"cannot be read: {error.strerror}") from None


class NotRegular(Exception):
    """What is there is no file, or too large a one. The text says which."""


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for reading, never through a link and never what is no file. Raises NotRegular, OSError."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise NotRegular("is no regular file")
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular("is no regular file")
        yield file


def read_regular(path: Path, most: int) -> bytes:
    """A whole file of at most `most` bytes. Raises NotRegular, OSError."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise NotRegular(f"is larger than {most:,} bytes")
    return data
