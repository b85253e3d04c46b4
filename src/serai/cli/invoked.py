"""How the reader can call the command that is running, where `serai` alone would not find it."""

import os
import sys
from pathlib import Path
from shutil import which


def invoked() -> str:
    """`serai` where the shell finds it, else its path, seen from here where that is shorter."""
    program = Path(sys.argv[0])
    if program.name != "serai" or not program.is_file():
        return "serai"
    found = which("serai")
    if found is not None and Path(found).samefile(program):
        return "serai"
    return min(os.path.relpath(program), str(program), key=len)
