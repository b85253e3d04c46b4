"""Jobs files without a disk, for tests of what runs jobs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import normpath
from pathlib import Path
from typing import Any

from serai.core.delivery import Target
from serai.core.ids import JobId
from serai.core.job import Job, JobProblem
from serai.core.job_output import is_result
from serai.ports.jobs import BadJob, JobExists, JobFiles, JobFolder, ScriptResult, UnknownJob

_PLAIN = Job(JobId("0" * 12), "30m")


class MemoryJobs(JobFiles):
    """Folders that tests fill with `put`. `links` say which folder is really which; `outputs` are what runs have
    left, `ran` the scripts that were run. A script without a result in `scripts` writes nothing; one whose result
    is None hangs."""

    def __init__(self) -> None:
        self.folders: dict[Path, JobFolder] = {}
        self.links: dict[Path, Path] = {}
        self.scripts: dict[str, ScriptResult | None] = {}
        self.skills: dict[str, str] = {}
        self.outputs: dict[tuple[Path, JobId, str], str] = {}
        self.ran: list[tuple[str, Mapping[str, str]]] = []
        self._count = 0

    def put(self, cron: Path, *jobs: Job, problems: Sequence[JobProblem] = ()) -> None:
        """What the folder's file holds now."""
        real = self._real(cron)
        owner = self.folders[real].owner if real in self.folders else None
        self._count += 1
        self.folders[real] = JobFolder(real, jobs, tuple(problems), str(self._count), owner)

    def _real(self, cron: Path) -> Path:
        return self.links.get(cron, cron)

    def _folder(self, cron: Path) -> JobFolder:
        real = self._real(cron)
        return self.folders.setdefault(real, JobFolder(real, ()))

    async def look(self, known: Mapping[Path, JobFolder | None]) -> Mapping[Path, JobFolder]:
        return {cron: self._folder(cron) for cron, before in known.items() if before is not self._folder(cron)}

    async def add(self, cron: Path, fields: Mapping[str, Any], wanted: JobId | None = None) -> Job:
        self._count += 1
        job = _made(Job(wanted or JobId(f"{self._count:012x}"), "30m"), fields)
        there = [one for one in self._folder(cron).jobs if one.id == job.id]
        if there and there[0] != job:
            raise JobExists(f"there is another job `{job.id}`")
        if not there:
            self.put(cron, *self._folder(cron).jobs, job)
        return job

    async def change(self, cron: Path, job: JobId, fields: Mapping[str, Any]) -> Job:
        changed = _made(self._found(cron, job), fields)
        self.put(cron, *(changed if one.id == job else one for one in self._folder(cron).jobs))
        return changed

    async def remove(self, cron: Path, job: JobId) -> Job | None:
        found = self._found(cron, job)
        self.put(cron, *(one for one in self._folder(cron).jobs if one.id != job))
        return found

    def _found(self, cron: Path, job: JobId) -> Job:
        for one in self._folder(cron).jobs:
            if one.id == job:
                return one
        raise UnknownJob(f"there is no job `{job}`")

    async def owner(self, cron: Path) -> str | None:
        return self._folder(cron).owner

    async def own(self, cron: Path, store: str) -> str:
        folder = self._folder(cron)
        if folder.owner is None:
            self.folders[folder.directory] = replace(folder, owner=store)
        return self.folders[folder.directory].owner or store

    async def adopt(self, cron: Path, store: str) -> None:
        folder = self._folder(cron)
        self.folders[folder.directory] = replace(folder, owner=store)

    async def write_output(self, cron: Path, job: JobId, name: str, text: str) -> Path:
        self.outputs[self._real(cron), job, name] = text
        return self._real(cron) / "output" / job / name

    async def read_output(self, cron: Path, job: JobId, name: str | None = None) -> str | None:
        kept = [
            key
            for key, text in self.outputs.items()
            if key[:2] == (self._real(cron), job) and (name == key[2] or (name is None and is_result(text)))
        ]
        return self.outputs[max(kept)] if kept else None

    async def read_skill(self, _skills: Path, name: str) -> str | None:
        return self.skills.get(name)

    async def script_fault(self, _cron: Path, _name: str) -> str | None:
        return None

    async def work_place(self, home: Path, workdir: str) -> str:
        return self._place(str(home / "workspace" / workdir))

    def _place(self, path: str) -> str:
        place = Path(normpath(path))
        return str(self.links.get(place, place))

    async def run_script(self, _cron: Path, _home: Path, job: Job, environment: Mapping[str, str]) -> ScriptResult:
        self.ran.append((job.script or "", environment))
        result = self.scripts.get(job.script or "", ScriptResult(""))
        if result is None:
            await asyncio.Event().wait()
        return result or ScriptResult("")


def _made(job: Job, fields: Mapping[str, Any]) -> Job:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    if not fields.get("schedule", job.schedule):
        raise BadJob([JobProblem("a schedule must not be blank")])
    origin = fields.get("origin")
    maps = {"origin": Target(**origin)} if isinstance(origin, Mapping) else {}
    default = {name: getattr(_PLAIN, name) for name, value in fields.items() if value is None}
    return replace(job, **{**fields, **lists, **maps, **default})
