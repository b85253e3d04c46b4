"""Runs the interpreter with the given arguments; the terminal on its standard input becomes its own, so that Ctrl-C
reaches it, and is not ignored as it is by what a shell has started in the background.

python -S own.py -m serai chat
"""

import fcntl
import os
import signal
import sys
import termios

if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
