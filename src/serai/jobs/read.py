"""From a jobs file to jobs, with everything that is wrong with it (SPEC 9.1, 9.2)."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from serai.core.error import SeraiError
from serai.core.ids import JobId
from serai.core.job import Job, JobProblem, is_job_id
from serai.jobs.place import origin, script, workdir, zone
from serai.jobs.scan import Entry, Sheet
from serai.jobs.value import (
    Hints,
    Reader,
    Wrong,
    cleaned,
    flag,
    job_ids,
    label,
    line,
    names,
    places,
    repeated,
    shown,
    text,
    times,
    wrong,
)

CheckSchedule = Callable[[str], object]
"""Raises a SeraiError that says what is wrong with a schedule's text."""

FIELDS: Final = (
    "id",
    "name",
    "schedule",
    "timezone",
    "enabled",
    "repeat",
    "prompt",
    "skills",
    "model",
    "script",
    "no_agent",
    "context_from",
    "enabled_toolsets",
    "workdir",
    "deliver",
    "origin",
    "silent_ok",
)
"""Every field (SPEC 9.2), in the order in which new jobs have them."""

NO_AGENT_ID: Final = "`agent_id` is ignored: a job belongs to the agent in whose folder it lies"
_FIELDS_MOST: Final = 100
_REPAIRED: Final = "control characters in its texts are left out"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a value that should be a job is. `job` is None where it cannot run; `id` is what it is called then."""

    id: str
    job: Job | None
    problems: tuple[JobProblem, ...]


def _unread(id: str, fault: str) -> Reading:
    return Reading(id, None, (JobProblem(fault, id),))


class JobReader:
    """Reads the jobs of one home. Schedules and zones that come again are checked once."""

    def __init__(self, home: Path, check_schedule: CheckSchedule) -> None:
        self._hints = Hints()
        self._readers: Mapping[str, Reader[Any]] = {
            "id": text,
            "name": label,
            "schedule": _remembered(_schedule(check_schedule)),
            "timezone": _remembered(zone(self._hints)),
            "enabled": flag,
            "repeat": times,
            "prompt": text,
            "skills": names,
            "model": line,
            "script": _remembered(script),
            "no_agent": flag,
            "context_from": job_ids,
            "enabled_toolsets": names,
            "workdir": _remembered(workdir(Path(os.path.realpath(home)))),
            "deliver": places,
            "origin": origin(self._hints),
            "silent_ok": flag,
        }

    def read(self, value: object, place: str, *, raw: bool = False, suspect: bool = False) -> Reading:
        """One job. `place` names it as long as it has no id of its own; for `raw` and `suspect` see Entry. Never
        raises for what the value is."""
        if not isinstance(value, dict):
            return _unread(place, str(wrong("a map of fields", value)))
        named = value.get("id")
        id = named if type(named) is str and is_job_id(named) else place
        if len(value) > _FIELDS_MOST:
            return _unread(id, f"has more than {_FIELDS_MOST} fields")
        problems = [JobProblem(f"has {shown(key)} twice", id) for key in repeated(value)]
        clean = cleaned(dict(value)) if suspect else value
        if raw or clean != value:
            problems.append(JobProblem(_REPAIRED, id, fatal=False))
        fields = self._fields(clean, id, problems)
        problems += (JobProblem(fault, id) for fault in _whole(clean, place))
        fatal = any(problem.fatal for problem in problems)
        return Reading(id, None if fatal else Job(**fields), tuple(problems))

    def _fields(self, clean: Mapping[str, Any], id: str, problems: list[JobProblem]) -> dict[str, Any]:
        """What the fields mean, one by one; adds what is wrong with them."""
        fields: dict[str, Any] = {}
        for key, item in clean.items():
            read = self._readers.get(key)
            if read is None:
                problems.append(self._unknown(key, id))
            elif item is not None:
                try:
                    fields[key] = read(item)
                except Wrong as fault:
                    problems.append(JobProblem(fault.about(key), id, field=key))
        return fields

    def _unknown(self, key: str, id: str) -> JobProblem:
        if key == "agent_id":
            return JobProblem(NO_AGENT_ID, id, fatal=False)
        return JobProblem(f"unknown field {shown(key)}{self._hints.near(key, _fields)}", id)


def _whole(clean: Mapping[str, Any], place: str) -> Iterator[str]:
    """What shows only when all fields are seen."""
    id = clean.get("id")
    if id is None:
        yield f'has no id; give it one, such as "id": "{_suggested(clean, place)}"'
    elif type(id) is str and not is_job_id(id):
        yield f'`id` must be 12 hex digits in lower case, such as "{_suggested(clean, place)}", not {shown(id)}'
    if clean.get("schedule") is None:
        yield 'has no schedule; write one such as "schedule": "every 2h"'
    if clean.get("script") is None and clean.get("no_agent") is True:
        yield "has `no_agent` without a `script`: there is nothing to do"
    elif clean.get("no_agent") is not True and _is_blank(clean.get("prompt")):
        yield "has no `prompt`; only a `script` with `no_agent` needs none"


def _is_blank(prompt: object) -> bool:
    return prompt is None or (type(prompt) is str and not prompt.strip())


def _suggested(clean: Mapping[str, Any], place: str) -> str:
    """An id that stays the same as long as the job does."""
    parts = (place, *(str(clean[key]) for key in ("schedule", "prompt") if type(clean.get(key)) is str))
    return blake2b("\n".join(parts).encode(errors="replace"), digest_size=6).hexdigest()


def _fields() -> Iterable[str]:
    return FIELDS


def _schedule(check: CheckSchedule) -> Reader[str]:
    def read(value: object) -> str:
        found = line(value)
        try:
            check(found)
        except SeraiError as error:
            raise Wrong(f"cannot be: {error}") from None
        return found

    return read


def _remembered(read: Reader[str]) -> Reader[str]:
    found: dict[str, str | Wrong] = {}

    def again(value: object) -> str:
        if type(value) is not str:
            return read(value)
        if value not in found:
            try:
                found[value] = read(value)
            except Wrong as fault:
                found[value] = fault
        known = found[value]
        if isinstance(known, Wrong):
            raise Wrong(known.text, known.at)
        return known

    return again


def read_sheet(sheet: Sheet, reader: JobReader) -> tuple[list[Job], list[JobProblem]]:
    """All jobs that can run, and all problems, in the file's order."""
    jobs: dict[str, Job] = {}
    problems: list[JobProblem] = []
    seen: dict[str, int] = {}
    for at, entry in enumerate(sheet.entries):
        reading = read_entry(at, entry, reader)
        if reading.id in seen:
            problems.append(JobProblem(f"has the same id as jobs[{seen[reading.id]}], {reading.id}", f"jobs[{at}]"))
            continue
        problems += reading.problems
        seen[reading.id] = at
        if reading.job is not None:
            jobs[reading.id] = reading.job
    problems += (problem for job in jobs.values() for problem in _unknown_context(job, seen))
    return list(jobs.values()), problems


def read_entry(at: int, entry: Entry, reader: JobReader) -> Reading:
    """The job at that place of the list, from 0."""
    return reader.read(entry.value, f"jobs[{at}]", raw=entry.raw, suspect=entry.suspect)


def _unknown_context(job: Job, known: Mapping[str, int]) -> Iterator[JobProblem]:
    for other in job.context_from:
        if other not in known:
            yield JobProblem(f"`context_from` names {shown(other)}: there is no such job", job.id, fatal=False)


def entry_id(entry: Entry) -> JobId | None:
    """The id that an entry gives itself, be the rest right or wrong."""
    found = entry.value.get("id") if isinstance(entry.value, dict) else None
    return JobId(found) if type(found) is str and is_job_id(found) else None
