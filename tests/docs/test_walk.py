"""Pages show what the product does: their commands are typed, and must print what the pages say they print."""

import shutil
from pathlib import Path

import pytest

from tests.docs.console import Step, joined, same, steps
from tests.docs.page import blocks, pages
from tests.docs.walk import acted, walked

WALKED = [page for page in pages() if acted(page)]


@pytest.mark.slow
@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    commands = "".join(block.text for block in blocks(page, "console"))
    if "$ curl" in commands and shutil.which("curl") is None:
        pytest.skip("the page uses curl, which is not installed")
    for block, shown, now in walked(page, tmp_path / "ada"):
        assert joined(now) == joined(shown), f"{block}: run `python -m tests.docs.walk {page.name}`"


def test_the_pages_are_walked_at_all() -> None:
    assert {page.stem for page in WALKED} >= {"api", "cli", "configuration", "routing", "webhook"}


def test_a_command_goes_on_behind_a_backslash_and_ends_before_its_output() -> None:
    text = "$ curl http://host \\\n    -d x\nanswer\n\n$ true\n"
    first, second = steps(text)
    assert first.command == "curl http://host \\\n    -d x"
    assert first.output == "answer\n\n"
    assert second == Step("true", "")
    assert joined([first, second]) == text


def test_outputs_that_differ_in_ids_and_times_alone_are_the_same() -> None:
    one = "run_0123456789abcdef01234567  2026-11-22 11:05:09  pid 7  open\nuptime  3 s\n"
    other = "run_76543210fedcba9876543210  2027-01-01 00:00:00  pid 19  open\nuptime  2 min 1 s\n"
    assert same(one, other)
    assert not same(one, other.replace("open", "closed"))
