"""The vendors' own Node clients, as honest judges of our fakes: installed once into a cache, by exact version."""

import asyncio
import fcntl
import shutil
import subprocess
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import pytest

_CACHE: Final = Path(gettempdir()) / "serai-test-node"
_PATIENCE: Final = 120.0


def installed(package: str, version: str) -> Path:
    """A folder whose `node_modules` has the package. Skips the test where there is no npm, or it cannot install."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no Node.js with npm on this machine")
    folder = _CACHE / f"{package.replace('/', '+')}@{version}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same tests may be making it
        if not (folder / "complete").exists():
            _install(folder, f"{package}@{version}")
    return folder


def _install(folder: Path, wanted: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", wanted],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.skip(f"npm could not install {wanted}: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "complete").touch()


async def run(folder: Path, script: Path, *arguments: str) -> str:
    """Runs a script with the packages of a folder and returns what it prints. Fails the test where it fails."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(script),
        *arguments,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_PATH": str(folder / "node_modules")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), _PATIENCE)
    except TimeoutError:
        process.kill()
        raise AssertionError(f"{script.name} did not end within {_PATIENCE:g} s") from None
    assert process.returncode == 0, errors.decode()[-2000:]
    return out.decode()
