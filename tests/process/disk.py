"""A small disk of our own, where this user may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BALLAST = "ballast"


class Disk:
    """A file system in memory, `size` bytes large, mounted at `path`."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size

    def fill(self) -> None:
        """Takes all the space that is left, to the last byte."""
        descriptor = os.open(self.path / _BALLAST, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            for step in (2**16, 2**12, 1):
                self._grow(descriptor, bytes(step))
        finally:
            os.close(descriptor)

    def _grow(self, descriptor: int, piece: bytes) -> None:
        for _ in range(self._size // len(piece) + 1):
            try:
                os.write(descriptor, piece)
            except OSError:
                return

    def empty(self) -> None:
        """Gives the space back."""
        (self.path / _BALLAST).unlink()

    def lock(self) -> None:
        """Nothing can be written any more. Nobody may have a file open for writing."""
        _run("mount", "-o", "remount,ro", str(self.path))


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Disk]:
    """Skips the test where this user may not mount."""
    path.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path))
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("this machine does not let us mount")
    try:
        yield Disk(path, size)
    finally:
        _run("umount", "-l", str(path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
