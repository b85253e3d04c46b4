"""Loading a home: what needs more than one file, or is no matter of one text (the rest is in golden/)."""

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationInfo, field_validator

from serai.config.load import Loaded, LocalModel, load
from serai.config.node import ListNode, MapNode, ScalarNode
from serai.config.provider import PROVIDERS
from serai.config.report import Place
from serai.config.schema import TOP_KEYS
from serai.config.section import Section
from serai.core.ids import MAIN, Account, AgentId
from serai.core.profile import Endpoint
from serai.core.route import MATCH_KEYS
from serai.core.snapshot import Snapshot
from serai.core.source import Source
from serai.ports.secrets import SecretMissing

LOCAL = LocalModel(Endpoint("smol", "http://127.0.0.1:8080/v1", "llamacpp"), "fake-key-local")


class HookKeys(BaseModel):
    secret_env: str
    callback_url: str = "http://127.0.0.1:1/"
    mode: str = "plain"

    @field_validator("mode")
    @classmethod
    def _check_mode(cls, value: str, info: ValidationInfo) -> str:
        if value not in ("plain", "signed"):
            raise ValueError("must be plain or signed")
        return value


def loaded(home: Path, text: str | None = None, local: LocalModel | None = None, **environment: str) -> Loaded:
    if text is not None:
        (home / "config.yaml").write_text(text)
    return load(home, environment, {"webhook": HookKeys}, ("memory", "files"), local)


def snapshot_of(result: Loaded) -> Snapshot:
    assert result.problems == ()
    assert result.snapshot is not None
    return result.snapshot


def only_problem(result: Loaded) -> str:
    (problem,) = result.problems
    return str(problem)


def test_a_home_without_a_file_has_main_alone(tmp_path: Path) -> None:
    result = loaded(tmp_path)
    snapshot = snapshot_of(result)
    assert list(snapshot.agents) == [MAIN]
    assert not snapshot.explicit_agents
    assert snapshot.agents[MAIN].home == tmp_path / "agents" / "main"
    assert result.needs_local


@pytest.mark.parametrize("text", ["agents: {}\n", "agents:\n"])
def test_an_empty_agents_section_means_main_alone(tmp_path: Path, text: str) -> None:
    snapshot = snapshot_of(loaded(tmp_path, text))
    assert list(snapshot.agents) == [MAIN]
    assert not snapshot.explicit_agents


def test_main_exists_although_the_file_names_only_others(tmp_path: Path) -> None:
    snapshot = snapshot_of(loaded(tmp_path, "agents: {ops: {}}\n"))
    assert list(snapshot.agents) == ["main", "ops"]
    assert snapshot.explicit_agents
    assert snapshot.default_agent == MAIN


@pytest.mark.parametrize(
    ("rest", "needed"),
    [
        ("default_agent: ops\n", False),
        ("", True),
        ("default_agent: ops\nroutes: [{match: {platform: webhook}, agent: main}]\n", True),
    ],
)
def test_no_local_model_is_looked_for_on_behalf_of_a_main_that_nobody_uses(
    tmp_path: Path, rest: str, needed: bool
) -> None:
    result = loaded(tmp_path, "agents: {ops: {provider: ollama, model: own}}\n" + rest)
    assert result.needs_local is needed
    assert snapshot_of(result).unused_agents == (frozenset() if needed else {MAIN})


def test_a_main_that_the_file_names_is_used(tmp_path: Path) -> None:
    result = loaded(tmp_path, "agents: {main: {}, ops: {provider: ollama, model: own}}\ndefault_agent: ops\n")
    assert result.needs_local


def test_without_any_model_the_refusal_names_the_three_ways_to_get_one(tmp_path: Path) -> None:
    refusal = snapshot_of(loaded(tmp_path)).refusal(MAIN)
    assert refusal is not None
    for way in ("local server", "serai[local]", "config.yaml"):
        assert way in refusal


def test_a_local_model_serves_the_agents_that_configure_none(tmp_path: Path) -> None:
    text = "agents: {ops: {provider: ollama, model: own}}\n"
    result = loaded(tmp_path, text, LOCAL)
    snapshot = snapshot_of(result)
    (endpoint,) = snapshot.agents[MAIN].models
    assert (endpoint.name, endpoint.base_url) == ("smol", "http://127.0.0.1:8080/v1")
    assert snapshot.gateway_model is None
    assert result.needs_local
    assert endpoint.key_name is not None
    assert result.secrets.get(MAIN, endpoint.key_name) == "fake-key-local"
    with pytest.raises(SecretMissing):
        result.secrets.get(AgentId("ops"), endpoint.key_name)


def test_no_settings_can_mention_the_local_models_key(tmp_path: Path) -> None:
    (endpoint,) = snapshot_of(loaded(tmp_path, None, LOCAL)).agents[MAIN].models
    text = f"agents: {{thief: {{provider: ollama, model: m, api_key_env: '{endpoint.key_name}'}}}}\n"
    assert "must be the NAME of a variable" in only_problem(loaded(tmp_path, text, LOCAL))


