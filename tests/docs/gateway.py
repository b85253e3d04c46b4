"""`serai up` as a child process, for as long as a page needs it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Final
from urllib.request import urlopen

from tests.patience import PATIENCE_S

_ADDRESS: Final = re.compile(rb"http://([\w.]+:\d+)")


class Up:
    """A running gateway. `address` is where it listens, `said` what it told when it came up."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it and waits until it answers. Raises AssertionError with its last words where it does not."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serai", *arguments, "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
        )
        try:
            self.address, self.said = self._listening()
        except BaseException:
            self.stop()
            raise

    def _listening(self) -> tuple[str, str]:
        out = self._process.stdout
        assert out is not None
        said = b""
        while (found := _ADDRESS.search(said)) is None:
            line = out.readline()
            assert line, f"the gateway did not come up:\n{said.decode()}"
            said += line
        address = found[1].decode()
        # It prints everything before it answers its first request.
        with urlopen(f"http://{address}/health", timeout=PATIENCE_S):
            said += _waiting(out)
        return address, said.decode()

    def stop(self) -> None:
        """Ends it as Ctrl-C does."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _waiting(out: IO[bytes]) -> bytes:
    """What is in the pipe now."""
    os.set_blocking(out.fileno(), False)
    return out.read() or b""
