"""The port to the job files, on a disk: each method does its work in a thread (SPEC 9)."""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from serai.core.error import StorageFailed
from serai.core.ids import JobId
from serai.core.job import Job
from serai.jobs.folder import directory
from serai.jobs.look import look
from serai.jobs.output import read_output, write_output
from serai.jobs.owner import adopt, own, read_owner
from serai.jobs.read import CheckSchedule, JobReader
from serai.jobs.script import ScriptRunner, script_fault, work_place
from serai.jobs.skill import read_skill
from serai.jobs.write import Edit, add, change, edit, remove
from serai.ports.clock import Entropy
from serai.ports.jobs import JobFolder, ScriptResult

_ID_DIGITS = 12


class DiskJobs:
    """Job files as `JobFiles` wants them.

    `check_schedule` raises a SeraiError for a text that is no schedule; `entropy` makes the ids of new jobs;
    `scripts` runs scripts.
    """

    def __init__(self, check_schedule: CheckSchedule, entropy: Entropy, scripts: ScriptRunner | None = None) -> None:
        self._check_schedule = check_schedule
        self._entropy = entropy
        self._scripts = scripts or ScriptRunner()

    async def look(self, known: Mapping[Path, JobFolder | None]) -> Mapping[Path, JobFolder]:
        return await to_thread(self._look, known)

    def _look(self, known: Mapping[Path, JobFolder | None]) -> Mapping[Path, JobFolder]:
        """All of them in one thread: a thread for each would cost more than the looks."""
        found = {cron: look(cron, earlier, self._check_schedule) for cron, earlier in known.items()}
        return {cron: folder for cron, folder in found.items() if folder is not known[cron]}

    async def add(self, cron: Path, fields: Mapping[str, Any], wanted: JobId | None = None) -> Job:
        return await self._edit(cron, lambda reader: add(fields, reader, self._new_id, wanted))

    async def change(self, cron: Path, job: JobId, fields: Mapping[str, Any]) -> Job:
        return await self._edit(cron, lambda reader: change(job, fields, reader))

    async def remove(self, cron: Path, job: JobId) -> Job | None:
        return await to_thread(self._edited, cron, lambda reader: remove(job, reader))

    async def owner(self, cron: Path) -> str | None:
        return (await to_thread(read_owner, directory(cron)))[0]

    async def own(self, cron: Path, store: str) -> str:
        return await to_thread(own, cron, store)

    async def adopt(self, cron: Path, store: str) -> None:
        await to_thread(adopt, cron, store)

    async def write_output(self, cron: Path, job: JobId, name: str, text: str) -> Path:
        return await to_thread(write_output, cron, job, name, text)

    async def read_output(self, cron: Path, job: JobId, name: str | None = None) -> str | None:
        return await to_thread(read_output, cron, job, name)

    async def read_skill(self, skills: Path, name: str) -> str | None:
        return await to_thread(read_skill, skills, name)

    async def script_fault(self, cron: Path, name: str) -> str | None:
        return await to_thread(script_fault, cron, name)

    async def work_place(self, home: Path, workdir: str) -> str:
        return str(await to_thread(work_place, home, workdir))

    async def run_script(self, cron: Path, home: Path, job: Job, environment: Mapping[str, str]) -> ScriptResult:
        return await self._scripts.run(cron, home, job, environment)

    async def _edit(self, cron: Path, change: Callable[[JobReader], Edit]) -> Job:
        job = await to_thread(self._edited, cron, change)
        if job is None:
            raise StorageFailed("the job that was written cannot be read")
        return job

    def _edited(self, cron: Path, change: Callable[[JobReader], Edit]) -> Job | None:
        return edit(cron, change(JobReader(cron.parent, self._check_schedule)))

    def _new_id(self) -> str:
        """The end of a token: its beginning is the time, which two jobs may share."""
        return self._entropy.token()[-_ID_DIGITS:]
