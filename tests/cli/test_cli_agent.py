"""`serai agent`: what stays, what moves, what is refused (SPEC 12.1, 12.2)."""

import stat
from pathlib import Path

import pytest

from tests.cli.terminal import OPS, Terminal

COMMENTED = """\
# Everything of ours.
default_agent: main   # the usual one
agents:
  main: {}
  # Operations.
  ops: {}
routes:
  - {match: {platform: discord, chat_id: "100"}, agent: ops}
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_agent_gets_a_private_home_with_a_persona_that_names_it(serai: Terminal) -> None:
    assert serai("agent", "add", "ops").code == 0
    home = serai.home / "agents/ops"
    assert (home / "SOUL.md").read_text() == (
        "# ops\n\nYou are ops. Answer clearly and briefly. Say so when you do not know something.\n"
    )
    assert (home / "memories").is_dir()
    assert (home / "skills").is_dir()
    assert mode(home) == 0o700
    assert mode(home / "SOUL.md") == 0o600


def test_the_first_explicit_agent_keeps_main_as_the_default(serai: Terminal) -> None:
    serai("agent", "add", "ops")
    agents = {agent["id"]: agent for agent in serai("agent", "list", "--json").document["data"]}
    assert set(agents) == {"main", "ops"}
    assert agents["main"]["default"]


def test_settings_are_written_as_given(serai: Terminal) -> None:
    said = serai(
        "agent", "add", "ops", "--model", "m-ops", "--provider", "openai", "--base-url", "http://127.0.0.1:9/v1",
        "--api-key-env", "K_OPS", "--home-dir", str(serai.home / "elsewhere"), "--enabled-toolsets", "memory, files",
        K_OPS="fake-key-ops",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    assert (serai.home / "elsewhere/SOUL.md").exists()
    shown = serai("agent", "show", "ops", "--json", K_OPS="fake-key-ops").document
    assert shown["model"] == "m-ops"
    assert shown["base_url"] == "http://127.0.0.1:9/v1"
    assert shown["api_key_env"] == "K_OPS"
    assert shown["toolsets"] == ["files", "memory"]
    assert shown["home"] == str(serai.home / "elsewhere")
    assert shown["refusal"] is None


def test_an_empty_list_of_toolsets_is_no_tools(serai: Terminal) -> None:
    assert serai("agent", "add", "ops", "--enabled-toolsets", "").code == 0
    assert serai("agent", "show", "ops", "--json").document["toolsets"] == []


def test_an_agent_whose_key_has_no_value_yet_is_added_with_a_warning_and_shown_with_its_model(
    serai: Terminal,
) -> None:
    said = serai("agent", "add", "ops", "--model", "m-ops", "--provider", "openai", "--api-key-env", "K_OPS")
    assert said.code == 0
    assert "`K_OPS` is not set" in said.err
    shown = serai("agent", "show", "ops")
    assert "m-ops" in shown.out
    assert "openai" in shown.out
    assert "K_OPS" in shown.out
    assert "m-ops" in serai("agent", "list").out


def test_no_command_ever_prints_a_secret(serai: Terminal) -> None:
    serai.write("K_OPS=fake-key-ops\n", ".env")
    serai("agent", "add", "ops", "--model", "m", "--provider", "openai", "--api-key-env", "K_OPS")
    for command in (["agent", "show", "ops"], ["agent", "list"], ["config", "show"], ["config", "check"]):
        for form in ([], ["--json"]):
            said = serai(*command, *form)
            assert "fake-key-ops" not in said.out + said.err


@pytest.mark.parametrize(
    "wrong",
    [
        ["agent", "add", "dev", "--enabled-toolsets", "flies"],
        ["agent", "add", "dev", "--base-url", "nonsense"],
        ["agent", "add", "dev", "--model", "m", "--provider", "opnai"],
        ["agent", "add", "dev", "--home-dir", "agents/ops"],
        ["route", "add", "--agent", "ops", "chat_type=grup"],
    ],
)
def test_an_edit_that_makes_a_problem_leaves_the_file_as_it_was(wrong: list[str], serai: Terminal) -> None:
    serai.write(COMMENTED)
    said = serai(*wrong)
    assert said.code == 1
    assert "config.yaml:" in said.err
    assert serai.config == COMMENTED
    assert not (serai.home / "agents/dev").exists()


def test_an_edit_that_makes_a_problem_leaves_no_file_where_there_was_none(serai: Terminal) -> None:
    assert serai("agent", "add", "dev", "--provider", "opnai").code == 1
    assert not (serai.home / "config.yaml").exists()


def test_a_problem_that_was_there_before_does_not_stop_an_edit(serai: Terminal) -> None:
    serai.write("agents:\n  broken: {enabled_toolsets: [flies]}\n")
    assert serai("agent", "add", "ops").code == 0
    assert serai("agent", "remove", "broken").code == 0
    assert serai("config", "check").code == 0


def test_a_key_of_the_gateway_that_only_the_service_has_does_not_stop_an_edit(serai: Terminal) -> None:
    serai.write("api_server:\n  keys: [{name: phone, key_env: K_PHONE, agents: '*'}]\n")
    said = serai("agent", "add", "ops")
    assert said.code == 0
    assert "Warning" in said.err
    assert serai("agent", "list").code == 0


def test_comments_and_order_stay(serai: Terminal) -> None:
    serai.write(COMMENTED)
    assert serai("agent", "add", "dev").code == 0
    assert serai("agent", "remove", "dev").code == 0
    assert serai("route", "add", "--agent", "ops", "platform=slack").code == 0
    assert serai("route", "remove", "2").code == 0
    assert serai.config == COMMENTED


def test_a_clone_takes_persona_skills_and_memories_and_nothing_else(serai: Terminal) -> None:
    serai.write("agents:\n  ops: {model: m-ops, base_url: 'http://127.0.0.1:9/v1'}\n")
    for path, text in {
        "SOUL.md": "# Ops\n\nYou run things.\n",
        "skills/deploy/SKILL.md": "how to deploy",
        "skills/deploy/.env": "K=fake-key-skill",
        "memories/MEMORY.md": "the servers are blue",
        ".env": "K_OPS=fake-key-ops",
        "cron/jobs.json": "{}",
        "workspace/notes.txt": "mine",
    }.items():
        serai.write(text, f"agents/ops/{path}")
    said = serai("agent", "add", "dev", "--from-profile", "ops")
    assert said.code == 0
    assert "Cloned SOUL.md, skills, memories from `ops`" in said.out
    home = serai.home / "agents/dev"
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert files == {"SOUL.md", "skills/deploy/SKILL.md", "memories/MEMORY.md"}
    assert (home / "SOUL.md").read_text() == "# Ops\n\nYou run things.\n"
    assert "m-ops" not in serai.config.partition("dev")[2]


def test_a_clone_does_not_follow_links_out_of_the_home(serai: Terminal, tmp_path: Path) -> None:
    serai.write(OPS)
    (tmp_path / "secret.txt").write_text("fake-key-elsewhere")
    serai.write("a skill", "agents/ops/skills/one/SKILL.md")
    (serai.home / "agents/ops/skills/one/notes.md").symlink_to(tmp_path / "secret.txt")
    (serai.home / "agents/ops/skills/gone").symlink_to(tmp_path / "gone")
    assert serai("agent", "add", "dev", "--from-profile", "ops").code == 0
    skills = serai.home / "agents/dev/skills"
    assert (skills / "one/SKILL.md").exists()
    assert not (skills / "one/notes.md").exists()
    assert not (skills / "gone").exists()


def test_cloning_an_agent_without_a_home_says_that_there_was_nothing(serai: Terminal) -> None:
    serai.write(OPS)
    said = serai("agent", "add", "dev", "--from-profile", "ops")
    assert said.code == 0
    assert "Cloned nothing" in said.out
    assert (serai.home / "agents/dev/SOUL.md").exists()


def test_an_agent_that_comes_back_finds_its_home_as_it_was(serai: Terminal) -> None:
    serai("agent", "add", "ops")
    soul = serai.write("You are old Ops.\n", "agents/ops/SOUL.md")
    assert serai("agent", "remove", "ops").code == 0
    assert soul.exists()
    assert serai("agent", "add", "ops").code == 0
    assert soul.read_text() == "You are old Ops.\n"


def test_an_agent_whose_home_cannot_be_made_is_not_added(serai: Terminal) -> None:
    serai.write("a file", "taken")
    said = serai("agent", "add", "dev", "--home-dir", str(serai.home / "taken"))
    assert said.code == 1
    assert "taken" in said.err
    assert serai("agent", "show", "dev").code == 1


def test_removing_with_yes_takes_the_routes_along(serai: Terminal) -> None:
    serai.write(COMMENTED)
    before = serai.config
    assert serai("agent", "remove", "ops").code == 1
    assert serai.config == before
    assert serai("agent", "remove", "ops", "--yes").code == 0
    assert serai("agent", "show", "ops").code == 1
    assert serai("route", "list", "--json").document["data"] == []


@pytest.mark.parametrize(
    ("soul", "shown"),
    [
        ("", "(empty SOUL.md)"),
        ("# A\n\n## B\n", "(empty SOUL.md)"),
        ("# A\n\n\n".join(f"line {n}\n" for n in range(1, 20)), "\n".join(f"line {n}" for n in range(1, 9))),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
        ("a\x1b[31m red", "a\x1b[31m red"),
    ],
)
def test_a_persona_is_previewed_by_its_first_lines(soul: str, shown: str, serai: Terminal) -> None:
    serai.write(soul, "agents/main/SOUL.md")
    assert serai("agent", "show", "main", "--json").document["soul"] == shown


def test_a_persona_cannot_drive_the_terminal(serai: Terminal) -> None:
    serai.write("evil \x1b[2J\x07 text", "agents/main/SOUL.md")
    assert "  evil [2J text\n" in serai("agent", "show", "main").out


def test_the_global_home_option_wins_over_the_environment(serai: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert serai("--home", str(other), "agent", "add", "ops").code == 0
    assert (other / "config.yaml").exists()
    assert not (serai.home / "config.yaml").exists()
