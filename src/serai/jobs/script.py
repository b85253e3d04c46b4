"""Running a job's script (SPEC 9.4): which program, where, with which environment, for how long."""

import os
import sys
from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final

from serai.core.job import Job
from serai.jobs.folder import directory, is_inside
from serai.jobs.process import Ended, run
from serai.jobs.value import shown
from serai.ports.jobs import ScriptResult

SCRIPT_LIMIT_S: Final = 120.0
SCRIPT_GRACE_S: Final = 2.0
"""Seconds between asking a script to end and ending it."""

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_BEGIN: Final = 256
_STDERR_LINES: Final = 5
_STDERR_LONGEST: Final = 500


class Unfit(Exception):
    """A script that cannot be started. The text is a sentence about it."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to start, with real paths."""

    command: tuple[str, ...]
    workdir: Path
    environment: Mapping[str, str]


def script_fault(cron: Path, name: str) -> str | None:
    """Why the script of that name cannot be started, to follow its name in a sentence; None where it can."""
    try:
        _command(_script(directory(cron) / "scripts", name))
    except Unfit as fault:
        return str(fault)
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    except ValueError:  # a NUL, or half a character
        return "is no path"
    return None


class ScriptRunner:
    """Runs scripts. `limit_s` is how long one may take, `grace_s` what it gets to end by itself then."""

    def __init__(self, limit_s: float = SCRIPT_LIMIT_S, grace_s: float = SCRIPT_GRACE_S) -> None:
        self._limit_s = limit_s
        self._grace_s = grace_s

    async def run(self, cron: Path, home: Path, job: Job, environment: Mapping[str, str]) -> ScriptResult:
        """See `JobFiles.run_script`."""
        name = f"The script `{job.script}`"
        try:
            plan = await to_thread(_plan, cron, home, job, environment)
            ended = await run(plan.command, plan.workdir, plan.environment, self._limit_s, self._grace_s)
        except Unfit as fault:
            return ScriptResult("", f"{name} {fault}.")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            return ScriptResult("", f"{name} could not be started: {reason}.")
        return ScriptResult(ended.output, self._fault(name, ended))

    def _fault(self, name: str, ended: Ended) -> str | None:
        if ended.code == 0 and not ended.overdue:
            return None
        if ended.overdue:
            how = f"took longer than {self._limit_s:g} s and was ended"
        elif ended.code is None:
            how = "could not be ended"
        elif ended.code < 0:
            how = f"was ended by signal {-ended.code}"
        else:
            how = f"failed with exit code {ended.code}"
        said = _last_lines(ended.error)
        return f"{name} {how}: {said}" if said else f"{name} {how}."


def _last_lines(error: str) -> str:
    lines = [line.rstrip() for line in error.splitlines() if line.strip()]
    return "\n".join(lines[-_STDERR_LINES:])[-_STDERR_LONGEST:]


def work_place(home: Path, workdir: str | None) -> Path:
    """Where a job of that home works, links resolved."""
    return Path(os.path.realpath(home / "workspace" / (workdir or "")))


def _plan(cron: Path, home: Path, job: Job, environment: Mapping[str, str]) -> _Plan:
    """Looks at script and folders as they are now, links resolved. The home is told, because `cron` may be a link out
    of it. Raises Unfit."""
    home = Path(os.path.realpath(home))
    script = _script(directory(cron) / "scripts", job.script)
    return _Plan(_command(script), _workdir(home, job.workdir), _environment(home, environment))


def _environment(home: Path, given: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in given.items():
        if not name or "=" in name or "\0" in name + value:
            raise Unfit(f"cannot be given the variable {shown(name)}")
    return {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8", **given}


def _script(folder: Path, name: str | None) -> Path:
    if name is None:
        raise Unfit("is not named by its job")
    path = folder / name
    if not is_inside(folder, folder.parent) or not is_inside(path, Path(os.path.realpath(folder))):
        raise Unfit("leads out of `cron/scripts/`")
    real = Path(os.path.realpath(path))
    if not real.exists():
        raise Unfit("does not exist in `cron/scripts/`")
    if not real.is_file():
        raise Unfit("is no file")
    return real


def _command(script: Path) -> tuple[str, ...]:
    if not os.access(script, os.R_OK):
        raise Unfit("may not be read")
    if script.suffix == ".py":
        return sys.executable, str(script)
    if script.suffix in (".sh", ".bash"):
        bash = which("bash", path=PATH)
        if bash is None:
            raise Unfit("needs bash, which this machine does not have")
        return bash, str(script)
    if not os.access(script, os.X_OK):
        raise Unfit("is neither `.py` nor `.sh`, and may not be executed (chmod +x)")
    if not _says_how(script):
        raise Unfit("does not say what runs it; its first line must be one such as `#!/usr/bin/env bash`")
    return (str(script),)


def _says_how(script: Path) -> bool:
    """Whether an executable has a `#!`, or is no text. Without this some event loops would try a shell."""
    with script.open("rb") as file:
        begin = file.read(_BEGIN)
    return begin.startswith(b"#!") or b"\0" in begin


def _workdir(home: Path, name: str | None) -> Path:
    if name is None:
        (home / "workspace").mkdir(mode=0o700, exist_ok=True)
    path = work_place(home, name)
    called = name or "workspace"
    if not path.is_relative_to(home):
        raise Unfit(f"cannot work in `{called}`, which leads out of the agent's home")
    if not path.is_dir():
        raise Unfit(f"cannot work in `{called}`: there is no such folder")
    return path
