"""Runs the interpreter with the given arguments, bound by file permissions like any user, also where that is root.

python -S bound.py -m serai up
"""

import ctypes
import os
import sys

_PR_CAPBSET_DROP = 24
_OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH (capabilities(7)): root writes and reads whatever it likes."""

if __name__ == "__main__":
    if sys.platform == "linux" and os.geteuid() == 0:
        for capability in _OVERRIDES:
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
