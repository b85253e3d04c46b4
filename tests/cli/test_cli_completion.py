"""`serai completion`: what Tab offers (SPEC 12)."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from serai.cli.root import root
from tests.cli.cron_home import CHECK, REPORT, write_cron_home
from tests.cli.stored import SESSION, store_conversation
from tests.cli.terminal import OPS, Terminal
from tests.patience import PATIENCE_S


def asked(serai: Terminal, words: tuple[str, ...]) -> dict[str, str]:
    """How a shell asks for the last of `words`: by the environment."""
    return {
        "SERAI_HOME": str(serai.home),
        "HOME": str(serai.home.parent),
        "_SERAI_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["serai", *words]),
        "COMP_CWORD": str(len(words)),
    }


def told(out: str) -> set[str]:
    return {line.partition(",")[2] for line in out.splitlines() if line}


def offered(serai: Terminal, *words: str) -> set[str]:
    """What a shell would be told for the last of `words`."""
    done = CliRunner().invoke(root, [], env=asked(serai, words), prog_name="serai")
    assert done.stderr == ""
    return told(done.stdout)


def offered_by_a_process(serai: Terminal, *words: str) -> set[str]:
    """The same, by a process of its own, as it is for a shell."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['serai']; from serai.cli import main; main()"],
        env=asked(serai, words),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stderr == ""
    return told(done.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_serai(shell: str, serai: Terminal) -> None:
    said = serai("completion", shell)
    assert said.code == 0
    assert f"_SERAI_COMPLETE={shell}_complete" in said.out
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=said.out, text=True, timeout=PATIENCE_S).returncode == 0


def test_an_unknown_shell_is_a_wrong_command_line(serai: Terminal) -> None:
    assert serai("completion", "tcsh").code == 2


def test_commands_and_options_are_offered(serai: Terminal) -> None:
    assert {"session", "status"} <= offered(serai, "s")
    assert "search" in offered(serai, "session", "se")
    assert "--agent" in offered(serai, "ask", "--a")


def test_a_shell_is_told_by_a_process_of_its_own(serai: Terminal) -> None:
    write_cron_home(serai)
    store_conversation(serai.home)
    assert "search" in offered_by_a_process(serai, "session", "se")
    assert "ops" in offered_by_a_process(serai, "agent", "show", "o")
    assert SESSION in offered_by_a_process(serai, "session", "show", "ses")
    assert offered_by_a_process(serai, "cron", "edit", "--agent", "ops", "aaaa") == {REPORT, CHECK}
    serai.write("agents: [")
    serai.write("not a database", "state.db")
    assert offered_by_a_process(serai, "session", "show", "") == set()


def test_agents_of_the_home_are_offered(serai: Terminal) -> None:
    serai.write(OPS)
    for words in (["agent", "show"], ["agent", "remove"], ["ask", "--agent"], ["logs", "--agent"]):
        assert "ops" in offered(serai, *words, "o")


def test_sessions_are_offered(serai: Terminal) -> None:
    store_conversation(serai.home)
    for words in (["session", "show"], ["session", "export"], ["ask", "--session"]):
        assert SESSION in offered(serai, *words, "ses")


def test_jobs_are_offered_by_their_ids_and_names(serai: Terminal) -> None:
    write_cron_home(serai)
    for words in (["cron", "show"], ["cron", "run"], ["cron", "edit", "--agent", "ops"]):
        assert offered(serai, *words, "aaaa") == {REPORT, CHECK}
        assert offered(serai, *words, "morn") == {REPORT}


def test_a_broken_home_offers_nothing(serai: Terminal) -> None:
    serai.write("agents: [")
    serai.write("not a database", "state.db")
    assert offered(serai, "agent", "show", "") == set()
    assert offered(serai, "session", "show", "") == set()
    assert offered(serai, "cron", "show", "") == set()
