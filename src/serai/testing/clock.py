"""Time and chance for tests: clocks that are set by hand, and an event loop whose waiting costs nothing.

@virtual_time
async def test_a_reconnect_waits_35_seconds() -> None:
    clock = VirtualClock()
    begun = clock.now()
    await reconnect()
    assert clock.now() - begun == pytest.approx(35)
"""

import asyncio
import functools
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from selectors import SelectorKey
from typing import Any, Final, ParamSpec, TypeVar, TypeVarTuple, Unpack

from serai.ports.clock import CODE_SIGNS

EPOCH: Final = 1_700_000_000.0
"""When time begins in tests: 2023-11-14, 22:13:20 UTC."""

_FIRST: Final = 1000.0
"""The loop's first instant: not 0, so that code which confuses 0 with nothing works as it does outside."""

_THREAD_GRACE: Final = 0.1
"""Real seconds in which something may still come from a thread that rests before time jumps."""

_THREAD_LOOKS: Final = 20
"""In so many parts: where the machine gives the whole process nothing for a while, that uses up one of them alone."""

_OTHER_THREADS: Final = ("asyncio_", "ThreadPoolExecutor", "Dummy-", "keep-alive-handler")
"""What threads are called that are no reason to wait: those of executors, for which time is held as long as they
work, those that Python has not started, and the heartbeats of discord.py, which keep to real time."""

_ECHOES: Final = 2
"""How often it is made sure that nothing is under way: what arrives may make the system send more by itself."""

_PATIENCE: Final = 30.0
"""Real seconds without any event or timer after which a test is stuck for good."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class ManualClock:
    """A wall clock that stands until it is moved. `start` in seconds since the epoch."""

    def __init__(self, start: float = EPOCH) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves on by `seconds`; a negative number sets the clock back, as an operator might."""
        self._now += seconds


class VirtualClock:
    """A wall clock that follows the running loop's time, which starts at `start` seconds since the epoch."""

    def __init__(self, start: float = EPOCH) -> None:
        self._start = start

    def now(self) -> float:
        """Seconds since the epoch. Raises RuntimeError outside of a running loop."""
        return self._start + asyncio.get_running_loop().time() - _FIRST

    def advance(self, seconds: float) -> None:
        """Moves on by `seconds` while the loop's time stands, as where a machine slept."""
        self._start += seconds


class SeededEntropy:
    """Choices that are the same in each run with the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        """24 hex digits."""
        return f"{self._random.getrandbits(96):024x}"

    def code(self) -> str:
        """8 signs."""
        return "".join(self._random.choices(CODE_SIGNS, k=8))

    def between(self, low: float, high: float) -> float:
        """An even choice in [low, high]."""
        return self._random.uniform(low, high)


class Stuck(RuntimeError):
    """Nothing is ready, no timer is set and nothing came from outside: the test would wait for ever."""


class _Selector(selectors.BaseSelector):
    """Asks the system what is ready, and moves time on instead of waiting for a timer."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        self._system = selectors.DefaultSelector()
        self._pass_time = pass_time
        self._echo: _Echo | None = None
        self.holds = 0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._system.select(0)
        if timeout is None or self.holds:
            return self._outside()
        events = self._under_way()
        if not events:
            self._pass_time(timeout)
        return events

    def _under_way(self) -> list[tuple[SelectorKey, int]]:
        """What comes from threads and sockets without a timer's help."""
        if threads := [thread for thread in threading.enumerate() if _may_call(thread)]:
            return self._from(threads)
        if len(self._system.get_map()) == 1:  # the loop's own pipe is always there
            return self._system.select(0)
        self._echo = self._echo or _Echo()
        for _ in range(_ECHOES):
            self._echo.wait()
            if events := self._system.select(0):
                return events
        return []

    def _from(self, threads: Sequence[threading.Thread]) -> list[tuple[SelectorKey, int]]:
        deadline = time.monotonic() + _PATIENCE
        looks = 0
        while looks < _THREAD_LOOKS:
            at_work = any(_is_at_work(thread) for thread in threads) and time.monotonic() < deadline
            looks = 0 if at_work else looks + 1
            if events := self._system.select(_THREAD_GRACE / _THREAD_LOOKS):
                return events
        return []

    def _outside(self) -> list[tuple[SelectorKey, int]]:
        deadline = time.monotonic() + _PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            if events := self._system.select(left):
                return events
        raise Stuck(f"nothing is ready, no timer is set, and nothing came from outside in {_PATIENCE:g} real seconds")

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._system.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        return self._system.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._system.modify(fileobj, events, data)

    def close(self) -> None:
        if self._echo is not None:
            self._echo.close()
        self._system.close()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._system.get_map()


class _Echo:
    """Comes back over loopback behind what was sent before it: how long that takes is up to the system. It could
    overtake something only where the thread has just gone to another processor."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.settimeout(_PATIENCE)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(self._socket.getsockname())

    def wait(self) -> None:
        self._socket.send(b"?")
        self._socket.recv(1)

    def close(self) -> None:
        self._socket.close()


def _may_call(thread: threading.Thread) -> bool:
    """Whether a thread may have something to tell the loop of this one."""
    return thread is not threading.current_thread() and not thread.name.startswith(_OTHER_THREADS)


def _is_at_work(thread: threading.Thread) -> bool:
    """Whether a thread computes, has to wait for a processor, or for a disk; False where the system does not say."""
    try:
        told = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] in ("R", "D")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while there is work and jumps to the next timer when there is none.

    Sockets whose both ends live in this loop, and functions run in executors, hold time until they are done. Other
    threads are waited for while they are at work, where the system tells that (Linux), and are given a moment when
    they rest; for what takes longer outside of the loop (a process, too) use `held`.
    """

    def __init__(self) -> None:
        self._instant = _FIRST
        self._waiting = _Selector(self._pass)
        super().__init__(self._waiting)

    def time(self) -> float:
        """Virtual seconds."""
        return self._instant

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps time from jumping inside the block, however long the outside takes."""
        self._waiting.holds += 1
        try:
            yield
        finally:
            self._waiting.holds -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Like the loop's own; time is held until the function has returned."""
        future = super().run_in_executor(executor, func, *args)
        self._waiting.holds += 1
        future.add_done_callback(self._release)
        return future

    async def shutdown_default_executor(self, *_timeout: float | None) -> None:
        """Waits for the executor's threads in real time, however long: a virtual time limit has no meaning there."""
        with self.held():
            await super().shutdown_default_executor()

    def _release(self, _: object) -> None:
        self._waiting.holds -= 1

    def _pass(self, seconds: float) -> None:
        self._instant += seconds


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Runs `main` on a fresh VirtualTimeLoop and returns what it returns."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_time(test: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, _T]:
    """Makes an async test a plain one that runs on a VirtualTimeLoop of its own. Its fixtures must be plain, too."""

    @functools.wraps(test)
    def on_virtual_time(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return run(test(*args, **kwargs))

    return on_virtual_time
