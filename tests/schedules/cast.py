"""Agents with jobs, each with a persona, a memory, a model and a key of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.process.home import write_env


@dataclass(frozen=True, slots=True)
class Actor:
    """One agent. `endpoint` is the last part of its model's address; several may have the same."""

    id: str
    home: Path
    endpoint: str = "shared"

    @property
    def model(self) -> str:
        return f"m-{self.id}"

    @property
    def key(self) -> str:
        return f"fake-key-of-{self.id}"

    @property
    def key_name(self) -> str:
        return f"KEY_{self.id.upper()}"

    @property
    def soul(self) -> str:
        return f"soul-of-{self.id}."

    @property
    def memory(self) -> str:
        return f"memory-of-{self.id}."

    @property
    def cron(self) -> Path:
        return self.home / "cron"

    @property
    def file(self) -> Path:
        return self.cron / "jobs.json"

    def settings(self, model: str) -> dict[str, Any]:
        """What `config.yaml` says of it; `model` is the address of all endpoints."""
        return {"model": self.model, "base_url": f"{model}/{self.endpoint}/v1", "api_key_env": self.key_name}

    def furnish(self) -> None:
        """Writes its home: persona, memory, key."""
        write_env(self.home / ".env", {self.key_name: self.key})
        (self.home / "SOUL.md").write_text(f"You are {self.id}. {self.soul}\n")
        (self.home / "memories").mkdir(exist_ok=True)
        (self.home / "memories" / "MEMORY.md").write_text(f"{self.memory}\n")

    def write(self, *jobs: Mapping[str, Any]) -> None:
        """Its jobs file, in one step: whoever looks meanwhile does not see a half of it."""
        self.cron.mkdir(exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"jobs": jobs}, indent=2))
        new.replace(self.file)

    def outputs(self) -> Sequence[str]:
        """What its jobs have left, of all runs."""
        return [path.read_text() for path in sorted(self.cron.glob("output/*/*.md"))]


def job(id: str, schedule: str = "1s", **fields: Any) -> dict[str, Any]:
    """A job as its file has it."""
    return {"id": id, "schedule": schedule, "prompt": f"do {id}", "deliver": "local", **fields}
