"""Tables: drawn for people, plain for programs."""

import io
from contextlib import redirect_stdout

import pytest

from serai.cli.table import print_fields, print_table

LONG = "x" * 200


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(*rows: tuple[str, ...], heads: tuple[str, ...] = ("id", "count")) -> str:
    screen = Screen()
    with redirect_stdout(screen):
        print_table(heads, rows, right=("count",))
    return screen.getvalue()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_pipe_gets_one_line_per_row_whatever_its_length(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "count"), [(LONG, "1"), ("b", "22")], right=("count",))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["id", "count"], [LONG, "1"], ["b", "22"]]
    assert "\x1b" not in "".join(lines)


def test_a_terminal_gets_80_columns_and_loses_no_letter() -> None:
    text = drawn((LONG, "1"))
    assert max(map(len, _uncoloured(text).splitlines())) <= 80
    assert text.count("x") == len(LONG)
    assert "\x1b[1m" in text


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in drawn(("a", "1"))


def test_brackets_are_text_and_no_markup() -> None:
    assert "[red]x[/nonsense]" in drawn(("[red]x[/nonsense]", "1"))


def test_a_cell_cannot_drive_the_terminal_or_break_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "count"), [("a\x1b[2J\nb\u202e", "1")])
    assert capsys.readouterr().out.splitlines()[1].startswith("a [2J b   ")
    assert "\x1b[2J" not in drawn(("a\x1b[2J", "1"))


def test_an_absent_value_is_a_dash_so_that_columns_stay(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "count"), [("", "")])
    assert capsys.readouterr().out.splitlines()[1].split() == ["-", "-"]


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("id", "ops"), ("base URL", "")])
    assert capsys.readouterr().out == "id        ops\nbase URL  -\n"


def test_long_fields_fold_on_a_terminal_and_not_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("id", LONG)])
    assert len(capsys.readouterr().out.splitlines()) == 1
    screen = Screen()
    with redirect_stdout(screen):
        print_fields([("id", LONG)])
    assert max(map(len, _uncoloured(screen.getvalue()).splitlines())) <= 80


def _uncoloured(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_column_that_should_stay_whole_is_folded_last() -> None:
    screen = Screen()
    with redirect_stdout(screen):
        print_table(("id", "key"), [("i" * 28, "z" * 70)], whole=("id",))
    assert "i" * 28 in screen.getvalue()
    assert screen.getvalue().count("z") == 70
