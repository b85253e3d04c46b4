"""A child process in its own group: bounded output, bounded time, and nothing of it left behind."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OUTPUT_MOST: Final = 200_000
"""Bytes of a script's output that are kept."""

_TAIL: Final = 4096
"""How many of them are the last ones: what a script says last tells whether the model is asked (SPEC 9.4)."""

_READ_MOST: Final = 65_536
"""Bytes that are read at once."""

_DRAIN_S: Final = 0.5
"""Seconds for what is still in the pipes when the process has ended; others may hold them open."""

_REAP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `code` is negative for a signal, None where it would not end. `overdue`: it was too
    slow."""

    code: int | None
    output: str
    error: str
    overdue: bool = False


async def run(
    command: Sequence[str], workdir: Path, environment: Mapping[str, str], limit_s: float, grace_s: float
) -> Ended:
    """Runs a command with that environment alone, its input closed. When cancelled, its group is killed.

    Raises OSError, ValueError where it cannot be started.
    """
    async with _Pipe(OUTPUT_MOST) as output, _Pipe(_TAIL) as error:
        starting = asyncio.create_task(
            asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL,
                stdout=output.writer,
                stderr=error.writer,
                cwd=workdir,
                env=dict(environment),
                start_new_session=True,
            )
        )
        try:
            process = await asyncio.shield(starting)
            output.begin()
            error.begin()
            overdue = await _wait(process, limit_s, grace_s)
        finally:
            await _end(starting)
        await asyncio.wait({output.closed, error.closed}, timeout=_DRAIN_S)
        return Ended(process.returncode, output.text(), error.text(), overdue)


async def _end(starting: asyncio.Task[Process]) -> None:
    """Kills what was started, and its group. A process that is being started runs already, with children, however
    often its start is cancelled; a failure to start is not this one's to tell."""
    while not starting.done():
        with suppress(asyncio.CancelledError):  # one is under way
            await asyncio.wait({starting})
    if starting.cancelled() or starting.exception() is not None:
        return
    process = starting.result()
    _signal(process, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAP_S):
            await process.wait()


async def _wait(process: Process, limit_s: float, grace_s: float) -> bool:
    """Waits for the end, and asks for it after `limit_s`. Whether it had to."""
    try:
        async with asyncio.timeout(limit_s):
            await process.wait()
    except TimeoutError:
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await process.wait()
        return True
    return False


def _signal(process: Process, number: signal.Signals) -> None:
    """To all of the group, be its first process alive or not."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _Pipe:
    """Our end of what a child writes; keeps the beginning and the end of it. Reading never stops, so that nobody is
    blocked. The pipe is ours, and not the event loop's, because a grandchild may keep it open for ever, and because
    uvloop closes the number of a pipe that it was given twice: by then it may be another thread's file."""

    def __init__(self, most: int) -> None:
        self._head_most = max(most - _TAIL, 0)
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0
        self._loop = asyncio.get_running_loop()
        self._reader: int | None = None
        self._open_writer = False
        self.writer = -1
        self.closed: asyncio.Future[None] = self._loop.create_future()

    async def __aenter__(self) -> "_Pipe":
        reader, self.writer = os.pipe()
        self._reader, self._open_writer = reader, True
        os.set_blocking(reader, False)
        self._loop.add_reader(reader, self._read, reader)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.begin()
        self._end()

    def begin(self) -> None:
        """The child has its end: ours of it is closed, so that the last writer's end is the end."""
        if self._open_writer:
            self._open_writer = False
            os.close(self.writer)

    def _read(self, reader: int) -> None:
        try:
            data = os.read(reader, _READ_MOST)
        except BlockingIOError:
            return
        if data:
            self._keep(data)
        else:
            self._end()

    def _keep(self, data: bytes) -> None:
        self._total += len(data)
        room = self._head_most - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        del self._tail[:-_TAIL]

    def _end(self) -> None:
        if self._reader is not None:
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self._reader = None
            self.closed.set_result(None)

    def text(self) -> str:
        """What was written, the middle left out where it was too much."""
        missing = self._total - len(self._head) - len(self._tail)
        if not missing:
            return _decoded(self._head + self._tail)
        return f"{_decoded(self._head)}\n[{missing:,} bytes are left out here]\n{_decoded(self._tail)}"


def _decoded(data: bytes | bytearray) -> str:
    return data.decode(errors="replace").replace("\0", "")
