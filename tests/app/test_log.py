"""Logs: structured, rotated, without secrets (SPEC 14, 15)."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from serai.app.log import set_level, set_up
from serai.core.redact import Redactor

SECRET = "fake-key-0123456789"


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "serai.log").read_text().splitlines()]


def test_a_record_is_one_line_of_json_with_its_ids(tmp_path: Path) -> None:
    set_up(tmp_path, "info", Redactor)
    structlog.get_logger("turn").info("turn done", agent="ops", turn=7)
    (line,) = lines(tmp_path)
    assert (line["event"], line["agent"], line["turn"], line["level"]) == ("turn done", "ops", 7, "info")
    assert str(line["timestamp"]).endswith("Z")


def test_secrets_are_taken_out_wherever_they_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path, "info", lambda: Redactor([SECRET, "short"]))
    log = structlog.get_logger("x")
    log.warning("failed", url=f"http://h/?key={SECRET}", note="short")
    logging.getLogger("library").warning("header Bearer %s", SECRET)
    try:
        raise ValueError(f"bad {SECRET}")
    except ValueError:
        log.exception("raised")
    everything = (tmp_path / "serai.log").read_text() + capsys.readouterr().err
    assert SECRET not in everything
    assert everything.count("[redacted]") == 6
    assert '"note":"short"' in everything
    assert len(lines(tmp_path)) == 3


def test_a_secret_that_json_writes_otherwise_is_found_and_the_line_stays_json(tmp_path: Path) -> None:
    odd = 'two "odd"\nlines'
    set_up(tmp_path, "info", lambda: Redactor([odd]))
    structlog.get_logger("x").warning("failed", note=f"it is {odd}")
    logging.getLogger("library").warning("{it is %s", odd)
    ours, library = (tmp_path / "serai.log").read_text().splitlines()
    assert json.loads(ours)["note"] == "it is [redacted]"
    assert library == "{it is [redacted]"


def test_a_log_that_cannot_be_written_harms_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path / "nowhere", "info", Redactor)
    structlog.get_logger("x").warning("still here")
    assert "Traceback" not in capsys.readouterr().err


def test_the_level_is_obeyed(tmp_path: Path) -> None:
    set_up(tmp_path, "warning", Redactor)
    structlog.get_logger("x").info("quiet")
    structlog.get_logger("x").warning("loud")
    assert [line["event"] for line in lines(tmp_path)] == ["loud"]


def test_the_level_may_change_while_running(tmp_path: Path) -> None:
    set_up(tmp_path, "info", Redactor)
    log = structlog.get_logger("turn")
    log.debug("before")
    set_level("debug")
    log.debug("after")
    set_level("warning")
    log.info("too late")
    assert [line["event"] for line in lines(tmp_path)] == ["after"]


def test_a_terminal_has_lines_for_people_and_the_file_has_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(tmp_path, "info", lambda: Redactor([SECRET]), lambda entry: f"{entry['level']}: {entry['event']}")
    structlog.get_logger("cron").warning(f"a job did not run: {SECRET}", agent="ops")
    logging.getLogger("library").error("lost")
    assert capsys.readouterr().err == "warning: a job did not run: [redacted]\nerror: lost\n"
    assert [line["event"] for line in lines(tmp_path)] == ["a job did not run: [redacted]", "lost"]
