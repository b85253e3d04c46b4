"""Every file in golden/ is a home, a command, and everything that the command answers.

Sections begin with `==== name`: files of the home, then `command`, then `exit`, `stdout` and `stderr`. The home's own
path is written HOME. After a wanted change, `python -m tests.cli.test_cli_golden` writes the answers anew; read the
difference before you keep it.
"""

import re
import shlex
import tempfile
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

GOLDEN = Path(__file__).parent / "golden"
ANSWERS = ("exit", "stdout", "stderr")


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^==== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def answered(given: dict[str, str], home: Path) -> dict[str, str]:
    home.mkdir()
    serai = Terminal(home)
    for name, text in given.items():
        if name not in ("command", *ANSWERS):
            serai.write(text, name)
    said = serai(*shlex.split(given["command"]))
    answers = {"exit": f"{said.code}\n", "stdout": said.out, "stderr": said.err}
    return {name: text.replace(str(home), "HOME") for name, text in answers.items()}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_a_command_answers_exactly_what_its_golden_file_says(path: Path, tmp_path: Path) -> None:
    given = sections(path.read_text(encoding="utf-8"))
    assert answered(given, tmp_path / "home") == {name: given[name] for name in ANSWERS}


def write() -> None:
    for path in sorted(GOLDEN.glob("*.txt")):
        given = sections(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as home:
            parts = given | answered(given, Path(home, "home"))
        path.write_text("".join(f"==== {name}\n{text}" for name, text in parts.items()), encoding="utf-8")


if __name__ == "__main__":
    write()
