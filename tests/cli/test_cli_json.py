"""Every reading command prints JSON that fits its schema in schemas/ (SPEC 12, 16.3).

A schema names the keys that programs may rely on.
"""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator, ValidationError

from serai.cli.catalogue import COMMANDS
from serai.cli.root import root
from tests.cli.cron_home import REPORT
from tests.cli.fake_gateway import FakeGateway
from tests.cli.stored import SESSION, store_conversation
from tests.cli.terminal import Terminal
from tests.cli.test_cli_cron_gateway import delivery, job, page, run
from tests.cli.test_cli_find import said, store_turns
from tests.cli.test_cli_logs import entry
from tests.cli.test_cli_pair import ask_to_be_admitted

SCHEMAS = Path(__file__).parent / "schemas"
READING: dict[str, list[str]] = {
    "ask": ["ask", "hello", "--json"],
    "send": ["send", "telegram:1", "hello", "--json"],
    "doctor": ["doctor", "--json"],
    "status": ["status", "--json"],
    "reload": ["reload", "--json"],
    "usage": ["usage", "--json"],
    "logs": ["logs", "--json"],
    "config check": ["config", "check", "--json"],
    "config show": ["config", "show", "--json"],
    "agent list": ["agent", "list", "--json"],
    "agent show": ["agent", "show", "ops", "--json"],
    "cron list": ["cron", "list", "--json"],
    "cron show": ["cron", "show", REPORT, "--json"],
    "cron history": ["cron", "history", REPORT, "--json"],
    "cron preview": ["cron", "preview", "30 2 * * *", "--timezone", "Europe/Berlin", "-n", "400", "--json"],
    "route list": ["route", "list", "--json"],
    "route test": ["route", "test", "--platform", "slack", "--json"],
    "session list": ["session", "list", "--json"],
    "session show": ["session", "show", SESSION, "--json"],
    "session search": ["session", "search", "hi", "--json"],
    "session export": ["session", "export", SESSION, "--format", "json"],
    "pair list": ["pair", "list", "--json"],
    "delivery list": ["delivery", "list", "--json"],
    "model list": ["model", "list", "--json"],
}

READS = frozenset(
    {
        "list",
        "show",
        "check",
        "test",
        "search",
        "export",
        "status",
        "doctor",
        "logs",
        "usage",
        "ask",
        "preview",
        "history",
    }
)
"""Words that say of a command that it reads."""

CHANGING = frozenset({"reload", "cron add", "cron edit", "cron run"})
"""Commands that change something and tell in JSON what: as the API's answer, whose own tests say what it holds."""

CONFIG = """\
model: {name: m-main, base_url: "http://127.0.0.1:9/v1", fallback: [m-other]}
agents: {ops: {model: m-ops}}
routes: [{match: {platform: slack}, agent: ops}]
platforms: {webhook: {secret_env: K, callback_url: "http://127.0.0.1:9/in", allow_users: ["42"]}}
api_server: {keys: [{name: phone, key_env: K_PHONE, agents: [ops]}]}
routse: []
"""


def schema(command: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{command.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    return found


def fit(command: str, document: object) -> None:
    Draft202012Validator(schema(command)).validate(document)


def test_every_command_that_reads_takes_json_and_is_known_here() -> None:
    with_json = {path for path in COMMANDS if {"--json", "json"} & answers_of(path)}
    reading = {path for path in COMMANDS if path.split()[-1] in READS}
    assert reading <= with_json
    assert with_json == set(READING) | CHANGING


def answers_of(path: str) -> set[str]:
    """The options of a command, and the formats that it can be asked for."""
    command: click.Command | None = root
    for word in path.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(root), word)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    formats = [str(form) for one in options if isinstance(one.type, click.Choice) for form in one.type.choices]
    return {name for one in options for name in one.opts} | set(formats)


@pytest.mark.parametrize("command", READING)
def test_a_schema_is_one_and_refuses_what_lacks_its_keys(command: str) -> None:
    Draft202012Validator.check_schema(schema(command))
    with pytest.raises(ValidationError):
        fit(command, {})


@pytest.mark.parametrize("command", READING)
def test_what_a_full_home_prints_fits_the_schema(command: str, serai: Terminal, gateway: FakeGateway) -> None:
    serai.write(CONFIG if command == "config check" else CONFIG.replace("routse: []\n", ""))
    serai.write(entry("hello", agent="ops"), "logs/serai.log")
    store_conversation(serai.home)
    store_turns(serai.home, said("hi"))
    ask_to_be_admitted(serai)
    gateway.answers("/v1/chat/completions", {"id": "c", "object": "chat.completion", "choices": [], "model": "ops"})
    gateway.answers("/api/reload", {"object": "reload", "changed": ["routes"], "needs_restart": [], "notices": []})
    result = {"object": "dispatched", "target": "telegram:1", "agent_id": None, "deliveries": ["d"], "error": None}
    gateway.answers("/api/deliveries", {"object": "list", "data": [result], "has_more": False, "next": None}, 202)
    gateway.answers("/api/deliveries/d", {"object": "delivery", "id": "d", "state": "sent", "error": None})
    gateway.answers("/ready", {"ready": True, "agents": {"ops": "ready"}})
    gateway.answers("/api/jobs?limit=1000", page(job()))
    for limit in (5, 20):
        gateway.answers(f"/api/jobs/{REPORT}/runs?agent=ops&limit={limit}", page(run(deliveries=[delivery("sent")])))
    decision = {"agent": "ops", "reason": "route", "route": 1, "line": 3, "plugin": None, "refused": None}
    gateway.answers("/api/routes/test", {**decision, "considered": []})
    document = serai(*READING[command], K="whsec_ZmFrZS1rZXktaG9vaw==", K_PHONE="fake-key-phone").document
    fit(command, document)
    if document.get("object") == "list":
        assert document["data"]


@pytest.mark.parametrize(
    "command", [one for one in READING if one.split()[-1] in ("list", "usage", "logs", "search")]
)
def test_an_empty_home_prints_a_list_too(command: str, serai: Terminal) -> None:
    fit(command, serai(*READING[command]).document)
