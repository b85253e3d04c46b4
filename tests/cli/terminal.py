"""A person at a command line: runs `serai` in this process, on a home of their own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from serai.cli.root import root

OPS = "agents:\n  ops: {}\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """`serai` on the home `home`. Nothing of the machine's own environment that could matter gets in."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, typed: str | bytes = "", **environment: str) -> Said:
        variables: dict[str, str | None] = {
            "SERAI_HOME": str(self.home),
            "HOME": str(self.home.parent),
            "OPENAI_API_KEY": None,
            "TZ": "UTC",
            **environment,
        }
        done = CliRunner().invoke(root, list(arguments), input=typed, env=variables)
        return Said(done.exit_code, done.stdout, done.stderr)

    def write(self, text: str, path: str = "config.yaml") -> Path:
        """Puts a file into the home."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    @property
    def config(self) -> str:
        return (self.home / "config.yaml").read_text(encoding="utf-8")
