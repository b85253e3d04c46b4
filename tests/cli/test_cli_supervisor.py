"""Whatever goes wrong ends in a sentence and an exit code, never in a traceback."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from serai.cli.supervisor import supervise
from serai.core.error import Startup
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_S


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Startup("the port is taken"), 1, "Error: the port is taken\n"),
        (click.ClickException("no"), 1, "Error: no\n"),
        (click.UsageError("not so"), 2, "Error: not so\n"),
        (click.Abort(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
        (PermissionError(13, "Permission denied", "/x/config.yaml"), 1, "Error: /x/config.yaml: Permission denied\n"),
        (TimeoutError(), 1, "Error: TimeoutError\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_sentence_and_exit_code(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervise(lambda: raising(error)) == code
    assert capsys.readouterr().err == sentence


def test_a_defect_of_ours_names_its_place_and_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert supervise(lambda: raising(ValueError("odd"))) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: This is a defect of serai itself: ValueError: odd (tests.cli.test_cli_supervisor:")
    assert len(said.splitlines()) == 1


def test_a_home_that_is_no_directory_is_one_sentence(serai: Terminal) -> None:
    serai.home.rmdir()
    serai.home.write_text("a file")
    for command in (["agent", "add", "ops"], ["agent", "list"], ["status"], ["config", "check"]):
        said = serai(*command)
        assert said.code == 1
        assert "Traceback" not in said.out + said.err
        assert "defect" not in said.err


@pytest.mark.parametrize("arguments", [["--help"], ["route", "list"], ["route", "list", "--json"]])
def test_a_reader_that_goes_away_ends_the_command_quietly(arguments: list[str], serai: Terminal) -> None:
    routes = "".join(f"  - {{match: {{chat_id: c{n}}}, agent: main}}\n" for n in range(3000))
    serai.write(f"routes:\n{routes}")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "serai", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={"SERAI_HOME": str(serai.home), "HOME": str(serai.home.parent), "PYTHONPATH": str(_source())},
        timeout=PATIENCE_S,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_c_hangs_up_and_exits_130(serai: Terminal) -> None:
    """The gateway sees the connection close, which is how it knows to cancel the turn."""
    with socket.create_server(("127.0.0.1", 0)) as server, FakeGateway(serai.home) as gateway:
        gateway.writes({"pid": 1, "url": f"http://127.0.0.1:{server.getsockname()[1]}", "token": "fake-token"})
        process = subprocess.Popen(
            [sys.executable, "-c", _ASK],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"SERAI_HOME": str(serai.home), "HOME": str(serai.home.parent), "PYTHONPATH": str(_source())},
        )
        server.settimeout(PATIENCE_S)
        caller, _ = server.accept()
        with caller:
            caller.settimeout(PATIENCE_S)
            caller.recv(65536)
            process.send_signal(signal.SIGINT)
            while caller.recv(65536):
                pass
        out, error = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, error.strip()) == (130, b"", b"")


_ASK = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
sys.argv = ["serai", "ask", "hello"]
from serai.cli import main
sys.exit(main())
"""


def _source() -> Path:
    return Path(__file__).parents[2] / "src"
