"""Secrets: `.env` files, the order of the places, and who may see what (SPEC 2.5)."""

import os
import stat
from pathlib import Path

import pytest

from serai.config.dotenv import EnvFile, read_env
from serai.config.load import Loaded, load
from serai.config.report import Place, Report
from serai.config.secret import Found, LoadedSecrets, Lookup
from serai.config.value import is_placeholder
from serai.core.ids import MAIN, AgentId
from serai.ports.secrets import SecretMissing

OPS = AgentId("ops")
LAB = AgentId("lab")
TWO_AGENTS = """\
agents:
  ops: {provider: openai, model: m, api_key_env: K_OPS}
  lab: {provider: openai, model: m, api_key_env: K_LAB}
model: {name: m, provider: ollama}
"""


def env_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def parsed(tmp_path: Path, text: str) -> tuple[dict[str, str], list[str]]:
    report = Report()
    path = env_file(tmp_path / ".env", text)
    found = read_env(path, ".env", Place(), report, [])
    return dict(found.values), [str(one) for one in report.problems]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=plain", "plain"),
        ("export K=plain", "plain"),
        ("  K=plain  ", "plain"),
        ("K=", ""),
        ("K=''", ""),
        ("K=a b  # comment", "a b"),
        ("K=  # comment", ""),
        ("K=a#b", "a#b"),
        ("K=#b", "#b"),
        ("K='single # $quoted \\n'", "single # $quoted \\n"),
        ("K='quoted' # comment", "quoted"),
        ('K="a \\"b\\" \\\\ \\$c\\n"', 'a "b" \\ $c\n'),
        ('K="keeps \\d"', "keeps \\d"),
        ("K=with=equals==", "with=equals=="),
        ("K=naïve", "naïve"),
        ("K=crlf\r", "crlf"),
    ],
)
def test_a_line_of_an_env_file_has_a_value(tmp_path: Path, line: str, value: str) -> None:
    assert parsed(tmp_path, f"# first\n\n{line}\n") == ({"K": value}, [])


@pytest.mark.parametrize(
    "line", ["fake-key", "K", "K = v", "1K=v", "a-b=v", "K: v", "K='open", 'K="open', "K='a'b", "K='a'#b", "K=a\x07b"]
)
def test_a_bad_line_is_told_by_its_number_and_never_repeated(tmp_path: Path, line: str) -> None:
    values, problems = parsed(tmp_path, f"GOOD=1\n{line}\n")
    assert values == {"GOOD": "1"}
    (problem,) = problems
    assert problem.startswith(".env:2: ")
    assert "fake-key" not in problem
    assert "open" not in problem


def test_a_variable_that_is_set_twice_is_a_problem(tmp_path: Path) -> None:
    values, problems = parsed(tmp_path, "K=a\nK=b\n")
    assert values == {"K": "a"}
    assert problems == [".env:2: this variable is set twice, first on line 1"]


def test_an_env_file_that_others_may_read_is_closed_and_that_is_told(tmp_path: Path) -> None:
    path = env_file(tmp_path / ".env", "K=fake-key\n", mode=0o644)
    notices: list[str] = []
    read_env(path, ".env", Place(), Report(), notices)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert notices == [".env could be read by other users of this machine; its mode is 0600 now"]


def test_a_pipe_named_env_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env", 0o600)
    report = Report()
    read_env(tmp_path / ".env", ".env", Place(), report, [])
    assert [str(one) for one in report.problems] == [".env: the file cannot be read: it is not a plain file"]


def test_a_bad_env_file_of_an_agent_disables_that_agent_alone(tmp_path: Path) -> None:
    env_file(tmp_path / "agents" / "ops" / ".env", "oops\n")
    result = two_agents(tmp_path, K_OPS="fake-key-ops", K_LAB="fake-key-lab")
    (problem,) = result.problems
    assert (problem.scope, problem.subject) == ("agent", "ops")
    assert str(problem) == "agents/ops/.env:1: not of the form KEY=VALUE"
    assert result.snapshot is not None
    assert result.snapshot.refusal(OPS) is not None
    assert result.snapshot.refusal(LAB) is None


def test_a_bad_env_file_of_the_gateway_refuses_to_start(tmp_path: Path) -> None:
    env_file(tmp_path / ".env", "oops\n")
    assert two_agents(tmp_path, K_OPS="fake-key-ops", K_LAB="fake-key-lab").snapshot is None


def two_agents(home: Path, **environment: str) -> Loaded:
    (home / "config.yaml").write_text(TWO_AGENTS)
    return load(home, environment, {}, ("memory", "files"))


def test_the_agents_own_file_comes_first_then_the_gateways_then_the_environment(tmp_path: Path) -> None:
    result = two_agents(tmp_path, K_OPS="from-environment", K_LAB="from-environment-lab")
    assert result.secrets.get(OPS, "K_OPS") == "from-environment"
    env_file(tmp_path / ".env", "K_OPS=from-gateway\n")
    result = two_agents(tmp_path, K_OPS="from-environment", K_LAB="from-environment-lab")
    assert result.secrets.get(OPS, "K_OPS") == "from-gateway"
    env_file(tmp_path / "agents" / "ops" / ".env", "K_OPS=from-own\n")
    result = two_agents(tmp_path, K_OPS="from-environment", K_LAB="from-environment-lab")
    assert result.secrets.get(OPS, "K_OPS") == "from-own"
    assert result.secrets.get(LAB, "K_LAB") == "from-environment-lab"


