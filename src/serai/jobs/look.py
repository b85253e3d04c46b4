"""A `cron` folder as it is now (SPEC 9.1, 16.4)."""

import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from serai.core.job import JobProblem
from serai.jobs.folder import JOBS_FILE, directory, read_jobs
from serai.jobs.owner import read_owner
from serai.jobs.read import CheckSchedule, JobReader, read_sheet
from serai.jobs.scan import Sheet, scan
from serai.jobs.watch import Watch
from serai.ports.jobs import JobFolder, JobsDamaged

_STAMP_BYTES: Final = 16


def look(
    cron: Path, earlier: JobFolder | None, check_schedule: CheckSchedule, wall: Callable[[], int] = time.time_ns
) -> JobFolder:
    """The folder; `earlier` itself where it is still so. Looks first and reads then: what changes in between shows
    at the next look. `wall` gives nanoseconds since the epoch."""
    seen = earlier.seen if earlier is not None else None
    if earlier is not None and isinstance(seen, Watch) and seen.leads(cron) and seen.holds(earlier.directory):
        return earlier
    folder = directory(cron)
    before = _watch(earlier, folder)
    if earlier is not None and before is not None and before.holds(folder):
        return earlier
    watch = Watch(folder, wall)
    found = _read(cron, folder, watch, check_schedule)
    if earlier is None or before is None or found != earlier:
        return found
    before.renew(watch)
    return earlier


def _watch(earlier: JobFolder | None, folder: Path) -> Watch | None:
    if earlier is None or earlier.directory != folder or not isinstance(earlier.seen, Watch):
        return None
    return earlier.seen


def _read(cron: Path, folder: Path, watch: Watch, check_schedule: CheckSchedule) -> JobFolder:
    owner, fault = read_owner(folder)
    problems = [JobProblem(f"{folder}: {fault}")] if fault else []
    stamp, broken = "", None
    try:
        data = read_jobs(folder)
        stamp = stamp_of(data)
        jobs, found = ([], []) if data is None else read_sheet(sheet_of(data), JobReader(cron.parent, check_schedule))
    except JobsDamaged as error:
        broken = str(damage(folder, error))
        jobs, found = [], [JobProblem(broken)]
    return JobFolder(folder, tuple(jobs), (*problems, *found), stamp, owner, broken, watch)


def stamp_of(data: bytes | None) -> str:
    """What changes when the content does; blank for no file."""
    return "" if data is None else blake2b(data, digest_size=_STAMP_BYTES).hexdigest()


def sheet_of(data: bytes) -> Sheet:
    """Raises JobsDamaged."""
    try:
        return scan(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise JobsDamaged(f"is not UTF-8 (line {line})") from None


def damage(folder: Path, error: JobsDamaged) -> JobsDamaged:
    """The same with the file's name in front."""
    return JobsDamaged(f"{folder / JOBS_FILE} {error}; it is left as it is")