def test_a_local_model_without_a_key_gets_none(tmp_path: Path) -> None:
    result = loaded(tmp_path, None, LocalModel(LOCAL.endpoint))
    (endpoint,) = snapshot_of(result).agents[MAIN].models
    assert endpoint.key_name is None
    assert list(result.secrets.values()) == []


def test_no_local_model_is_needed_when_all_agents_have_one(tmp_path: Path) -> None:
    result = loaded(tmp_path, "model: {name: m, provider: ollama}\nagents: {ops: {}}\n", LOCAL)
    assert not result.needs_local
    assert "smol" not in {model.name for one in snapshot_of(result).agents.values() for model in one.models}


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) - {"custom"}))
def test_a_known_provider_needs_only_its_name(tmp_path: Path, name: str) -> None:
    provider = PROVIDERS[name]
    environment = {provider.key_name: "fake-key-provider"} if provider.key_name else {}
    snapshot = snapshot_of(loaded(tmp_path, f"model: {{name: m, provider: {name}}}\n", None, **environment))
    (endpoint,) = snapshot.agents[MAIN].models
    assert (endpoint.base_url, endpoint.key_name) == (provider.base_url, provider.key_name)


def test_an_agents_default_key_is_not_the_gateways_key(tmp_path: Path) -> None:
    """An agent that sets provider never receives the gateway's key, also where both go to the same provider."""
    text = "model: {name: m, provider: openai}\nagents: {ops: {provider: openai}}\n"
    result = loaded(tmp_path, text, None, OPENAI_API_KEY="fake-key-gateway")
    assert "the gateway's own model" in only_problem(result)
    assert result.snapshot is not None
    assert result.snapshot.refusal(AgentId("ops")) is not None
    with pytest.raises(SecretMissing):
        result.secrets.get(AgentId("ops"), "OPENAI_API_KEY")


def test_the_number_of_agents_does_not_change_who_gets_the_gateways_key(tmp_path: Path) -> None:
    text = "model: {name: m, provider: openai}\nagents: {main: {provider: openai}}\n"
    result = loaded(tmp_path, text, None, OPENAI_API_KEY="fake-key-gateway")
    assert "the gateway's own model" in only_problem(result)


def test_every_text_counts_in_the_revision(tmp_path: Path) -> None:
    revisions = [snapshot_of(loaded(tmp_path, "agents: {ops: {}}\n")).revision]
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".env").chmod(0o600)
    revisions.append(snapshot_of(loaded(tmp_path)).revision)
    (tmp_path / "agents" / "ops").mkdir(parents=True)
    (tmp_path / "agents" / "ops" / ".env").write_text("A=1\n")
    revisions.append(snapshot_of(loaded(tmp_path)).revision)
    revisions.append(snapshot_of(loaded(tmp_path, "agents: {ops: {}} \n")).revision)
    assert len(set(revisions)) == 4
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in revisions)
    assert snapshot_of(loaded(tmp_path)).revision == revisions[-1]


def test_a_file_that_is_not_utf8_is_one_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"agents: {}\nmodel: caf\xe9\n")
    assert only_problem(loaded(tmp_path)) == "config.yaml:2: the file is not UTF-8 text"


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xef\xbb\xbfagents: {ops: {}}\r\ndefault_agent: ops\r\n")
    assert snapshot_of(loaded(tmp_path)).default_agent == "ops"


def test_a_directory_named_config_yaml_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").mkdir()
    assert "cannot be read" in only_problem(loaded(tmp_path))


def test_broken_text_still_tells_about_a_broken_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("no assignment\n")
    result = loaded(tmp_path, "agents: [\n")
    assert [one.file for one in result.problems] == ["config.yaml", ".env"]


def test_a_platforms_own_check_speaks_for_itself(tmp_path: Path) -> None:
    text = "platforms: {webhook: {secret_env: K, mode: loud}}\n"
    problem = only_problem(loaded(tmp_path, text, None, K="fake-key-hook"))
    assert problem == "config.yaml:1: platforms.webhook.mode: must be plain or signed"


def test_a_disabled_account_leaves_the_others_running(tmp_path: Path) -> None:
    text = "platforms: {webhook: {accounts: {good: {secret_env: A}, bad: {secret_env: B}}}}\n"
    result = loaded(tmp_path, text, None, A="fake-key-a")
    assert result.snapshot is not None
    refusals = {str(one): settings.refusal for one, settings in result.snapshot.accounts.items()}
    assert refusals["webhook@good"] is None
    assert "`B` is not set" in str(refusals["webhook@bad"])
    assert Account("webhook") not in result.snapshot.accounts


