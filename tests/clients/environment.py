"""An environment for each client, made once and kept beside the project's own: a venv, or a folder of npm's.

Versions are pinned: for Python in `python/<client>.txt`, for Node in `node/<client>/package-lock.json`. A changed pin
makes a new environment.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = Path(sys.prefix) / "clients"

_MAKING_S: Final = 600.0
_RUNNING_S: Final = 180.0
_OFF: Final = {
    "DO_NOT_TRACK": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OTEL_SDK_DISABLED": "true",
    "AI_SDK_TELEMETRY_DISABLED": "1",
    "NO_UPDATE_NOTIFIER": "1",
}
"""Nobody is told that a client was tried."""


class Unavailable(Exception):
    """The environment cannot be made here; the text says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client: the name of its script, and how that is run."""

    name: str
    kind: str

    @property
    def label(self) -> str:
        return f"{self.kind}-{self.name}"

    async def command(self) -> Sequence[str]:
        """What runs its script, in its own environment. Raises Unavailable."""
        if self.kind == "python":
            python = await _venv(self.name) / "bin" / "python"
            script = self.name.replace("-", "_")
            return [str(python), str(HERE / "python" / f"{script}_cases.py")]
        folder = await _modules(self.name)
        shutil.copy(HERE / "node" / self.name / "cases.mjs", folder)
        shutil.copy(HERE / "node" / "report.mjs", folder)
        return [_node(), "--require", str(HERE / "node" / "loopback.cjs"), str(folder / "cases.mjs")]

    async def run(self, folder: Path, variables: Mapping[str, str]) -> str:
        """What its script prints. Raises Unavailable, and AssertionError where it fails as a whole."""
        command = await self.command()
        code, out, errors = await _ran(command, folder, {**_OFF, **variables}, _RUNNING_S)
        assert code == 0, f"{self.label}: exit code {code}\n{errors}"
        return out


async def _venv(name: str) -> Path:
    pins = HERE / "python" / f"{name}.txt"
    place = CACHE / f"{name}-{_digest(pins)}"
    if not (place / "made").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        await _made([sys.executable, "-m", "venv", "--without-pip", str(place)], CACHE)
        pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "--no-compile"]
        await _made([*pip, "--quiet", "--disable-pip-version-check", "--requirement", str(pins)], CACHE)
        (place / "made").touch()
    return place


async def _modules(name: str) -> Path:
    _node()
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("there is no npm on this machine")
    lock = HERE / "node" / name / "package-lock.json"
    place = CACHE / f"node-{name}-{_digest(lock)}"
    if not (place / "made").exists():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(lock.parent, place)
        await _made([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], place)
        (place / "made").touch()
    return place


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise Unavailable("there is no node on this machine")
    return found


async def _made(command: Sequence[str], folder: Path) -> None:
    """Runs a step of making. What is missing for it is missing on this machine, not in the gateway."""
    code, _, errors = await _ran(command, folder, dict(os.environ), _MAKING_S)
    if code != 0:
        raise Unavailable(f"`{' '.join(command[-3:])}` failed: {errors.strip()[-300:]}")


async def _ran(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        out, errors = await process.communicate()
        return -1, out.decode(), f"it took longer than {seconds:g} s\n{errors.decode()}"
    return process.returncode or 0, out.decode(), errors.decode()


def _digest(pins: Path) -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}".encode()
    return blake2b(version + pins.read_bytes(), digest_size=6).hexdigest()
