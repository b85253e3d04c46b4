"""What runs leave: `output/<job>/<name>` (SPEC 9.5)."""

import re
from pathlib import Path
from typing import Final

from serai.core.error import StorageFailed
from serai.core.ids import JobId
from serai.core.job import is_job_id
from serai.core.job_output import is_result
from serai.jobs.folder import NotRegular, directory, is_inside, open_regular
from serai.jobs.replace import replace, told

OUTPUT_MOST: Final = 200_000
"""Bytes of an output that are read back."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}").fullmatch
_CUT: Final = f"\n\n[The rest is left out: the text is longer than {OUTPUT_MOST // 1000} kB.]"
_PRIVATE_FOLDER: Final = 0o700
_LOOKED_AT: Final = 100


def write_output(cron: Path, job: JobId, name: str, text: str) -> Path:
    """Keeps a text. Raises StorageFailed; ValueError for an unsafe name."""
    folder = directory(cron)
    path = _place(folder, job) / _safe(name)
    with told(path):
        for made in (folder, folder / "output", path.parent):  # but no home that somebody has deleted
            if not is_inside(made, folder):
                raise StorageFailed(f"{made} leads out of {folder}; nothing was written there")
            made.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        replace(path, text.encode(errors="replace"))
    return path


def read_output(cron: Path, job: JobId, name: str | None = None) -> str | None:
    """A text that was kept; where no name is given the latest result (`is_result`), looked for among the last 100.
    None where there is nothing to read."""
    folder = directory(cron)
    place = _place(folder, job)
    if not is_inside(place, folder):
        return None
    if name is not None:
        return _read(place / _safe(name))
    texts = (_read(place / candidate) for candidate in _names(place)[:_LOOKED_AT])
    return next((text for text in texts if text is not None and is_result(text)), None)


def _names(place: Path) -> list[str]:
    try:
        return sorted((path.name for path in place.iterdir() if _NAME(path.name)), reverse=True)
    except OSError:
        return []


def _read(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            data = file.read(OUTPUT_MOST + 1)
    except (OSError, NotRegular):
        return None
    if len(data) <= OUTPUT_MOST:
        return data.decode(errors="replace")
    return data[:OUTPUT_MOST].decode(errors="ignore") + _CUT


def _place(folder: Path, job: JobId) -> Path:
    if not is_job_id(job):
        raise ValueError(f"{job!r} is no id of a job")
    return folder / "output" / job


def _safe(name: str) -> str:
    if not _NAME(name):
        raise ValueError(f"{name!r} is no safe name for a file")
    return name
