"""Runs the interpreter with the given arguments, to be killed together with whoever started it.

    python -S guard.py -m serai up

Even a test run that is killed itself leaves no gateway behind, where the system can promise that (Linux).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
