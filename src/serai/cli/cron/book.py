"""The jobs of a home, asked of the running gateway or read from its files: the same documents either way (SPEC 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Job = Mapping[str, Any]
"""An object `job` of the API."""

Run = Mapping[str, Any]
"""An object `job.run` of the API."""

Problem = Mapping[str, Any]
"""An object `job.problem` of the API."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Some of a job's runs, the latest first; `after` is what to ask for to get those before them."""

    rows: Sequence[Run]
    after: str | None = None


class Book(Protocol):
    """What can be done with jobs. Every method raises a SeraiError with a sentence where it cannot be done."""

    runs_jobs: bool
    """Whether a gateway runs."""

    def jobs(self, agent: str | None = None) -> Sequence[Job]:
        """All jobs, or one agent's, by agent and id."""
        ...

    def problems(self, agent: str | None = None) -> Sequence[Problem]:
        """What is wrong with the jobs of all agents, or of one."""
        ...

    def add(self, agent: str, fields: Mapping[str, Any]) -> Job: ...

    def change(self, job: Job, fields: Mapping[str, Any]) -> Job:
        """Sets fields; None takes one away."""
        ...

    def remove(self, agent: str, id: str) -> None: ...

    def history(self, job: Job, limit: int, before: str | None = None) -> Runs: ...

    def output(self, job: Job, run: str) -> Run:
        """A run with the `text` that it has left."""
        ...

    def run(self, job: Job) -> Run:
        """Begins a run now."""
        ...

    def adopt(self, agent: str) -> None: ...
