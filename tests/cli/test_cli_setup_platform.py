"""`serai setup PLATFORM` and what `serai doctor` says of accounts (SPEC 12, 13)."""

import stat
from collections.abc import Iterator

import pytest

from tests.app.chatter import GOOD, PLUGIN, bring
from tests.cli.fake_endpoint import fake_endpoint
from tests.cli.terminal import Terminal

CONFIG = """\
# Ours.
model: {{name: m, base_url: "{url}"}}
plugins: {{enabled: [chatter]}}   # with a platform
agents: {{main: {{}}}}
"""


@pytest.fixture
def home(serai: Terminal) -> Iterator[Terminal]:
    with fake_endpoint(["m"]) as url:
        serai.write(CONFIG.format(url=url))
        bring(serai.home)
        soul = serai.home / "agents" / "main" / "SOUL.md"
        soul.parent.mkdir(mode=0o700, parents=True)
        soul.write_text("You are main.\n")
        yield serai


def secret(home: Terminal, value: str = GOOD) -> str:
    file = home.home / "token.txt"
    file.write_text(f"{value}\n")
    return str(file)


def test_a_script_gives_everything_as_options(home: Terminal) -> None:
    said = home(
        "setup",
        "chatter",
        "--yes",
        "--set",
        "room=lobby",
        "--secret",
        f"token_env={secret(home)}",
        "--allow-user",
        "42",
    )
    assert said.code == 0, said.err
    assert "1. Ask the operator of the chat for a token." in said.out
    assert "Fine: the token is good" in said.out
    assert GOOD not in said.out + said.err
    assert home.config.startswith("# Ours.\n")
    assert "# with a platform" in home.config
    assert home.config.endswith(
        'platforms:\n  chatter:\n    token_env: CHATTER_TOKEN\n    room: lobby\n    allow_users: ["42"]\n'
    )
    env = home.home / ".env"
    assert env.read_text() == f"CHATTER_TOKEN={GOOD}\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert home("config", "check").code == 0


def test_a_person_is_asked_in_the_words_of_the_settings(home: Terminal) -> None:
    said = home("setup", "chatter", typed=f"{GOOD}\nlobby\n\n")
    assert said.code == 0, said.err
    assert "The bot's token" in said.out
    assert "The room where it begins" in said.out
    assert "pairing: true" in home.config
    assert GOOD not in said.out + said.err


def test_a_second_account_stands_beside_the_first(home: Terminal) -> None:
    for name in ("default", "work", "lab"):
        token = f"token_env={secret(home, f'fake-token-of-{name}')}"
        options = ("--yes", "--no-test", "--account", name, "--set", "room=lobby", "--secret", token)
        said = home("setup", "chatter", *options)
        assert said.code == 0, said.err
    assert home("config", "check").code == 0
    assert list(home("config", "show", "--json").document["platforms"]["chatter"]["accounts"]) == [
        "default",
        "work",
        "lab",
    ]
    assert "CHATTER_WORK_TOKEN=" in (home.home / ".env").read_text()
    env = (home.home / ".env").read_text()
    again = home("setup", "chatter", "--account", "work")
    assert (again.code, "`chatter@work` is configured already" in again.err) == (1, True)
    assert (again.out, (home.home / ".env").read_text()) == ("", env)


def test_a_token_that_the_platform_does_not_know_is_told(home: Terminal) -> None:
    token = f"token_env={secret(home, 'fake-wrong-token')}"
    said = home("setup", "chatter", "--yes", "--set", "room=lobby", "--secret", token)
    assert said.code == 1
    assert "Wrong: the token is not known  ->  ask for another one" in said.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["chater"], "There is no platform `chater`"),
        (["chatter", "--yes"], "give --secret token_env=FILE"),
        (["chatter", "--yes", "--secret", "token_env={}"], "`room` is missing: give --set room=VALUE."),
        (["chatter", "--yes", "--set", "colour=red"], "chatter has no setting `colour`"),
        (["chatter", "--yes", "--set", "colour"], "must be KEY=VALUE"),
        (["chatter", "--yes", "--secret", "token_env=/no/such/file"], "cannot be read"),
        (
            ["chatter", "--yes", "--secret", "token_env={}", "--set", "room=x", "--set", "retries=many"],
            "whole number",
        ),
    ],
)
def test_what_is_wrong_changes_nothing(options: list[str], sentence: str, home: Terminal) -> None:
    before = home.config
    token = secret(home)
    said = home("setup", *(option.replace("{}", token) for option in options))
    assert said.code != 0
    assert sentence in said.err
    assert home.config == before
    assert not (home.home / ".env").exists()


def test_a_plugin_that_has_to_be_enabled_first_is_named(home: Terminal) -> None:
    home.write(home.config.replace("[chatter]", "[]"))
    said = home("setup", "chatter", "--yes")
    assert said.code == 1
    assert "the plugin `chatter` is there, but not enabled; name it in `plugins.enabled`" in said.err


def test_doctor_asks_each_platform_about_its_account(home: Terminal) -> None:
    token = f"token_env={secret(home)}"
    assert home("setup", "chatter", "--yes", "--set", "room=lobby", "--secret", token).code == 0
    assert "chatter" not in home("doctor").out
    (home.home / ".env").write_text("CHATTER_TOKEN=fake-wrong-token\n")
    said = home("doctor")
    assert "serious: platform: chatter: the token is not known  ->  ask for another one" in said.out


def test_doctor_and_check_name_a_library_that_is_missing(home: Terminal) -> None:
    file = home.home / "plugins" / "lost" / "plugin.py"
    file.parent.mkdir()
    text = PLUGIN.replace('NAME = "chatter"', 'NAME = "lost"')
    file.write_text(text.replace('DRIVER = f"{__name__}:Driver"', 'DRIVER = "nothing_of_that_name:Driver"'))
    home.write(home.config.replace("[chatter]", "[lost]"))
    said = home("setup", "lost", "--yes", "--set", "room=x", "--secret", f"token_env={secret(home)}")
    assert "pip install nothing_of_that_name" in said.err
    assert "pip install nothing_of_that_name" in home("doctor").out
    checked = home("config", "check")
    assert (checked.code, "1 problem" in checked.err) == (1, True)
    assert checked.out.startswith(
        "config.yaml: platforms.lost: platform `lost` needs a library that is not installed"
    )
    (problem,) = home("config", "check", "--json").document["data"]
    assert (problem["scope"], problem["subject"]) == ("account", "lost")