def test_a_reader_sees_only_what_its_settings_mention(tmp_path: Path) -> None:
    secrets = two_agents(tmp_path, K_OPS="fake-key-ops", K_LAB="fake-key-lab", PATH="/bin").secrets
    for reader, name in [(LAB, "K_OPS"), (OPS, "K_LAB"), (MAIN, "K_OPS"), (None, "K_OPS"), (OPS, "PATH")]:
        with pytest.raises(SecretMissing):
            secrets.get(reader, name)


def test_an_agents_own_file_is_no_place_for_others(tmp_path: Path) -> None:
    env_file(tmp_path / "agents" / "ops" / ".env", "K_OPS=fake-key-ops\nK_LAB=fake-key-lab\n")
    result = two_agents(tmp_path)
    (problem,) = result.problems
    assert (problem.subject, problem.path) == ("lab", "agents.lab.api_key_env")


def test_secrets_are_looked_up_once(tmp_path: Path) -> None:
    path = env_file(tmp_path / ".env", "K_OPS=fake-key-1\nK_LAB=fake-key-2\n")
    secrets = two_agents(tmp_path).secrets
    path.unlink()
    assert secrets.get(OPS, "K_OPS") == "fake-key-1"


def test_all_known_values_are_there_for_redaction_each_once(tmp_path: Path) -> None:
    text = "model: {name: m, provider: openai, api_key_env: K}\nagents: {ops: {}, lab: {}}\n"
    (tmp_path / "config.yaml").write_text(text)
    secrets = load(tmp_path, {"K": "fake-key", "OTHER": "not-mentioned"}, {}, ()).secrets
    assert list(secrets.values()) == ["fake-key"]


def test_neither_repr_nor_errors_show_a_value(tmp_path: Path) -> None:
    result = two_agents(tmp_path, K_OPS="fake-key-ops", K_LAB="fake-key-lab")
    with pytest.raises(SecretMissing) as error:
        result.secrets.get(LAB, "K_OPS")
    for text in (repr(result), str(result), repr(result.secrets), str(error.value)):
        assert "fake-key" not in text


def test_a_name_that_may_be_the_key_itself_is_not_repeated() -> None:
    with pytest.raises(SecretMissing) as error:
        LoadedSecrets({}).get(OPS, "gsk_fakekey")
    assert "gsk" not in str(error.value)


def test_agents_in_one_home_share_its_secrets_only_where_that_is_declared(tmp_path: Path) -> None:
    home = tmp_path / "shared"
    env_file(home / ".env", "K=fake-key\n")
    agent = f"{{home_dir: {home}, provider: openai, model: m, api_key_env: K}}"
    text = f"model: {{name: m, provider: ollama}}\nagents:\n  ops: {agent}\n  lab: {agent}\n"
    (tmp_path / "config.yaml").write_text(text)
    assert [one.subject for one in load(tmp_path, {}, {}, ()).problems] == ["ops", "lab"]
    (tmp_path / "config.yaml").write_text(text + "shared_secrets: [K]\n")
    result = load(tmp_path, {}, {}, ())
    assert result.problems == ()
    assert result.secrets.get(OPS, "K") == "fake-key"
    assert any("share the home" in notice for notice in result.notices)


def test_an_env_file_that_is_a_link_is_the_place_it_leads_to(tmp_path: Path) -> None:
    text = TWO_AGENTS.replace("K_LAB", "K_OPS")
    (tmp_path / "config.yaml").write_text(text)
    real = env_file(tmp_path / "agents" / "ops" / ".env", "K_OPS=fake-key\n")
    (tmp_path / "agents" / "lab").mkdir()
    (tmp_path / "agents" / "lab" / ".env").symlink_to(real)
    assert [one.subject for one in load(tmp_path, {}, {}, ()).problems] == ["ops", "lab"]


def test_agents_whose_homes_meet_through_a_link_are_both_stopped(tmp_path: Path) -> None:
    (tmp_path / "agents" / "ops").mkdir(parents=True)
    (tmp_path / "agents" / "lab").symlink_to(tmp_path / "agents" / "ops")
    result = two_agents(tmp_path, K_OPS="fake-key-ops", K_LAB="fake-key-lab")
    assert [one.subject for one in result.problems] == ["ops", "lab"]


def test_a_blank_value_ends_the_search() -> None:
    lookup = Lookup(EnvFile("/h/.env", ".env", {"K": "from-gateway"}), {"K": "from-environment"})
    own = EnvFile("/h/agents/ops/.env", "agents/ops/.env", {"K": "  "})
    assert lookup.find("K", own) == "`K` is blank in agents/ops/.env"
    found = lookup.find("K")
    assert isinstance(found, Found)
    assert found.value == "from-gateway"
    assert "from-gateway" not in repr(found)


@pytest.mark.parametrize(
    "value",
    ["changeme", "CHANGE_ME", "your-token-here", "<token>", "xxx", "XXXXXXXX", "***", "...", "${KEY}", "TODO"],
)
def test_leftovers_of_examples_are_no_secrets(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["fake-key-ops", "sk-proj-fake", "xapp-1-fake", "whsec_ZmFrZQ==", "12345:fake", "x"]
)
def test_real_looking_values_are_taken(value: str) -> None:
    assert not is_placeholder(value)
