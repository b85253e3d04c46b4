"""Standard output whose reader may go away, as in `serai agent list | head -1`."""

import os
import sys

READER_GONE = 1
"""The exit code then, as click has it."""


def abandon_stdout() -> None:
    """Lets what is left, and the interpreter's own last flush, go nowhere instead of failing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
