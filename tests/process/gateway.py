"""A gateway in a process of its own: started, watched, stopped, frozen, killed."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.patience import PATIENCE_S

ROOT: Final = Path(__file__).parents[2]
"""The repository: where children find the package `tests`."""

_GUARD: Final = Path(__file__).with_name("guard.py")
_ADDRESS: Final = re.compile(rb"http://[\w.\[\]:]+")


class NotUp(Exception):
    """The process ended, or stayed silent, instead of telling where it listens. `code` is its exit code."""

    def __init__(self, code: int | None, errors: str) -> None:
        super().__init__(f"exit code {code}\n{errors}")
        self.code = code
        self.errors = errors


class GatewayProcess:
    """One child. The first address that it prints is where it listens; its errors go to a file."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts `command`, which is what stands behind the interpreter's name."""
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-S",
                str(_GUARD),
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={
                    "PATH": os.defpath,
                    "HOME": str(self._errors.parent),
                    "SSL_CERT_FILE": os.devnull,  # nobody here speaks TLS, and to read all authorities takes 0.1 s
                    **environment,
                },
                start_new_session=True,
            )

    async def listens(self) -> None:
        """Waits until it can be called. Raises NotUp."""
        try:
            self.url = await asyncio.wait_for(self._address(), PATIENCE_S)
        except TimeoutError:
            raise NotUp(None, self.errors()) from None

    async def _address(self) -> str:
        process = self.process
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if found := _ADDRESS.search(line):
                return found.group().decode()
        raise NotUp(await process.wait(), self.errors())

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text(errors="replace")

    async def ended(self, seconds: float = PATIENCE_S) -> int:
        """Waits for the end and returns the exit code, minus the signal's number where one ended it."""
        return await asyncio.wait_for(self.process.wait(), seconds)

    async def kill(self) -> int:
        """SIGKILL: nothing of the program runs any more."""
        self._send(signal.SIGKILL)
        return await self.ended()

    async def stop(self) -> int:
        """SIGTERM, as a service manager does it."""
        self._send(signal.SIGTERM)
        return await self.ended()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.is_alive:
            self.process.send_signal(number)


@asynccontextmanager
async def gateways(folder: Path) -> AsyncIterator["Nursery"]:
    """Gateways that are all gone when the block is left, however it is left."""
    nursery = Nursery(folder)
    try:
        yield nursery
    finally:
        await nursery.close()


class Nursery:
    """Starts gateways and remembers them. Their errors pile up in one file per gateway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: list[GatewayProcess] = []

    async def spawn(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> GatewayProcess:
        """A gateway that has just begun to start."""
        one = GatewayProcess(self._folder / f"errors-{len(self.all)}.txt")
        self.all.append(one)
        await one.spawn(command, environment or {})
        return one

    async def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> GatewayProcess:
        """A gateway that listens. Raises NotUp."""
        one = await self.spawn(command, environment)
        await one.listens()
        return one

    async def close(self) -> None:
        for one in self.all:
            if one.is_alive:
                one.thaw()
                await one.kill()
