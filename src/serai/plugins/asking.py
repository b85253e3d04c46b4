"""Asking one plugin: in its deadline, in a thread where it may block, with copies of what it is told (SPEC 8.1)."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import copy_context
from copy import deepcopy
from threading import Thread
from typing import Any, Final

import structlog

_log = structlog.get_logger("hooks")

_THREADS_MOST: Final = 128
"""Threads of one plugin's hook. When so many hang, its next calls overrun without a thread of their own."""


class Implementation:
    """One plugin's implementation of a hook."""

    def __init__(self, hook: str, plugin: str, function: Callable[..., Any], arguments: tuple[str, ...]) -> None:
        self.hook = hook
        self.plugin = plugin
        self._function = function
        self._arguments = arguments
        self._is_async = inspect.iscoroutinefunction(function)
        self._threads = asyncio.Semaphore(_THREADS_MOST)
        self._late: set[asyncio.Future[Any]] = set()

    async def ask(self, values: Mapping[str, Any], seconds: float) -> Any:
        """Its answer, or None where it raised or took longer. It gets copies of those `values` that it takes.

        One that overruns is told to stop but not waited for: it might not listen.
        """
        work = asyncio.ensure_future(self._on_loop(values) if self._is_async else self._in_thread(values))
        try:
            await asyncio.wait((work,), timeout=seconds)
        finally:
            if not work.done():
                self._give_up(work)
        if not work.done():
            _log.warning("a hook took too long", hook=self.hook, plugin=self.plugin, seconds=seconds)
        elif work.cancelled():
            _log.error("a hook cancelled itself", hook=self.hook, plugin=self.plugin)
        elif (error := work.exception()) is not None:
            _log.error("a hook raised", hook=self.hook, plugin=self.plugin, exc_info=error)
        else:
            return work.result()
        return None

    def senseless(self, answer: Any) -> None:
        """Logs an answer that cannot be used."""
        _log.warning("a hook's answer makes no sense", hook=self.hook, plugin=self.plugin, kind=type(answer).__name__)

    def _give_up(self, work: asyncio.Future[Any]) -> None:
        work.cancel()
        self._late.add(work)
        work.add_done_callback(self._forget)

    def _forget(self, work: asyncio.Future[Any]) -> None:
        self._late.discard(work)
        if not work.cancelled():
            work.exception()

    def _copies(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: deepcopy(values[name]) for name in self._arguments}

    async def _on_loop(self, values: Mapping[str, Any]) -> Any:
        return await _harmless(self._function(**self._copies(values)))

    async def _in_thread(self, values: Mapping[str, Any]) -> Any:
        """Runs it in a thread of its own: one that hangs takes nobody else's place, nor keeps the process alive."""
        given = self._copies(values)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = copy_context()
        await self._threads.acquire()

        def settle(answer: Any, error: Exception | None) -> None:
            self._threads.release()
            if future.done():
                return
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)

        def run() -> None:
            answer, failure = None, None
            try:
                answer = context.run(self._function, **given)
            except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to the one who waits
                failure = _ordinary(error)
            with suppress(RuntimeError):  # the loop may be gone by then
                loop.call_soon_threadsafe(settle, answer, failure)

        try:
            Thread(target=run, name=f"serai-hook-{self.plugin}", daemon=True).start()
        except RuntimeError:  # the system has no more threads to give
            self._threads.release()
            raise
        return await future


async def _harmless(work: Coroutine[Any, Any, Any]) -> Any:
    """A task that ends by SystemExit would end the event loop."""
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        raise _ordinary(error) from error


def _ordinary(error: BaseException) -> Exception:
    # StopIteration cannot be set on a future.
    wild = not isinstance(error, Exception) or isinstance(error, StopIteration)
    return RuntimeError(repr(error)) if wild else error  # type: ignore[return-value]
