"""Every conversation comes true as its script says (README.md describes the language)."""

from pathlib import Path

import pytest

from serai.testing.clock import run
from tests.conversations.compare import difference
from tests.conversations.driver import opened
from tests.conversations.play import Play
from tests.conversations.script import Script, Unreadable, read

HERE = Path(__file__).parent
SCRIPTS = {path.stem: read(path) for path in sorted(HERE.glob("*/*.chat"))}
PLAYED = [(name, driver) for name, script in SCRIPTS.items() for driver in script.drivers]


async def play(script: Script, driver: str, path: Path) -> str:
    """Plays a script; returns how it came otherwise, or the empty text."""
    async with opened(driver, int(script.settings.get("limit", "4096"))) as platform:
        played = Play(script, platform, path)
        try:
            await played.run()
            return difference(played)
        finally:
            played.close()


@pytest.mark.parametrize(("name", "driver"), PLAYED)
def test_a_conversation(name: str, driver: str, tmp_path: Path) -> None:
    found = run(play(SCRIPTS[name], driver, tmp_path / "state.db"))
    assert not found, f"{name} through {driver}: expected (-), came (+)\n{found}"


def test_there_are_many() -> None:
    assert len(SCRIPTS) >= 40


WRONG = {
    "another text": ("1 alice: hello\n* main > alice: good bye", "- *       main > alice: good bye"),
    "a missing answer": (
        "1 alice: hello\n* main > alice: re: hello\n* main > alice: and",
        "- *       main > alice: and",
    ),
    "an extra answer": ("1 alice: hello", "+ 1.6     main > alice: re: hello [m1]"),
    "another time": ("1 alice: hello\n9 main > alice: re: hello", "- 9.0     main > alice: re: hello"),
    "another count": ("1 alice: hello\n* main > alice: re: hello\ncalls: 2", "+ calls: 1"),
    "what is kept": ("1 alice: hello\n* main > alice: …\nnever stored: hello", "+ stored: hello"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_script_that_does_not_come_true_shows_the_difference(text: str, tmp_path: Path) -> None:
    script, line = WRONG[text]
    (tmp_path / "wrong.chat").write_text(script)
    found = run(play(read(tmp_path / "wrong.chat"), "fake", tmp_path / "state.db"))
    assert line in found.splitlines()


def test_a_line_that_is_no_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.chat").write_text("0 alice: hello\n\nhello?")
    with pytest.raises(Unreadable, match=r"odd\.chat:3: hello\?"):
        read(tmp_path / "odd.chat")
