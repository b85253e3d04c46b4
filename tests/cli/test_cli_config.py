"""`serai config`: all problems at once, and the configuration in force."""

import yaml  # type: ignore[import-untyped]

from tests.cli.terminal import Terminal

FULL = """\
model: {name: m-main, provider: openai, api_key_env: K_MAIN}
agents:
  ops: {model: m-ops, base_url: "http://127.0.0.1:9/v1", api_key_env: K_OPS}
platforms:
  webhook: {secret_env: K_HOOK, callback_url: "https://chat.example.org/in?token=fake-token", allow_users: ["42"]}
api_server:
  keys: [{name: phone, key_env: K_PHONE, agents: [ops]}]
identities: {alice: ["telegram:42", "discord:99"]}
"""
KEYS = {
    "K_MAIN": "fake-key-main",
    "K_OPS": "fake-key-ops",
    "K_HOOK": "whsec_ZmFrZS1rZXktaG9vay1mYWtlLWtleS1ob29r",
    "K_PHONE": "fake-key-phone",
}


def test_a_home_without_a_file_is_fine(serai: Terminal) -> None:
    said = serai("config", "check")
    assert said.code == 0
    assert said.out.startswith("There is no ~/home/config.yaml; the defaults count: 1 agent,")


def test_a_fine_file_is_counted(serai: Terminal) -> None:
    serai.write(FULL)
    said = serai("config", "check", **KEYS)
    assert said.out == "config.yaml is fine: 2 agents, 0 routes, 1 platform account, 1 API key\n"


def test_all_problems_come_at_once_with_their_places(serai: Terminal) -> None:
    serai.write("agents: {ops: {mdoel: x}}\nroutes: [{match: {chatid: 1}, agent: opps}]\nlogging: {level: 7}\n")
    said = serai("config", "check")
    assert said.code == 1
    assert [line.partition(": ")[0] for line in said.out.splitlines()] == [
        "config.yaml:1", "config.yaml:2", "config.yaml:2", "config.yaml:3"
    ]  # fmt: skip
    problems = serai("config", "check", "--json")
    assert problems.code == 1
    listed = problems.document
    assert (listed["object"], listed["has_more"], listed["next"]) == ("list", False, None)
    first = listed["data"][0]
    assert (first["path"], first["line"], first["nearest"]) == ("agents.ops.mdoel", 1, "model")


def test_a_fine_file_is_an_empty_list_of_problems(serai: Terminal) -> None:
    said = serai("config", "check", "--json")
    assert (said.code, said.document["data"]) == (0, [])


def test_the_configuration_in_force_is_yaml_with_defaults_and_names_of_secrets(serai: Terminal) -> None:
    serai.write(FULL)
    said = serai("config", "show", **KEYS)
    document = yaml.safe_load(said.out)
    assert document == serai("config", "show", "--json", **KEYS).document
    assert document["model"]["api_key_env"] == "K_MAIN"
    assert document["agents"]["ops"]["api_key_env"] == "K_OPS"
    assert document["agents"]["main"]["model"] == "m-main"
    assert document["api_server"]["port"] == 8642
    assert document["api_server"]["keys"] == [
        {"name": "phone", "key_env": "K_PHONE", "agents": ["ops"], "admin": False}
    ]
    assert document["platforms"]["webhook"]["accounts"]["default"]["secret_env"] == "K_HOOK"
    assert document["identities"] == {"alice": ["telegram:42", "discord:99"]}
    assert document["delivery"] == {"on_unknown": "hold"}
    assert "fake" not in said.out
    assert KEYS["K_HOOK"] not in said.out
