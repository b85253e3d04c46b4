"""Jobs as an agent's home has them: files, scripts, what runs leave (SPEC 9). Paths are of the home's `cron` folder.

Every method may be called from the event loop: what touches the disk is done in a thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from serai.core.error import SeraiError
from serai.core.ids import JobId
from serai.core.job import Job, JobProblem


class JobsDamaged(SeraiError):
    """A jobs file cannot be used as it is; it was left alone. The text says what is wrong with it."""


class UnknownJob(SeraiError):
    """There is no job of that id in this directory."""


class JobExists(SeraiError):
    """A new job was to have an id that another one has."""


class BadJob(SeraiError):
    """A job that cannot be; nothing was written. `problems` are all there are."""

    def __init__(self, problems: Sequence[JobProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class ForeignJobs(SeraiError):
    """Another store schedules this directory (SPEC 9.1); `serai cron adopt` takes it over."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """A `cron` folder as it was found. `directory` is its real path (links resolved): its identity.

    `jobs` are those that can run, in the file's order. `problems` are all that were found. `stamp` changes when the
    file does. `owner` is the store that schedules it, None where none does yet, blank where that cannot be told (no
    store has that name; a fatal problem says why). `damage` says why the file cannot be used as a whole: then nobody
    knows which jobs it has. `seen` is for whoever made the folder: what the files looked like.
    """

    directory: Path
    jobs: tuple[Job, ...]
    problems: tuple[JobProblem, ...] = ()
    stamp: str = ""
    owner: str | None = None
    damage: str | None = None
    seen: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """How a script ended. `output` is what it wrote to its standard output, cut in the middle at a bound; `fault` is
    a sentence where it failed, did not exist or took too long, else None."""

    output: str
    fault: str | None = None


class JobFiles(Protocol):
    """The files. None of these methods decides who may call it."""

    async def look(self, known: Mapping[Path, JobFolder | None]) -> Mapping[Path, JobFolder]:
        """Those of the `cron` folders that are different from what is `known` of them, as they are now. Never raises
        for what is in a folder: a damaged file is a fatal problem and no jobs, and one that is not there is an empty
        folder."""
        ...

    async def add(self, cron: Path, fields: Mapping[str, Any], wanted: JobId | None = None) -> Job:
        """Writes a new job; an id is made for it, or it is the `wanted` one: the very same job again is found, not
        written twice. `fields` are those of SPEC 9.2, as in the file.

        Raises BadJob, JobExists, JobsDamaged, StorageFailed.
        """
        ...

    async def change(self, cron: Path, job: JobId, fields: Mapping[str, Any]) -> Job:
        """Sets fields of a job; None takes a field away. Raises UnknownJob, BadJob, JobsDamaged, StorageFailed."""
        ...

    async def remove(self, cron: Path, job: JobId) -> Job | None:
        """Takes a job out of the file, and gives it back where it could be read. Raises UnknownJob, JobsDamaged,
        StorageFailed."""
        ...

    async def owner(self, cron: Path) -> str | None:
        """Whose `.owner` says it is just now; None where there is none, blank where it cannot be told."""
        ...

    async def own(self, cron: Path, store: str) -> str:
        """Writes `.owner` where there is none, and returns whose it is then: the winner's of a race. Raises
        StorageFailed."""
        ...

    async def adopt(self, cron: Path, store: str) -> None:
        """Makes the folder that store's. Raises StorageFailed."""
        ...

    async def write_output(self, cron: Path, job: JobId, name: str, text: str) -> Path:
        """Keeps what a run has left as `output/<job>/<name>`, atomically; the same again is no error. `name` is of
        letters, digits, `.`, `_` and `-`, else a ValueError. Raises StorageFailed."""
        ...

    async def read_output(self, cron: Path, job: JobId, name: str | None = None) -> str | None:
        """What a run has left, cut at a bound; without `name` the latest, by the order of names, that is neither
        silence nor tells of a failure. None where there is nothing."""
        ...

    async def read_skill(self, skills: Path, name: str) -> str | None:
        """The text of the skill's SKILL.md in that folder; None where there is no such skill."""
        ...

    async def script_fault(self, cron: Path, name: str) -> str | None:
        """Why the script of that name cannot be started as it is, to follow its name in a sentence; None where it
        can."""
        ...

    async def work_place(self, home: Path, workdir: str) -> str:
        """The path that a job's `workdir` means in that home, links resolved, be there such a folder or not."""
        ...

    async def run_script(self, cron: Path, home: Path, job: Job, environment: Mapping[str, str]) -> ScriptResult:
        """Runs a script of `cron/scripts` for a job of that home, in its work directory there, with that environment
        and nothing else. When cancelled, the script and all that it has started are ended."""
        ...
