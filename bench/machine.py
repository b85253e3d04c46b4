"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """Cores usable by this process, processor and memory as the kernel names them, interpreter and libraries."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    libraries: dict[str, str]

    def line(self) -> str:
        """All of it in one line."""
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.cores} cores of {self.processor}, {self.memory_gb:.0f} GB, {self.system}, "
            f"Python {self.python}, {libraries}"
        )


def describe() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_after(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        memory_gb=int((_after(Path("/proc/meminfo"), "MemTotal") or "0").split()[0]) / 1e6,
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=".".join(str(part) for part in sys.version_info[:3]),
        libraries={name: version(name) for name in ("aiohttp", "uvloop", "msgspec")},
    )


def _after(path: Path, key: str) -> str | None:
    for line in path.read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return None
