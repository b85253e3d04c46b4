"""Setting a variable in a .env file leaves every other line alone, and is read back as it was given (SPEC 2.5)."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.config.dotenv import read_env
from serai.config.dotenv_edit import set_variable
from serai.config.edit import EditError
from serai.config.report import Place, Report

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1)


def values(path: Path) -> dict[str, str]:
    report = Report()
    found = read_env(path, ".env", Place(), report, [])
    assert report.ordered() == ()
    return dict(found.values)


@given(PRINTABLE.filter(lambda text: text.isprintable()))
def test_any_value_is_read_back_as_it_was_given(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("home") / ".env"
    set_variable(path, "K", value)
    set_variable(path, "OTHER", "1")
    assert values(path) == {"K": value, "OTHER": "1"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_line_that_set_it_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# keys\nKK=1\n  export K = no\nK='old'  # mine\nL=2")
    set_variable(path, "K", "new")
    set_variable(path, "M", "3")
    assert path.read_text() == "# keys\nKK=1\n  export K = no\nK=new\nL=2\nM=3\n"


def test_a_line_break_is_refused_and_nothing_of_it_repeated(tmp_path: Path) -> None:
    with pytest.raises(EditError, match="line break") as caught:
        set_variable(tmp_path / ".env", "K", "fake-key\nX=1")
    assert "fake-key" not in str(caught.value)
    assert not (tmp_path / ".env").exists()
