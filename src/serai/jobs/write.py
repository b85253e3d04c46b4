"""Adding, changing and removing a job (SPEC 9.1): ours one after another, and no editor's save is lost."""

from collections.abc import Callable, Mapping
from dataclasses import replace as replaced
from pathlib import Path
from stat import S_IMODE
from typing import Any, Final

from serai.core.error import StorageFailed
from serai.core.ids import JobId
from serai.core.job import Job, JobProblem
from serai.jobs.edit import EMPTY, added, changed, removed
from serai.jobs.folder import JOBS_MOST, directory, jobs_path, read_jobs
from serai.jobs.look import damage, sheet_of, stamp_of
from serai.jobs.read import JobReader, entry_id, read_entry
from serai.jobs.replace import locked, replace, told
from serai.jobs.scan import Entry, Sheet
from serai.jobs.value import cleaned, repeated, shown
from serai.ports.jobs import BadJob, JobExists, JobsDamaged, UnknownJob

_TRIES: Final = 20
_PRIVATE: Final = 0o600
_READ_AND_WRITE: Final = 0o666

Edit = Callable[[Sheet], tuple[str, Job | None]]
"""From a file to its new text, and the job that it is about."""


def edit(cron: Path, change: Edit) -> Job | None:
    """Reads, changes and replaces the file; again from the start where somebody else has changed it meanwhile.

    Raises what `change` does, JobsDamaged and StorageFailed; the file is untouched then.
    """
    folder = directory(cron)
    try:
        path = jobs_path(folder)
        with told(path), locked(folder):
            for _ in range(_TRIES):
                data = read_jobs(folder)
                sheet = sheet_of(EMPTY.encode() if data is None else data)
                text, job = change(sheet)
                if text == sheet.text or _replaced(folder, path, stamp_of(data), text):
                    return job
    except JobsDamaged as error:
        raise damage(folder, error) from None
    raise StorageFailed(f"{path} is changed all the time by somebody else; nothing was written")


def _replaced(folder: Path, path: Path, stamp: str, text: str) -> bool:
    data = text.encode()
    if len(data) > JOBS_MOST:
        raise StorageFailed(f"{path} would be larger than {JOBS_MOST:,} bytes; nothing was written")
    try:
        sheet_of(data)  # whoever may write must not be able to stop all jobs of the file
    except JobsDamaged as error:
        raise StorageFailed(f"{path} could not be read any more, because it {error}; nothing was written") from None
    return replace(path, data, lambda: stamp_of(read_jobs(folder)) == stamp, _mode(path))


def _mode(path: Path) -> int:
    """Who may read a jobs file is the business of whoever made it."""
    return S_IMODE(path.stat().st_mode) & _READ_AND_WRITE if path.exists() else _PRIVATE


def add(fields: Mapping[str, Any], reader: JobReader, new_id: Callable[[], str], wanted: JobId | None = None) -> Edit:
    """A new job at the end of the list, of the `wanted` id, else with one that no other has."""

    def change(sheet: Sheet) -> tuple[str, Job | None]:
        if fields.get("id") is not None:
            raise BadJob([JobProblem("the id of a new job is made, not chosen")])
        stored = _stored({**fields, "id": wanted or _free_id(sheet, new_id)})
        job = _checked(reader, stored, None)
        if _is_there(sheet, reader, job):
            return sheet.text, job
        return added(sheet, stored), job

    return change


def _is_there(sheet: Sheet, reader: JobReader, job: Job) -> bool:
    """Whether the file has this very job. Raises JobExists for another one of its id."""
    for at, entry in enumerate(sheet.entries):
        if entry_id(entry) == job.id:
            if read_entry(at, entry, reader).job != job:
                raise JobExists(f"there is another job {shown(job.id)} in this folder")
            return True
    return False


def change(id: JobId, fields: Mapping[str, Any], reader: JobReader) -> Edit:
    """Sets fields of a job; None takes a field away."""

    def edited(sheet: Sheet) -> tuple[str, Job | None]:
        entry, *_ = _entries(sheet, id)
        if fields.get("id", id) != id:
            raise BadJob([JobProblem("the id of a job cannot be changed", id)])
        if twice := repeated(entry.value):
            raise BadJob([JobProblem(f"has {shown(twice[0])} twice; take one away in the file", id)])
        old = entry.value if isinstance(entry.value, dict) else {}
        stored = _stored({**old, **fields})
        job = _checked(reader, stored, id)
        return changed(sheet, entry, stored), job

    return edited


def remove(id: JobId, reader: JobReader) -> Edit:
    """Takes out a job, and whatever else has its id: nothing of that name is left to run."""

    def edited(sheet: Sheet) -> tuple[str, Job | None]:
        gone = _entries(sheet, id)
        first = sheet.entries.index(gone[0])
        return removed(sheet, gone), read_entry(first, gone[0], reader).job

    return edited


def _entries(sheet: Sheet, id: JobId) -> list[Entry]:
    found = [entry for entry in sheet.entries if entry_id(entry) == id]
    if not found:
        raise UnknownJob(f"there is no job {shown(id)} in this folder")
    return found


def _stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As the file has it: without what is not set, without an agent (SPEC 9.1), without control characters."""
    listed = {key: list(item) if isinstance(item, tuple) else item for key, item in fields.items()}
    return {key: cleaned(item) for key, item in listed.items() if item is not None and key != "agent_id"}


def _checked(reader: JobReader, fields: Mapping[str, Any], name: str | None) -> Job:
    reading = reader.read(fields, "")
    if reading.job is None:
        raise BadJob([replaced(problem, job=name) for problem in reading.problems if problem.fatal])
    return reading.job


def _free_id(sheet: Sheet, new_id: Callable[[], str]) -> str:
    taken = {entry_id(entry) for entry in sheet.entries}
    for _ in range(_TRIES):
        id = new_id()
        if id not in taken:
            return id
    raise StorageFailed("no new id could be found for a job")
