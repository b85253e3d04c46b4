"""Every file in golden/ is a home, a command, and everything that the command answers.

Sections begin with `==== name`: files of the home, then `command`, then `exit`, `stdout` and `stderr`. Before the
command may stand `typed`, what comes from standard input; `stored`, for a home with a conversation in its database;
and `gateway`, for one that runs: a JSON object of paths with status and answer, or `gone`, `starting` or `cut`.

The home's own path is written HOME, the gateway's address GATEWAY. After a wanted change, `python -m
tests.cli.test_cli_golden` writes the answers anew; read the difference before you keep it.
"""

import ast
import json
import re
import shlex
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

import serai.cli
from tests.cli.fake_gateway import PID, FakeGateway
from tests.cli.stored import store_conversation
from tests.cli.terminal import Terminal

CLI = Path(serai.cli.__file__).parent
GOLDEN = Path(__file__).parent / "golden"
ANSWERS = ("exit", "stdout", "stderr")
SPECIAL = ("typed", "stored", "gateway", "command")


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^==== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def answered(given: dict[str, str], home: Path) -> dict[str, str]:
    home.mkdir()
    serai = Terminal(home)
    for name, text in given.items():
        if name not in (*SPECIAL, *ANSWERS):
            serai.write(text, name)
    if "stored" in given:
        store_conversation(home)
    with ExitStack() as stack:
        url = "(no gateway)"
        if "gateway" in given:
            url = running(stack.enter_context(FakeGateway(home)), given["gateway"].strip())
        said = serai(*shlex.split(given["command"]), typed=given.get("typed", ""))
    answers = {"exit": f"{said.code}\n", "stdout": said.out, "stderr": said.err}
    return {name: text.replace(str(home), "HOME").replace(url, "GATEWAY") for name, text in answers.items()}


def running(gateway: FakeGateway, way: str) -> str:
    """Puts the gateway into the state that the section names; returns its address."""
    url = gateway.url
    if way == "gone":
        gateway.hang_up()
    elif way == "starting":
        gateway.writes({"pid": PID})
    elif way == "cut":
        gateway.streams("/v1/chat/completions", end=False)
    else:
        for path, (status, document) in json.loads(way).items():
            gateway.answers(path, document, status)
    return url


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_a_command_answers_exactly_what_its_golden_file_says(path: Path, tmp_path: Path) -> None:
    given = sections(path.read_text(encoding="utf-8"))
    assert answered(given, tmp_path / "home") == {name: given[name] for name in ANSWERS}


ELSEWHERE = {
    "was changed by another program just now": "two programs at once",
    "needs xllamacpp": "a package that is not installed",
    "Nothing was changed: ": "an editor",
    "weights are not there": "fetched before, unless another program takes them away",
}
"""Sentences that need more than a home and a gateway, with what they need."""


def sentences() -> dict[str, str]:
    """Every error that the command line words itself, as a pattern, with its place."""
    found = {}
    for path in sorted(CLI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("Failed" | "NotRunning") | ast.Attribute(attr="UsageError"), args=[text, *_]
                ):
                    pattern = worded(text)
                    if pattern:
                        found[pattern] = f"{path.relative_to(CLI)}:{node.lineno}"
    return found


def worded(text: ast.expr) -> str | None:
    """A literal as a pattern, with anything where a value stands; None for what is worded elsewhere."""
    match text:
        case ast.Constant(str(words)):
            return re.escape(words)
        case ast.JoinedStr(parts):
            return "".join(re.escape(one.value) if isinstance(one, ast.Constant) else ".*" for one in parts)
        case _:
            return None


def test_every_error_that_the_command_line_words_has_a_golden_file() -> None:
    errors = "".join(sections(path.read_text(encoding="utf-8"))["stderr"] for path in GOLDEN.glob("*.txt"))
    missing = {
        place: pattern
        for pattern, place in sentences().items()
        if not re.search(f"Error: {pattern}$", errors, re.MULTILINE)
    }
    excused = {place for place, pattern in missing.items() for words in ELSEWHERE if re.escape(words) in pattern}
    assert {place: pattern for place, pattern in missing.items() if place not in excused} == {}
    assert len(excused) == len(ELSEWHERE)


def write() -> None:
    for path in sorted(GOLDEN.glob("*.txt")):
        given = sections(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as home:
            parts = given | answered(given, Path(home, "home"))
        path.write_text("".join(f"==== {name}\n{text}" for name, text in parts.items()), encoding="utf-8")


if __name__ == "__main__":
    write()
