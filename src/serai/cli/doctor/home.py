"""The directory itself: there, ours alone, writable, with room; and who holds it."""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from shlex import quote

from serai.cli.doctor.finding import Finding, Level
from serai.cli.doctor.patient import Patient
from serai.cli.failure import Failed
from serai.cli.gateway import is_running

FULL_BYTES = 50 * 2**20
NEARLY_FULL_BYTES = 500 * 2**20


def usable(patient: Patient) -> Iterator[Finding]:
    """Where this finds something serious, nothing else can be looked at."""
    home = patient.layout.home
    shown = patient.shown(home)
    if not home.exists():
        yield Finding("serious", "home", f"there is no {shown}", f"serai --home {quote(str(home))} setup")
    elif not home.is_dir():
        yield Finding("serious", "home", f"{shown} is no directory", f"mv {quote(str(home))} {quote(f'{home}.old')}")
    else:
        try:
            with tempfile.TemporaryFile(dir=home):
                pass
        except OSError as error:
            mend = f'sudo chown -R "$USER" {quote(str(home))} && chmod -R u+rwX {quote(str(home))}'
            yield Finding("serious", "home", f"{shown} cannot be written: {error.strerror}", mend)


def private(patient: Patient) -> Iterator[Finding]:
    home = patient.layout.home
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        text = f"other users of this machine may look into {patient.shown(home)} (mode {mode:04o})"
        yield Finding("serious", "home", text, f"chmod 700 {quote(str(home))}")
    env = patient.layout.env
    if env.exists() and (mode := stat.S_IMODE(env.stat().st_mode)) & 0o077:
        text = f"other users of this machine could read the keys in {patient.shown(env)} (mode {mode:04o})"
        yield Finding("serious", "home", text, f"chmod 600 {quote(str(env))}")


def room(patient: Patient) -> Iterator[Finding]:
    free = shutil.disk_usage(patient.layout.home).free
    if free < NEARLY_FULL_BYTES:
        level: Level = "serious" if free < FULL_BYTES else "warning"
        text = f"the disk of {patient.shown(patient.layout.home)} has {free >> 20} MB left"
        yield Finding(level, "disk", text, f"du -xh {quote(str(patient.layout.home))} | sort -h | tail")


def held(patient: Patient) -> Iterator[Finding]:
    """Whether a gateway runs, and answers."""
    lock = patient.layout.lock
    if not is_running(lock):
        gone = f"; the last one, pid {pid}, has ended" if (pid := _pid(patient)) else ""
        yield Finding("note", "gateway", f"no gateway runs for this home{gone}", "serai up")
    elif patient.gateway is None:
        yield Finding("note", "gateway", "a gateway is just starting or stopping", "serai status")
    else:
        try:
            patient.gateway.ask("GET", "/health")
        except Failed as error:
            yield Finding("serious", "gateway", str(error), f"kill {patient.gateway.pid} && serai up")


def _pid(patient: Patient) -> int | None:
    """Whom the lock file names."""
    import json

    try:
        return int(json.loads(patient.layout.lock.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
