"""`serai setup`: from nothing to an agent that answers; again and again (SPEC 12)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from serai.cli.setup import model as setup_model
from serai.core.profile import Endpoint
from serai.models.weights import SMOLLM2
from tests.cli.fake_endpoint import fake_endpoint
from tests.cli.terminal import Terminal

KEY = "fake-key-of-the-endpoint"
COMMENTED = """\
# Ours.
model:
  name: m-old   # the old one
  provider: ollama
  fallback: [m-spare]
agents:
  main: {}   # everybody's
"""


@pytest.fixture
def url() -> Iterator[str]:
    with fake_endpoint(["m", "m-other"], KEY) as found:
        yield found


def test_a_script_gives_everything_as_options(serai: Terminal, url: str) -> None:
    said = serai(
        "setup", "--yes", "--base-url", url, "--model", "m", "--api-key-env", "K", "--api-key-file", "-",
        "--agent", "ada", "--persona", "You are Ada. You like engines.", typed=f"{KEY}\n",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "Trying the model ...\n")
    assert "It answers: Ready." in said.out
    env = serai.home / ".env"
    assert env.read_text() == f"K={KEY}\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert serai.config == f'model: {{name: m, base_url: "{url}", api_key_env: K}}\nagents:\n  ada: {{}}\n'
    assert (serai.home / "agents/ada/SOUL.md").read_text() == "# ada\n\nYou are Ada. You like engines.\n"
    assert serai("config", "check").code == 0
    assert KEY not in said.out


def test_a_person_is_asked(serai: Terminal, url: str) -> None:
    typed = f"2\n{url}\nK\nm\n{KEY}\n\nYou are main.\n"
    said = serai("setup", typed=typed)
    assert said.code == 0
    assert "1  a provider with a key" in said.out
    assert KEY not in said.out + said.err
    assert (serai.home / "agents/main/SOUL.md").read_text() == "# main\n\nYou are main.\n"
    assert "chat --agent main" in said.out


def test_running_it_again_changes_nothing(serai: Terminal, url: str) -> None:
    serai.write(f"K={KEY}\n", ".env")
    arguments = [
        "setup",
        "--yes",
        "--base-url",
        url,
        "--model",
        "m",
        "--api-key-env",
        "K",
        "--persona",
        "You are main.",
    ]
    assert serai(*arguments).code == 0
    before = files(serai.home)
    assert serai(*arguments).code == 0
    assert serai("setup", "--yes").code == 0
    assert serai("setup", typed="\n\n\n").code == 0
    assert files(serai.home) == before


def files(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_comments_fallbacks_and_other_lines_stay(serai: Terminal, url: str) -> None:
    serai.write(COMMENTED)
    serai.write("# keys\nOTHER=1\nexport K=old\nLAST='x'", ".env")
    arguments = ["--base-url", url, "--model", "m", "--api-key-env", "K", "--api-key-file", "-"]
    assert serai("setup", "--yes", *arguments, typed=KEY).code == 0
    assert serai.config == COMMENTED.replace("m-old", "m").replace("  provider: ollama\n", "").replace(
        "agents:", f'  base_url: "{url}"\n  api_key_env: K\nagents:'
    )
    assert (serai.home / ".env").read_text() == f"# keys\nOTHER=1\nK={KEY}\nLAST='x'"


def test_a_persona_that_somebody_wrote_stays(serai: Terminal, url: str) -> None:
    soul = serai.write("You are old.\n", "agents/main/SOUL.md")
    said = serai("setup", "--yes", "--no-test", "--provider", "ollama", "--model", "m", "--persona", "You are new.")
    assert (said.code, "stays" in said.err) == (0, True)
    assert soul.read_text() == "You are old.\n"


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (["--model", "nothing", "--api-key-env", "K", "--api-key-file", "-"], KEY, "does not know this model"),
        (["--model", "m", "--api-key-env", "K", "--api-key-file", "-"], "fake-wrong-key", "did not accept the key"),
        (["--model", "m", "--api-key-env", "K"], "", "`K` is not set"),
        (["--model", "m", "--api-key-env", "K", "--api-key-file", "-"], " ", "The key for K is empty"),
        ([], "", "Which model?"),
    ],
)
def test_what_does_not_work_is_told_and_nothing_is_written(
    arguments: list[str], typed: str, sentence: str, serai: Terminal, url: str
) -> None:
    said = serai("setup", "--yes", "--base-url", url, *arguments, typed=typed)
    assert said.code == 1
    assert sentence in said.err
    assert "fake-wrong-key" not in said.err
    assert files(serai.home) == {}


def test_a_model_that_cannot_be_reached_stops_a_script(serai: Terminal, closed_port: int) -> None:
    said = serai("setup", "--yes", "--base-url", f"http://127.0.0.1:{closed_port}/v1", "--model", "m")
    assert (said.code, "cannot be reached" in said.err) == (1, True)
    assert files(serai.home) == {}


def test_a_person_may_go_on_all_the_same(serai: Terminal, closed_port: int) -> None:
    address = ["--base-url", f"http://127.0.0.1:{closed_port}/v1", "--model", "m"]
    assert serai("setup", *address, typed="n\n").code == 130
    assert files(serai.home) == {}
    assert serai("setup", *address, typed="y\n\nYou are main.\n").code == 0
    assert "name: m" in serai.config


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--provider", "opnai", "--model", "m"], "Provider `opnai` is not known (did you mean `openai`?)"),
        (["--provider", "custom", "--model", "m"], "needs --base-url"),
        (["--model", "m"], "--model needs --provider or --base-url"),
        (["--local"], "No model server answers on this machine"),
        (["--provider", "ollama", "--model", "m", "--no-test", "--agent", "a b"], "Invalid agent ID `a b`"),
    ],
)
def test_a_wrong_choice_is_one_sentence(arguments: list[str], sentence: str, serai: Terminal) -> None:
    said = serai("setup", "--yes", *arguments)
    assert (said.code, sentence in said.err) == (1, True)
    assert files(serai.home) == {}


def test_only_one_model_can_be_chosen(serai: Terminal) -> None:
    assert serai("setup", "--local", "--embedded").code == 2


def test_a_server_that_answers_on_this_machine_is_offered_first(
    serai: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_endpoint(["m-local"]) as url:
        monkeypatch.setattr(setup_model, "_served", lambda _: Endpoint("m-local", url))
        assert serai("setup", typed="1\n\n\n").code == 0
    assert serai.config == f'model: {{name: m-local, base_url: "{url}"}}\n'


def test_a_providers_own_key_never_goes_to_another_address(serai: Terminal) -> None:
    with fake_endpoint(["m"]) as url:
        said = serai("setup", "--yes", "--provider", "openai", "--base-url", url, "--model", "m", OPENAI_API_KEY=KEY)
        assert said.code == 0
    assert "OPENAI_API_KEY" not in serai.config


def test_the_embedded_model_takes_the_place_of_another(serai: Terminal) -> None:
    os.truncate(serai.write("GGUF", f"models/{SMOLLM2.file}"), SMOLLM2.gguf_bytes)
    serai.write("# Ours.\nmodel: {name: m, provider: ollama}\n")
    assert serai("setup", "--yes", "--embedded", "--no-test").code == 0
    assert serai.config == "# Ours.\nmodel: null\n"


def test_a_model_that_is_kept_can_get_a_new_key(serai: Terminal, url: str) -> None:
    config = f"model: {{name: m, base_url: '{url}', api_key_env: K}}  # ours\n"
    serai.write(config)
    serai.write("K=fake-old-key\n", ".env")
    assert serai("setup", "--yes", "--keep").code == 1
    assert serai("setup", "--yes", "--keep", "--api-key-file", "-", typed=KEY).code == 0
    assert (serai.config, (serai.home / ".env").read_text()) == (config, f"K={KEY}\n")
