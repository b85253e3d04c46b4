"""Edits by commands: what is added or removed, and that nothing else changes (SPEC 12.2)."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serai.config.document import parse
from serai.config.edit import ConfigFile, EditError
from serai.config.load import load
from serai.config.node import outline

COMMENTED = """\
# Our bots.
model: {name: m, provider: ollama}   # local

agents:
  # the one that everybody knows
  main: {}

  # operations
  ops:
    model: "m-ops"     # quoted on purpose
    max_turns: 3

  # research
  lab: {enabled_toolsets: [memory]}
  # end of the agents

routes:
  # the ops room
  - {match: {platform: discord, chat_id: "100"}, agent: ops}
  # two rooms of the lab
  - match:
      platform: discord
      chat_id: ["200",   "300"]
    agent: lab   # not ops
  - {match: {platform: slack}, agent: ops}
# last line
"""


@pytest.mark.parametrize(
    ("text", "account", "added"),
    [
        ("model: {name: m}   # ours\n", "default", "platforms:\n  irc:\n    server: a\n    port: 7\n"),
        ("platforms: {}\n", "default", None),
        ("platforms:\n  web: {a: 1}  # x\n", "default", "  irc:\n    server: a\n    port: 7\n"),
        ("model: {name: m}\n", "work", "platforms:\n  irc:\n    accounts: {work: {server: a, port: 7}}\n"),
        ("platforms:\n  irc:\n    server: b  # x\n", "work", "    accounts:\n      work: {server: a, port: 7}\n"),
        ("platforms:\n  irc: {server: b}\n", "work", None),
        ("platforms:\n  irc:\n    accounts:\n      lab: {server: b}  # x\n", "work", "      work:\n"),
        ("platforms: {irc: {accounts: {lab: {server: b}}}}\n", "work", None),
    ],
)
def test_an_account_is_added_where_it_belongs(tmp_path: Path, text: str, account: str, added: str | None) -> None:
    path, file = edited(tmp_path, text)
    file.add_account("irc", account, {"server": "a", "port": 7})
    changed = path.read_text()
    if added is not None:
        assert changed.startswith(text)
        assert added in changed
    with pytest.raises(EditError, match="configured already"):
        file.add_account("irc", account, {"server": "c"})
    with pytest.raises(EditError):
        file.add_account("irc", "default", {"server": "c"})


def edited(tmp_path: Path, text: str) -> tuple[Path, ConfigFile]:
    path = tmp_path / "config.yaml"
    path.write_text(text, newline="")
    return path, ConfigFile(path)


def lines_added(before: str, after: str) -> list[str]:
    """The new lines; fails where an old one is missing or moved."""
    rest = iter(before.splitlines())
    expected = next(rest, None)
    added = []
    for line in after.splitlines():
        if line == expected:
            expected = next(rest, None)
        else:
            added.append(line)
    assert expected is None
    return added


def test_an_agent_is_added_below_the_last_one(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    file.add_agent("new", {"model": "m-new", "base_url": "http://host/v1", "enabled_toolsets": ["memory", "files"]})
    assert lines_added(COMMENTED, path.read_text()) == [
        "  new:",
        "    model: m-new",
        '    base_url: "http://host/v1"',
        "    enabled_toolsets: [memory, files]",
    ]
    assert path.read_text().index("new:") > path.read_text().index("lab: {enabled")


def test_an_agent_without_settings_is_one_line(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    file.add_agent("new", {})
    assert lines_added(COMMENTED, path.read_text()) == ["  new: {}"]


def test_removing_an_agent_takes_its_lines_and_leaves_all_others(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    file.remove_agent("ops", with_routes=True)
    after = path.read_text()
    assert lines_added(after, COMMENTED) == [
        "  ops:",
        '    model: "m-ops"     # quoted on purpose',
        "    max_turns: 3",
        '  - {match: {platform: discord, chat_id: "100"}, agent: ops}',
        "  - {match: {platform: slack}, agent: ops}",
    ]
    assert all(
        comment in after for comment in ("# research", "# operations", "# the ops room", "# not ops", "# last")
    )


def test_a_route_is_added_behind_all_others(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    file.add_route("lab", {"platform": "discord", "chat_id": ["0100", "7"]}, inherit_threads=True)
    added = '  - {match: {platform: discord, chat_id: ["0100", "7"]}, agent: lab, inherit_threads: true}'
    assert lines_added(COMMENTED, path.read_text()) == [added]
    assert path.read_text().endswith(added + "\n# last line\n")


def test_a_route_is_removed_by_its_number(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    file.remove_route(2)
    removed = [
        "  - match:",
        "      platform: discord",
        '      chat_id: ["200",   "300"]',
        "    agent: lab   # not ops",
    ]
    assert lines_added(path.read_text(), COMMENTED) == removed


def test_removing_everything_leaves_a_file_that_loads(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    for number in (3, 2, 1):
        file.remove_route(number)
    file.remove_agent("ops", with_routes=False)
    file.remove_agent("lab", with_routes=False)
    assert load(tmp_path, {}, {}, ("memory", "files")).problems == ()
    assert "routes: []" in path.read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "agents:\n  ops: {}\n"),
        ("# only a comment", "# only a comment\nagents:\n  ops: {}\n"),
        ("model: m", "model: m\nagents:\n  ops: {}\n"),
        ("agents:\nmodel: m\n", "agents:\n  ops: {}\nmodel: m\n"),
        ("agents:  # none yet\nmodel: m\n", "agents:  # none yet\n  ops: {}\nmodel: m\n"),
        ("agents: {}  # none yet\nmodel: m\n", "agents:  # none yet\n  ops: {}\nmodel: m\n"),
        ("agents: ~\n", "agents:\n  ops: {}\n"),
        ("agents: {main: {}}\n", "agents: {main: {}, ops: {}}\n"),
        ("agents: {main: {},}\n", "agents: {main: {}, ops: {},}\n"),
        ("agents:\n    main:\n", "agents:\n    main:\n    ops: {}\n"),
        ("agents:\r\n  main: {}\r\nmodel: m\r\n", "agents:\r\n  main: {}\r\n  ops: {}\r\nmodel: m\r\n"),
        ("agents:\n  main: {}", "agents:\n  main: {}\n  ops: {}\n"),
        ("{model: m}\n", "{model: m, agents: {ops: {}}}\n"),
        ("{agents: {}, model: m}\n", "{agents: {ops: {}}, model: m}\n"),
        ("{}\n", "{agents: {ops: {}}}\n"),
        ("---\nagents:\n  é: &x {}\n  b: *x\n", "---\nagents:\n  é: &x {}\n  b: *x\n  ops: {}\n"),
        ("agents:\n  main: {model: >\n   m}\n", None),
        ("agents: &x {}\nmore: *x\n", None),
        ("base: &x {a: {}}\nagents: *x\n", None),
        ("base: &x {a: {}}\nagents: {<<: *x}\n", None),
        ("agents: [main]\n", None),
        ("agents: text\n", None),
    ],
)
def test_a_first_agent_finds_its_place_however_the_file_is_written(
    tmp_path: Path, before: str, after: str | None
) -> None:
    path, file = edited(tmp_path, before)
    if after is None:
        with pytest.raises(EditError):
            file.add_agent("ops", {})
        assert path.read_bytes() == before.encode()
    else:
        file.add_agent("ops", {})
        assert path.read_bytes() == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("agents: {a: {}, ops: {x: [1, 2]}, b: {}}\n", "agents: {a: {}, b: {}}\n"),
        ("agents: {ops: {}, b: {}}\n", "agents: {b: {}}\n"),
        ("agents: {a: {}, ops: {}}\n", "agents: {a: {}}\n"),
        ("agents: {ops: {}}\n", "agents: {}\n"),
        ("agents:\n  ops:\n", "agents: {}\n"),
        ("agents:\n  # kept\n  ops: {}  # gone\n  # too\nmodel: m\n", "agents: {}\n  # kept\n  # too\nmodel: m\n"),
        ("agents:\n  ops:\n    fallback:\n    - a\n    - b\n\n  b: {}\n", "agents:\n\n  b: {}\n"),
        ("agents:\n  a: &x {}\n  ops: *x\n", "agents:\n  a: &x {}\n"),
        ("agents:\n  ops: {home_dir: |\n    x\n    }\n  b: {}", None),
        ("agents:\n  ops: &x {}\n  b: *x\n", None),
        ("agents:\n  ops:\n    home_dir: |\n      text\n\n  b: {}", "agents:\n\n  b: {}"),
    ],
)
def test_an_agent_is_removed_however_the_file_is_written(tmp_path: Path, before: str, after: str | None) -> None:
    path, file = edited(tmp_path, before)
    if after is None:
        with pytest.raises(EditError):
            file.remove_agent("ops", with_routes=False)
        assert path.read_text() == before
    else:
        file.remove_agent("ops", with_routes=False)
        assert path.read_text() == after


@pytest.mark.parametrize(
    ("before", "number", "after"),
    [
        ("routes:\n- {a: 1}\n- {a: 2}\n", 1, "routes:\n- {a: 2}\n"),
        ("routes:\n-\n  a: 1\n- # one\n  a: 2\n", 1, "routes:\n- # one\n  a: 2\n"),
        ("routes: [{a: 1}, {a: 2}, {a: 3}]\n", 2, "routes: [{a: 1}, {a: 3}]\n"),
        ("routes: [{a: 1}]\n", 1, "routes: []\n"),
        ("routes:\n  - {a: 1}", 1, "routes: []\n"),
        (
            "routes:\n  # a-b\n  - {a: c-d}  # e\n  # g-h\n  - b: 2\n",
            2,
            "routes:\n  # a-b\n  - {a: c-d}  # e\n  # g-h\n",
        ),
    ],
)
def test_a_route_is_removed_however_the_file_is_written(tmp_path: Path, before: str, number: int, after: str) -> None:
    path, file = edited(tmp_path, before)
    file.remove_route(number)
    assert path.read_text() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("model: m\n", "model: m\nroutes:\n  - {match: {role: a}, agent: main}\n"),
        ("routes:\nmodel: m\n", "routes:\n  - {match: {role: a}, agent: main}\nmodel: m\n"),
        ("routes: []\n", "routes:\n  - {match: {role: a}, agent: main}\n"),
        ("routes:\n- {b: 1}\n# end\n", "routes:\n- {b: 1}\n- {match: {role: a}, agent: main}\n# end\n"),
        ("routes: [{b: 1}]\n", "routes: [{b: 1}, {match: {role: a}, agent: main}]\n"),
        (
            "routes:\n  -   b: 1\n      c: 2\n",
            "routes:\n  -   b: 1\n      c: 2\n  - {match: {role: a}, agent: main}\n",
        ),
    ],
)
def test_a_route_is_added_however_the_file_is_written(tmp_path: Path, before: str, after: str) -> None:
    path, file = edited(tmp_path, before)
    file.add_route("main", {"role": "a"})
    assert path.read_text() == after


def test_a_missing_file_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "config.yaml"
    ConfigFile(path).add_agent("ops", {"model": "m"})
    assert path.read_text() == "agents:\n  ops:\n    model: m\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["config.yaml"]


def test_the_files_mode_and_byte_order_mark_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbfagents: {}\n")
    path.chmod(0o640)
    ConfigFile(path).add_agent("ops", {})
    assert path.read_bytes() == b"\xef\xbb\xbfagents:\n  ops: {}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_linked_file_is_changed_where_it_lies(tmp_path: Path) -> None:
    real, _ = edited(tmp_path, "agents: {}\n")
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    ConfigFile(link).add_agent("ops", {})
    assert link.is_symlink()
    assert "ops" in real.read_text()


def refused(file: ConfigFile, path: Path, sentence: str, edit: str, *arguments: object) -> None:
    before = path.read_text()
    with pytest.raises(EditError, match=sentence):
        getattr(file, edit)(*arguments)
    assert path.read_text() == before


def test_what_cannot_be_meant_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path, file = edited(tmp_path, COMMENTED)
    refused(file, path, "already exists", "add_agent", "ops", {})
    refused(file, path, "cannot name an agent", "add_agent", "default", {})
    refused(file, path, "cannot name an agent", "add_agent", "two words", {})
    refused(file, path, "has no place", "add_agent", "new", {"model": object()})
    refused(file, path, "always exists", "remove_agent", "main", True)
    refused(file, path, "not found", "remove_agent", "nobody", True)
    refused(file, path, "2 routes refer", "remove_agent", "ops", False)
    refused(file, path, "not found", "add_route", "nobody", {"role": "a"})
    refused(file, path, "no match key", "add_route", "ops", {"chatid": "a"})
    refused(file, path, "needs a value", "add_route", "ops", {"role": " "})
    refused(file, path, "needs a value", "add_route", "ops", {"role": []})
    refused(file, path, "at least one match key", "add_route", "ops", {})
    refused(file, path, "whose threads", "add_route", "ops", {"role": "a"}, True)
    refused(file, path, "there is no route 4; the file has 3", "remove_route", 4)
    refused(file, path, "there is no route 0", "remove_route", 0)


def test_an_agent_that_is_named_elsewhere_is_not_removed(tmp_path: Path) -> None:
    path, file = edited(tmp_path, "agents: {ops: {}}\ndefault_agent: ops\n")
    refused(file, path, "default agent", "remove_agent", "ops", True)
    keys = "agents: {ops: {}}\napi_server: {keys: [{name: app, key_env: K, agents: [ops]}]}\n"
    path, file = edited(tmp_path, keys)
    refused(file, path, "API key `app` names", "remove_agent", "ops", True)


@pytest.mark.parametrize(
    "text", ["agents: [\n", "a: 1\na: 2\n", "- list\n", "agents:\n\tops: {}\n", "routes: {a: b}\n"]
)
def test_a_file_that_does_not_parse_is_not_touched(tmp_path: Path, text: str) -> None:
    path, file = edited(tmp_path, text)
    refused(file, path, "edit the file by hand", "add_route", "main", {"role": "a"})


def test_edits_at_the_same_time_all_count(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, COMMENTED)
    names = [f"a{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: ConfigFile(path).add_agent(name, {"model": name}), names))
    result = load(tmp_path, {}, {}, ("memory", "files"))
    assert result.snapshot is not None
    assert set(names) <= set(result.snapshot.agents)
    assert all(line in path.read_text() for line in COMMENTED.splitlines())


def test_a_value_reads_back_as_it_was_given(tmp_path: Path) -> None:
    path, file = edited(tmp_path, "")
    values = [
        "007",
        "true",
        "null",
        "~",
        "",
        "a: b",
        "a #b",
        "- x",
        "*x",
        "ünï",
        "it's",
        'say "x"',
        "a\nb",
        "{x}",
        "1e3",
    ]
    file.add_agent("ops", {"fallback": values, "max_turns": 3, "on": True, "home_dir": None})
    document = outline(parse(path.read_text()).root)
    assert document["agents"]["ops"]["fallback"] == [("text", value) for value in values]


KEYS = st.sampled_from(["a", "b-2", "007", "null", "true", "-x", "9"])
ACTIONS = st.lists(st.tuples(st.sampled_from(["add", "remove", "route", "unroute"]), KEYS), max_size=12)
WIDE = "agents:\n    b-2:\nroutes:\n- {match: {role: x}, agent: b-2}\n"
STYLES = st.sampled_from(["", "agents: {}\nroutes: []\n", "{agents: {}}\n", WIDE, COMMENTED])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(style=STYLES, actions=ACTIONS)
def test_any_row_of_edits_leaves_the_agents_and_routes_that_were_meant(
    tmp_path_factory: pytest.TempPathFactory, style: str, actions: list[tuple[str, str]]
) -> None:
    path, file = edited(tmp_path_factory.mktemp("home"), style)
    start = outline(parse(style).root) or {}
    agents = list(start.get("agents") or {})
    routes = [one["agent"][1] for one in start.get("routes") or []]
    for action, name in actions:
        if action == "add" and name not in agents:
            file.add_agent(name, {"model": name})
            agents.append(name)
        elif action == "remove" and name in agents:
            file.remove_agent(name, with_routes=True)
            agents.remove(name)
            routes = [one for one in routes if one != name]
        elif action == "route" and name in agents:
            file.add_route(name, {"chat_id": name, "user_id": ["1", name]})
            routes.append(name)
        elif action == "unroute" and routes:
            file.remove_route(len(routes))
            routes.pop()
    result = load(path.parent, {}, {}, ("memory", "files"))
    if not agents and not routes and not path.read_text():
        return
    assert result.snapshot is not None
    assert set(result.snapshot.agents) == {"main", *agents}
    assert [one.agent for one in result.snapshot.routes.routes] == routes
    assert all(line in path.read_text() for line in dedent(style).splitlines() if line.strip().startswith("#"))


MODEL = """\
# Ours.
model:
  # the good one
  name: m-old   # for now
  provider: openai
  fallback: [m-spare]
