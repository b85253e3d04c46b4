"""`serai route`: editing and explaining routes (SPEC 4.6, 16.5)."""

from tests.cli.fake_gateway import TOKEN, FakeGateway
from tests.cli.terminal import OPS, Terminal

ROUTES = (
    OPS
    + """\
routes:
  - {match: {platform: discord, guild_id: "7", role: [boss, mate]}, agent: main}
  - match: {platform: discord, chat_id: "100"}
    agent: ops
"""
)
PLUGIN = """\
from serai.plugin import hookimpl

@hookimpl
def select_agent(source, route_match):
    return "ops" if source["chat_id"] == "200" else None
"""


def test_a_route_is_added_behind_the_others_with_its_values_as_text(serai: Terminal) -> None:
    serai.write(ROUTES)
    said = serai(
        "route", "add", "--agent", "ops", "platform=discord", "chat_id=007", "chat_id=8", "--inherit-threads"
    )
    assert said.code == 0
    assert said.out == "Added route 3 to `ops`: platform=discord chat_id=007 chat_id=8\n"
    route = serai("route", "list", "--json").document["data"][2]
    assert route["number"] == 3
    assert route["match"] == {"platform": ["discord"], "chat_id": ["007", "8"]}
    assert route["inherit_threads"]


def test_a_value_may_hold_an_equals_sign(serai: Terminal) -> None:
    serai.write(OPS)
    assert serai("route", "add", "--agent", "ops", "chat_id=a=b").code == 0
    assert serai("route", "list", "--json").document["data"][0]["match"] == {"chat_id": ["a=b"]}


def test_routes_are_removed_by_the_number_that_list_shows(serai: Terminal) -> None:
    serai.write(ROUTES)
    said = serai("route", "remove", "1")
    assert said.code == 0
    assert "to `main`" in said.out
    assert [route["agent"] for route in serai("route", "list", "--json").document["data"]] == ["ops"]


def test_the_decision_names_the_route_and_the_keys_that_did_not_hold_before(serai: Terminal) -> None:
    serai.write(ROUTES)
    document = serai(
        "route", "test", "--platform", "discord", "--chat-id", "100", "--guild-id", "7", "--json"
    ).document
    assert (document["agent"], document["reason"], document["route"], document["line"]) == ("ops", "route", 2, 5)
    assert document["considered"] == [
        {"route": 1, "line": 4, "agent": "main", "failed": "role", "wanted": ["boss", "mate"], "got": []}
    ]
    said = serai("route", "test", "--platform", "discord", "--chat-id", "100", "--guild-id", "7")
    assert "route 2 (config.yaml:5) matches" in said.out
    assert "role is absent, wanted boss or mate" in said.out


def test_every_field_of_a_source_can_be_given(serai: Terminal) -> None:
    for key in (
        "chat_id",
        "user_id",
        "user_id_alt",
        "thread_id",
        "topic_id",
        "guild_id",
        "parent_chat_id",
        "account",
    ):
        serai.write(OPS + f"routes:\n  - {{match: {{{key}: x1}}, agent: ops}}\n")
        option = "--" + key.replace("_", "-")
        assert serai("route", "test", "--platform", "slack", option, "x1", "--json").document["agent"] == "ops"
        assert serai("route", "test", "--platform", "slack", option, "x2", "--json").document["agent"] == "main"
    serai.write(OPS + "routes:\n  - {match: {chat_type: group, role: r2}, agent: ops}\n")
    roles = ["--role", "r1", "--role", "r2"]
    said = serai("route", "test", "--platform", "slack", "--chat-type", "group", *roles, "--json")
    assert said.document["agent"] == "ops"


def test_platform_names_are_not_case_sensitive(serai: Terminal) -> None:
    serai.write(ROUTES)
    assert serai("route", "test", "--platform", "Discord", "--chat-id", "100", "--json").document["agent"] == "ops"


def test_a_plugin_is_asked_and_named(serai: Terminal) -> None:
    serai.write(ROUTES + "plugins: {enabled: [chooser]}\n")
    serai.write(PLUGIN, "plugins/chooser/plugin.py")
    said = serai("route", "test", "--platform", "discord", "--chat-id", "200")
    assert "plugin `chooser` chose it" in said.out


def test_a_refused_decision_says_why(serai: Terminal) -> None:
    serai.write("agents:\n  ops: {model: m, provider: openai, api_key_env: K_OPS}\ndefault_agent: ops\n")
    said = serai("route", "test", "--platform", "discord")
    assert said.code == 0
    assert "refused" in said.out
    assert "`K_OPS` is not set" in said.out


def test_a_running_gateway_is_asked_with_the_key_of_its_lock_file(serai: Terminal, gateway: FakeGateway) -> None:
    answer: dict[str, object] = {
        "agent": "ops", "reason": "binding", "route": None, "line": None, "plugin": None, "refused": None,
        "considered": [],
    }  # fmt: skip
    gateway.answers("/api/routes/test", answer)
    said = serai("route", "test", "--platform", "discord", "--chat-id", "100", "--role", "r1")
    assert "this chat is bound to it" in said.out
    asked = gateway.asked[0]
    assert asked.document == {"platform": "discord", "chat_id": "100", "roles": ["r1"]}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_what_the_gateway_refuses_is_said(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/api/routes/test", {"error": {"message": "No such thing."}}, 400)
    said = serai("route", "test", "--platform", "discord")
    assert (said.code, said.err) == (1, "Error: No such thing.\n")
