"""A process under measurement: start, wait for ready, processor time and memory of its whole family, stop."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
READY_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0


class NotReady(Exception):
    """A process ended or stayed silent instead of becoming ready; carries the end of its output."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """One GET on loopback: status and body. Raises OSError when nobody listens."""
    return send(port, "GET", path, headers=headers)


def send(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One request on loopback: status and body. Raises OSError or HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Process:
    """A child of ours in a process group of its own; its output goes to a file."""

    def __init__(self, name: str, command: list[str], output: Path, cwd: Path, env: dict[str, str]) -> None:
        self.name = name
        self.output = output
        with output.open("wb") as sink:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=cwd, env=env, start_new_session=True
            )

    def wait_ready(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        """Return once GET `path` answers 200. Raises NotReady."""
        limit = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < limit:
            self.check_alive()
            try:
                if get(port, path, headers)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)
        raise NotReady(f"{self.name}: {path} not 200 after {READY_LIMIT_S} s\n{self.tail()}")

    def check_alive(self) -> None:
        """Raises NotReady when the process has ended."""
        if self.child.poll() is not None:
            raise NotReady(f"{self.name} ended with {self.child.returncode}\n{self.tail()}")

    def tail(self) -> str:
        """The end of the process's output."""
        return self.output.read_text(errors="replace")[-2000:]

    def cpu_s(self) -> float:
        """Processor time used so far, in seconds, children (also ended ones) included."""
        ticks = 0
        for pid in family(self.child.pid):
            fields = _stat(pid)
            ticks += sum(fields[11:15])  # utime, stime and those of children that ended
        return ticks / TICKS_PER_S

    def rss(self) -> int:
        """Resident memory in bytes, children included."""
        return sum(_memory(pid, "Rss:") for pid in family(self.child.pid))

    def pss(self) -> int:
        """Resident memory in bytes with shared pages divided among their users, children included."""
        return sum(_memory(pid, "Pss:") for pid in family(self.child.pid))

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for whatever of its group is left."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(STOP_LIMIT_S)
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


def family(pid: int) -> list[int]:
    """The process and its living descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _stat(pid: int) -> list[int]:
    """Fields of /proc/PID/stat after the command's name, as numbers; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(field) if field.lstrip("-").isdigit() else 0 for field in text.rpartition(")")[2].split()]


def _memory(pid: int, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), 0)