agents: {}
"""


def test_the_model_is_changed_in_its_lines(tmp_path: Path) -> None:
    path, file = edited(tmp_path, MODEL)
    file.set_model({"name": "m-new", "base_url": "http://host/v1"})
    assert path.read_text() == MODEL.replace("m-old", "m-new").replace("  provider: openai\n", "").replace(
        "agents", '  base_url: "http://host/v1"\nagents'
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "model: {name: m, provider: ollama}\n"),
        ("agents: {}", "agents: {}\nmodel: {name: m, provider: ollama}\n"),
        ("{agents: {}}\n", "{agents: {}, model: {name: m, provider: ollama}}\n"),
        ("model:\nagents: {}\n", "model: {name: m, provider: ollama}\nagents: {}\n"),
        ("model: m-old  # ours\n", "model: {name: m, provider: ollama}  # ours\n"),
        ("model: {base_url: h, name: x} # a\n", "model: {name: m, provider: ollama} # a\n"),
    ],
)
def test_a_model_is_set_however_the_file_is_written(before: str, after: str, tmp_path: Path) -> None:
    path, file = edited(tmp_path, before)
    file.set_model({"name": "m", "provider": "ollama"})
    assert path.read_text() == after


@pytest.mark.parametrize("text", ["agents: {}\n", "model:\n", "model: null # none\n"])
def test_no_model_stays_none(text: str, tmp_path: Path) -> None:
    path, file = edited(tmp_path, text)
    file.set_model(None)
    assert path.read_text() == text


def test_a_model_is_taken_out(tmp_path: Path) -> None:
    path, file = edited(tmp_path, MODEL)
    file.set_model(None)
    assert path.read_text() == "# Ours.\nmodel: null\nagents: {}\n"
    ConfigFile(tmp_path / "none.yaml").set_model(None)
    assert not (tmp_path / "none.yaml").exists()
