"""A program behind a real pseudo-terminal, as a person has it: keys go in, the screen's bytes come out."""

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.patience import PATIENCE_S

_OWN = Path(__file__).with_name("own.py")


class Screen:
    """What the program has written since the last `expect`, and its keyboard."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._seen = b""
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program is gone
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            self._over.set()
        self._seen += data
        self._news.set()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def expect(self, text: str) -> str:
        """Waits until `text` stands in what was written; returns everything up to its end and forgets it."""
        wanted = text.encode()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while wanted not in self._seen:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} never came; there is {self._seen!r}") from None
        end = self._seen.index(wanted) + len(wanted)
        shown, self._seen = self._seen[:end], self._seen[end:]
        return shown.decode(errors="replace")

    def rest(self) -> str:
        """What was written since the last `expect`."""
        return self._seen.decode(errors="replace")

    async def ended(self) -> int:
        """The exit code, when the program has ended and all is there that it has written: the system passes it on in
        its own time."""
        async with asyncio.timeout(PATIENCE_S):
            await self._over.wait()
            return await self._process.wait()

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        os.close(self._master)


@asynccontextmanager
async def terminal(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Screen]:
    """Runs `python command...` with a terminal of 80 columns as its own; it is gone when the block is left."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-S",
        str(_OWN),
        *command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={"PATH": os.defpath, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", **environment},
        start_new_session=True,
    )
    os.close(slave)
    screen = Screen(master, process)
    try:
        yield screen
    finally:
        await screen.close()
