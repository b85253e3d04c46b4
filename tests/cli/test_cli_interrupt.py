"""A Ctrl-C is noticed while a command waits, also one that was missed when the wait began."""

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from serai.cli.interrupt import noticed


def test_waits_are_interrupted_so_that_what_was_missed_is_looked_for() -> None:
    looks = []
    near, far = socket.socketpair()
    with near, far, noticed():
        handler = signal.getsignal(signal.SIGALRM)
        assert callable(handler)
        signal.signal(
            signal.SIGALRM, lambda *_: looks.append(time.monotonic()) or (far.send(b"x") if len(looks) > 2 else None)
        )
        near.recv(1)
    assert len(looks) == 3


def test_what_was_there_before_is_there_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with noticed():
        assert signal.getitimer(signal.ITIMER_REAL)[1] > 0
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_other_threads_are_left_alone() -> None:
    def enter() -> float:
        with noticed():
            return signal.getitimer(signal.ITIMER_REAL)[1]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter).result() == 0.0