def test_a_route_of_the_snapshot_finds_its_message(tmp_path: Path) -> None:
    text = "agents: {ops: {}}\nroutes:\n  - {match: {platform: discord, chat_id: 0100}, agent: ops}\n"
    table = snapshot_of(loaded(tmp_path, text)).routes
    found = table.first(Source("discord", chat_id="0100"))
    assert found is not None
    assert (found.number, found.line, found.agent) == (1, 3, "ops")
    assert table.first(Source("discord", chat_id="100")) is None


def many_agents(count: int) -> str:
    agents = "".join(f"  a{number}: {{model: m-{number}}}\n" for number in range(count))
    return (
        f"model: {{name: m, provider: custom, base_url: 'http://127.0.0.1:1/v1', api_key_env: K}}\nagents:\n{agents}"
    )


def test_a_thousand_agents_load_within_a_second_of_work(tmp_path: Path) -> None:
    text = many_agents(1000)
    started = process_time()
    snapshot = snapshot_of(loaded(tmp_path, text, None, K="fake-key"))
    assert process_time() - started < 1.0
    assert len(snapshot.agents) == 1001


def test_equal_sets_are_one_object_in_all_agents_and_routes(tmp_path: Path) -> None:
    routes = "".join(f"  - {{match: {{platform: webhook, chat_id: c{n}}}, agent: a1}}\n" for n in range(3))
    snapshot = snapshot_of(loaded(tmp_path, many_agents(3) + "routes:\n" + routes, None, K="fake-key"))
    agents = list(snapshot.agents.values())
    assert len({id(one.toolsets) for one in agents}) == 1
    assert len({id(one.secret_names) for one in agents}) == 1
    assert len({id(one.settings) for one in agents}) == 1
    assert len({id(one.match["platform"]) for one in snapshot.routes.routes}) == 1


def test_nothing_of_the_files_text_outlives_the_loading(tmp_path: Path) -> None:
    gc.collect()
    gc.disable()
    try:
        result = loaded(
            tmp_path, many_agents(3) + "routes:\n  - {match: {chat_id: 1}, agent: a1}\n", None, K="fake-key"
        )
        left = [one for one in gc.get_objects() if isinstance(one, MapNode | ListNode | ScalarNode | Section | Place)]
    finally:
        gc.enable()
    assert result.snapshot is not None
    assert left == []


def test_a_missing_key_of_the_gateway_is_one_problem_for_all_its_agents(tmp_path: Path) -> None:
    result = loaded(tmp_path, many_agents(1000))
    assert only_problem(result).endswith("(agents main, a0, a1 and 998 more)")
    assert result.snapshot is not None
    assert all(one.refusal for one in result.snapshot.agents.values())


def test_thousands_of_unknown_names_are_told_without_delay(tmp_path: Path) -> None:
    routes = "".join(f"  - {{match: {{chat_id: c{n}}}, agent: a{n}x}}\n" for n in range(2000))
    started = process_time()
    result = loaded(tmp_path, many_agents(200) + "routes:\n" + routes, None, K="fake-key")
    assert process_time() - started < 5.0
    assert len(result.problems) == 2000
    assert result.problems[0].nearest is not None


def check_anything(home: Path, text: str) -> None:
    result = loaded(home, text)
    for problem in result.problems:
        assert problem.text
        assert problem.line is None or problem.line >= 1
        assert "pydantic" not in str(problem)
    gateway = any(problem.scope == "gateway" for problem in result.problems)
    assert (result.snapshot is None) == gateway


SLOW_OK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW_OK
@given(text=st.text(max_size=200) | st.text("abc: -[]{}&*!|>'\"#\n\t,?<", max_size=80))
def test_any_text_gives_problems_or_a_snapshot(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    check_anything(tmp_path_factory.mktemp("home"), text)


@SLOW_OK
@given(data=st.binary(max_size=60))
def test_any_bytes_give_problems_or_a_snapshot(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "config.yaml").write_bytes(data)
    (home / ".env").write_bytes(data)
    loaded(home)


SECTION_KEYS = [
    "name",
    "provider",
    "base_url",
    "api_key_env",
    "fallback",
    "match",
    "agent",
    "keys",
    "key_env",
    "agents",
]
MORE_KEYS = ["accounts", "secret_env", "open", "allow_users", "home_dir", "enabled_toolsets", "max_turns", "reset"]
NAMES = ["main", "ops", "default", "webhook", "files", "mode", "enabled", "host", "admin", "*", ""]
WORDS = st.sampled_from([*TOP_KEYS, *MATCH_KEYS, *PROVIDERS, *SECTION_KEYS, *MORE_KEYS, *NAMES])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@SLOW_OK
@given(document=st.dictionaries(st.sampled_from(TOP_KEYS), VALUES, max_size=8))
def test_any_values_under_known_keys_give_problems_or_a_snapshot(
    tmp_path_factory: pytest.TempPathFactory, document: Mapping[str, Any]
) -> None:
    check_anything(tmp_path_factory.mktemp("home"), json.dumps(document))
