"""One gateway per SERAI_HOME (SPEC 2.1)."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from serai.core.error import Startup

_PATIENCE_SECONDS: Final = 0.5
"""A command of the same home looks at the lock for an instant; that is not another gateway."""


class HomeLock:
    """The held lock; others of this home read from its file where the gateway is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def announce(self, url: str, token: str) -> None:
        """Writes where this process is reached, and the key of the home's own command line."""
        document = json.dumps({"pid": os.getpid(), "url": url, "token": token}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, document, 0)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[HomeLock]:
    """Holds the home for the block. Raises Startup naming the process that has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Startup(f"{path} cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid()}).encode(), 0)
        yield HomeLock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise Startup(f"a gateway already runs for {path.parent} (pid {_pid(descriptor)})") from None
            time.sleep(0.05)


def _pid(descriptor: int) -> str:
    try:
        return str(json.loads(os.pread(descriptor, 4096, 0))["pid"])
    except (ValueError, KeyError, TypeError):
        return "unknown"
