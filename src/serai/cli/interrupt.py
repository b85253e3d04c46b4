"""Ctrl-C while a command waits for the gateway."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_LOOK_S: Final = 0.25


@contextmanager
def noticed() -> Iterator[None]:
    """Inside the block, a Ctrl-C is noticed also where it comes just before a wait begins.

    Python looks for signals between its own instructions and when a system call is interrupted; one that falls
    between the last look and the call would be seen only when the call ends. So waits are interrupted a few times a
    second.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: None)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
