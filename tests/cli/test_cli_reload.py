"""`serai reload`, `serai agent stop|start`, and what an edit says while a gateway runs (SPEC 2.6, 7.6)."""

from serai.api.error import translated
from serai.core.change import BadConfiguration
from serai.core.snapshot import Problem
from tests.cli.fake_gateway import TOKEN, FakeGateway
from tests.cli.terminal import OPS, Terminal

CHANGE = {"object": "reload", "changed": ["routes changed"], "needs_restart": ["api_server.port"], "notices": ["hm"]}
REFUSED = {"error": {"message": "only admins", "type": "permission_error", "param": None, "code": "admin_required"}}


def test_a_reload_tells_what_has_changed_and_what_waits_for_a_restart(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/api/reload", CHANGE)
    said = serai("reload")
    assert (said.code, said.out) == (0, "routes changed\n")
    assert said.err == "api_server.port counts from the next start of the gateway on\nNote: hm\n"
    asked = gateway.asked[0]
    assert (asked.method, asked.headers["authorization"]) == ("POST", f"Bearer {TOKEN}")
    assert serai("reload", "--json").document == CHANGE


def test_a_reload_of_nothing_new_says_so(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/api/reload", {"object": "reload", "changed": [], "needs_restart": [], "notices": []})
    assert serai("reload").out == "nothing has changed\n"


def test_problems_are_printed_as_check_prints_them(serai: Terminal, gateway: FakeGateway) -> None:
    import json

    bad = BadConfiguration([Problem("gateway", "unknown key", "rutes", line=3, nearest="routes")])
    document = json.loads(translated(bad).body())
    gateway.answers("/api/reload", document, 422)
    said = serai("reload")
    assert said.code == 1
    assert "stays in force" in said.err
    assert "config.yaml:3: rutes: unknown key (did you mean `routes`?)\n" in said.err
    as_json = serai("reload", "--json")
    assert (as_json.code, as_json.document) == (1, document)


def test_a_reload_that_fails_otherwise_says_why(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/api/reload", REFUSED, 403)
    said = serai("reload")
    assert (said.code, said.err) == (1, "Error: only admins\n")


def test_without_a_gateway_there_is_nothing_to_reload(serai: Terminal) -> None:
    said = serai("reload")
    assert said.code == 1
    assert "No gateway runs" in said.err


def test_a_running_gateway_is_told_to_stop_an_agent_also_while_the_file_is_broken(
    serai: Terminal, gateway: FakeGateway
) -> None:
    serai.write("agnets: {}\n")
    gateway.answers("/api/agents/ops/stop", {"object": "agent", "id": "ops", "stopped": True, "refusal": "stopped"})
    gateway.answers("/api/agents/ops/start", {"object": "agent", "id": "ops", "stopped": False, "refusal": None})
    unknown = {"error": {"message": "Agent `a/b` not found.", "code": "agent_not_found"}}
    gateway.answers("/api/agents/a%2Fb/stop", unknown, 404)
    assert serai("agent", "stop", "ops").out.startswith("Agent `ops` is stopped.")
    assert serai("agent", "start", "ops").code == 0
    said = serai("agent", "stop", "a/b")
    assert (said.code, said.err) == (1, "Error: Agent `a/b` not found.\n")
    assert [asked.path for asked in gateway.asked] == [
        "/api/agents/ops/stop",
        "/api/agents/ops/start",
        "/api/agents/a%2Fb/stop",
    ]


def test_an_agent_is_stopped_for_the_next_gateway_where_none_runs(serai: Terminal) -> None:
    serai.write(OPS)
    assert serai("agent", "stop", "ops").code == 0
    states = {one["id"]: one["refusal"] for one in serai("agent", "list", "--json").document["data"]}
    assert "is stopped" in states["ops"]
    assert "stopped" in next(line for line in serai("agent", "list").out.splitlines() if line.startswith("ops"))
    assert "is stopped" in serai("agent", "show", "ops").out
    assert serai("agent", "start", "ops").code == 0
    assert "stopped" not in serai("agent", "list").out


def test_an_unknown_agent_cannot_be_stopped(serai: Terminal) -> None:
    serai.write(OPS)
    said = serai("agent", "stop", "opps")
    assert (said.code, said.err) == (1, "Error: Agent `opps` not found (did you mean `ops`?).\n")


def test_an_edit_says_when_the_running_gateway_has_it(serai: Terminal, gateway: FakeGateway) -> None:
    serai.write("model: {name: m, base_url: http://127.0.0.1:1/v1}\n")
    assert "within three seconds" in serai("agent", "add", "ops").err
    missing = serai("agent", "add", "lab", "--model", "m", "--provider", "mistral").err
    assert "takes this over as soon as nothing is missing" in missing
    assert gateway.asked == []


def test_an_edit_says_nothing_of_a_gateway_where_none_runs(serai: Terminal) -> None:
    serai.write("model: {name: m, base_url: http://127.0.0.1:1/v1}\n")
    assert serai("agent", "add", "ops").err == ""


def test_status_names_each_problem_of_a_configuration_that_was_refused(serai: Terminal, gateway: FakeGateway) -> None:
    configuration = {"problems": ["one is wrong", "another, too"], "needs_restart": []}
    gateway.answers("/ready", {"ready": True, "configuration": configuration})
    out = serai("status").out
    assert out.count("configuration problems") == 2
    assert "one is wrong" in out
    assert "needs restart" not in out
    assert serai("status", "--json").document["readiness"]["configuration"] == configuration
