"""`serai cron list|add|show|edit|…` where no gateway runs: the files and the database (SPEC 9, 12)."""

import json
import re

import pytest

from tests.cli.cron_home import (
    CHECK,
    CONFIG,
    JOBS,
    PARTY,
    REPORT,
    read_jobs,
    store_missed,
    store_ran,
    write_cron_home,
    write_jobs,
)
from tests.cli.terminal import Said, Terminal
from tests.cli.test_cli_json import fit

IDLE = "No gateway runs"


@pytest.fixture
def home(serai: Terminal) -> Terminal:
    write_cron_home(serai)
    return serai


def added(said: Said) -> str:
    """The id of the job that was added."""
    found = re.search(r"Added job ([0-9a-f]{12})", said.out)
    assert found is not None, said
    return found[1]


def test_a_home_without_jobs_says_how_one_is_made(serai: Terminal) -> None:
    said = serai("cron", "list")
    assert (said.code, said.out) == (0, "No jobs yet; `serai cron add` makes one\n")


def test_the_list_begins_with_what_runs_next_and_ends_with_what_does_not(home: Terminal) -> None:
    said = home("cron", "list")
    heads, first, second, blank, title, idle_heads, idle = said.out.splitlines()
    assert re.split("  +", heads) == ["id", "name", "agent", "schedule", "next", "here, UTC", "in", "last", "deliver"]
    assert first.startswith(f"{REPORT}  Morning report  ops    0 9 * * 1-5")
    assert "Europe/Berlin" in first
    assert second.startswith(f"{PARTY}  Party")
    assert re.split("  +", second)[4:6] == ["Mon 2998-12-24 18:00 Asia/Tokyo", "09:00"]
    assert (blank, title) == ("", "These are not going to run:")
    assert re.split("  +", idle_heads) == ["id", "name", "agent", "schedule", "last", "why"]
    assert re.split("  +", idle) == [CHECK, "Check", "ops", "every 2h", "-", "paused"]
    assert IDLE in said.err


def test_a_machine_in_the_zone_of_its_jobs_needs_no_second_clock(home: Terminal) -> None:
    assert "here" not in home("cron", "list", "--agent", "ops", TZ="Europe/Berlin").out


def test_the_next_runs_of_all_jobs_stand_in_the_order_of_time(home: Terminal) -> None:
    write_jobs(home, [JOBS[0], {**JOBS[1], "enabled": True, "schedule": "0 12 * * *"}])
    rows = home("cron", "list", "--agent", "ops", "--next", "5").out.splitlines()[1:]
    assert len(rows) == 10
    moments = [re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", row)[0] for row in rows]  # type: ignore[index]
    assert moments == sorted(moments)


def test_the_list_is_the_apis_as_json(home: Terminal) -> None:
    document = home("cron", "list", "--next", "5", "--json").document
    assert (document["object"], document["has_more"], document["next"], document["problems"]) == (
        "list",
        False,
        None,
        [],
    )
    assert [(one["agent"], one["id"], one["state"]) for one in document["data"]] == [
        ("main", PARTY, "scheduled"),
        ("ops", REPORT, "scheduled"),
        ("ops", CHECK, "paused"),
    ]
    assert [len(one["next_runs"]) for one in document["data"]] == [1, 5, 0]
    fit("cron list", document)


def test_an_unknown_agent_is_named_with_the_one_that_was_meant(home: Terminal) -> None:
    for words in (["list"], ["show", REPORT], ["pause", REPORT]):
        said = home("cron", *words, "--agent", "opps")
        assert (said.code, said.err) == (1, "Error: Agent `opps` not found (did you mean `ops`?).\n")


def test_a_damaged_file_is_told_with_its_name_and_the_other_agents_jobs_are_listed(home: Terminal) -> None:
    file = home.write('{"jobs": [', "agents/ops/cron/jobs.json")
    said = home("cron", "list")
    assert said.code == 0
    assert PARTY in said.out
    assert f"Error: ~/{file.relative_to(home.home.parent)}: " in said.err
    assert file.read_text() == '{"jobs": ['
    assert home("cron", "list", "--json").document["problems"][0]["fatal"]
    said = home("cron", "add", "--agent", "ops", "--schedule", "30m", "--prompt", "x")
    assert (said.code, file.read_text()) == (1, '{"jobs": [')


@pytest.mark.parametrize("words", [["show"], ["run"], ["pause"], ["resume"], ["history"], ["edit"], ["remove"]])
def test_a_job_of_a_damaged_file_is_not_said_to_be_gone(words: list[str], home: Terminal) -> None:
    home.write('{"jobs": [', "agents/ops/cron/jobs.json")
    for more in ([], ["--agent", "ops"]):
        said = home("cron", *words, "Morning report", *more)
        assert said.code == 1
        assert said.err.startswith(
            "Error: There is no job `Morning report` among those that can be read. Those of agent `ops` cannot: "
        )
        assert str(home.home / "agents/ops/cron/jobs.json") in said.err
    assert "There is no job `Morning report`." in home("cron", *words, "Morning report", "--agent", "main").err
    assert f"id      {PARTY}" in re.sub("  +", "      ", home("cron", "show", "party").out)


def test_what_is_wrong_with_one_job_stops_no_other_and_is_told(home: Terminal) -> None:
    write_jobs(home, [{**JOBS[0], "agent_id": "main"}, {**JOBS[1], "schedule": "every 2x"}])
    said = home("cron", "list", "--agent", "ops")
    assert REPORT in said.out
    assert CHECK not in said.out
    assert f"{CHECK}: `schedule` cannot be: `every 2x` is no schedule" in said.err
    assert f"Warning: ~/home/agents/ops/cron/jobs.json: {REPORT}: `agent_id` is ignored" in said.err
    assert "is wrong: `schedule` cannot be" in home("cron", "show", CHECK).err
    assert home("cron", "remove", CHECK, "--yes").code == 0
    assert [one["id"] for one in read_jobs(home)] == [REPORT]


def test_a_new_job_is_the_default_agents_and_its_first_runs_are_told(home: Terminal) -> None:
    said = home("cron", "add", "--schedule", "0 9 24 12 *", "--prompt", "Merry!", "--timezone", "Asia/Tokyo")
    assert said.code == 0
    head, *runs, where = said.out.splitlines()
    assert head == f"Added job {added(said)} “Merry!” of agent `main`."
    assert len(runs) == 3
    for run in runs:
        assert re.fullmatch(r"  \w{3} 20\d\d-12-24 09:00 Asia/Tokyo  \(00:00 here, UTC\)  in .*", run)
    assert where == "  Its answers are kept in the agent's cron/output, and sent to nobody."
    assert IDLE in said.err
    assert read_jobs(home, "main")[-1]["prompt"] == "Merry!"


def test_every_option_of_a_new_job_stands_in_its_file(home: Terminal) -> None:
    home.write("", "agents/ops/cron/scripts/look.py")
    home.write("Be brief.", "agents/ops/skills/brief/SKILL.md")
    said = home(
        *("cron", "add", "--agent", "ops", "--schedule", "every 1d", "--prompt", "-", "--name", "All"),
        *("--deliver", "local", "--deliver", "web:me", "--timezone", "Asia/Tokyo", "--once", "--model", "m"),
        *("--skill", "brief", "--toolsets", "memory, files", "--script", "look.py", "--context-from", "aaaa1"),
        *("--workdir", "reports", "--not-silent", "--paused"),
        typed="What\nnow?\n",
    )
    assert said.code == 0
    assert read_jobs(home)[-1] == {
        "id": added(said),
        "name": "All",
        "schedule": "every 1d",
        "timezone": "Asia/Tokyo",
        "enabled": False,
        "repeat": 1,
        "prompt": "What\nnow?",
        "skills": ["brief"],
        "model": "m",
        "script": "look.py",
        "context_from": [REPORT],
        "enabled_toolsets": ["memory", "files"],
        "workdir": "reports",
        "deliver": ["local", "web:me"],
        "silent_ok": False,
    }
    assert "It is not going to run: paused." in said.out


HOOKS = """\
platforms:
  webhook:
    accounts:
      work: {secret_env: K, callback_url: 'http://127.0.0.1:9/', allow_users: ['1'], home_chat: w}
      lab: {secret_env: L, callback_url: 'http://127.0.0.1:9/', allow_users: ['1'], home_chat: l}
"""
SECRETS = {"K": "whsec_ZmFrZS1rZXktaG9vaw==", "L": "whsec_ZmFrZS1rZXktbGFi"}
CHAT = {"platform": "webhook", "account": "work", "chat_id": "alerts", "thread_id": "7"}


def test_a_jobs_targets_are_looked_at_from_the_chat_that_it_was_made_in(home: Terminal) -> None:
    home.write(f"{CONFIG}{HOOKS}")
    write_jobs(home, [{**JOBS[0], "origin": CHAT}])
    said = home("cron", "edit", "morn", "--deliver", "webhook", **SECRETS)  # several homes, but it has a chat there
    assert "Warning" not in said.err
    assert "  Its answers are sent to webhook.\n" in said.out
    said = home("cron", "edit", "morn", "--deliver", "web", **SECRETS)
    assert "Warning: as it is, nothing is delivered to `web`: `web` has no home chat" in said.err
    said = home("cron", "edit", "morn", "--clear", "deliver", **SECRETS)
    assert "Warning" not in said.err
    assert "  Its answers are sent to webhook@work:alerts:7.\n" in said.out
    said = home("cron", "edit", "morn", "--deliver", "origin", "--clear", "origin", **SECRETS)
    assert said.err == "Error: Nothing can be delivered to `origin`: there is no chat that it came from.\n"


def test_where_answers_go_is_told_without_doubles_and_without_what_means_no_chat(home: Terminal) -> None:
    home.write(f"{CONFIG}{HOOKS}")
    words = [word for target in ("local", "webhook@lab:1", "web", "webhook@lab:1") for word in ("--deliver", target)]
    said = home("cron", "edit", "morn", *words, **SECRETS)
    assert "  Its answers are sent to webhook@lab:1.\n" in said.out
    said = home("cron", "edit", "morn", "--deliver", "web", **SECRETS)
    assert "  Its answers are kept in the agent's cron/output, and, as it is, sent to nobody.\n" in said.out


def test_several_targets_in_one_word_are_not_taken_for_a_chat(home: Terminal) -> None:
    home.write(f"{CONFIG}{HOOKS}")
    words = ["cron", "add", "--schedule", "30m", "--prompt", "x", "--deliver"]
    said = home(*words, "webhook@work:a,webhook@lab:b", **SECRETS)
    assert (said.code, read_jobs(home, "main")[1:]) == (1, [])
    assert "name one at a time. A comma inside an id is written `%2C`." in said.err
    assert home(*words, "webhook@work:a,b", **SECRETS).code == 0
    assert home(*words, "webhook@work:a%2Cweb", **SECRETS).code == 0


def test_a_script_alone_is_a_job_too(home: Terminal) -> None:
    home.write("", "agents/ops/cron/scripts/look.py")
    said = home("cron", "add", "--agent", "ops", "--schedule", "30m", "--script", "look.py", "--no-agent")
    assert said.code == 0
    assert "`30m` counts from when it starts" in said.err
    assert read_jobs(home)[-1]["no_agent"] is True


def test_what_is_not_there_yet_is_only_warned_of(home: Terminal) -> None:
    home.write(
        f"{CONFIG}platforms:\n  webhook: {{secret_env: K, callback_url: 'http://127.0.0.1:9/', allow_users: ['1']}}\n"
    )
    words = ["--schedule", "30m", "--prompt", "x", "--script", "no.py", "--skill", "none", "--deliver", "webhook"]
    said = home("cron", "add", "--agent", "ops", *words, K="whsec_ZmFrZS1rZXktaG9vaw==")
    assert said.code == 0
    assert "Warning: the script `no.py` does not exist" in said.err
    assert "Warning: the agent `ops` has no skill `none`" in said.err
    assert "Warning: as it is, nothing is delivered to `webhook`: `webhook` has no home chat" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--schedule", "every 2x"], "`every 2x` is no schedule"),
        (["--schedule", "30m", "--timezone", "Europe/Berln"], "(did you mean `Europe/Berlin`?)"),
        (["--schedule", "30m", "--toolsets", "memry"], "There is no toolset `memry` (did you mean `memory`?)."),
        (["--schedule", "30m", "--deliver", "wep:1"], "no platform `wep` is configured (did you mean `web`?)."),
        (["--schedule", "30m", "--deliver", "origin"], "there is no chat that it came from"),
        (["--schedule", "30m", "--script", "../x"], "must be a path inside of `cron/scripts/`"),
        (["--schedule", "30m", "--workdir", "/etc"], "must be a folder inside of the agent's home"),
        (["--schedule", "30m", "--context-from", "zzzz"], "There is no job `zzzz`"),
    ],
)
def test_a_bad_value_gets_a_sentence_and_nothing_is_written(words: list[str], sentence: str, home: Terminal) -> None:
    before = read_jobs(home)
    said = home("cron", "add", "--agent", "ops", "--prompt", "x", *words)
    assert said.code == 1
    assert sentence in said.err
    assert read_jobs(home) == before
    if "--context-from" not in words:
        assert sentence in home("cron", "edit", REPORT, *words).err
        assert read_jobs(home) == before


def test_a_job_is_meant_by_the_beginning_of_its_id_or_by_its_name(home: Terminal) -> None:
    for word in (REPORT, "aaaa1", "morning REPORT", "morn"):
        assert f"id         {REPORT}\n" in home("cron", "show", word).out
    said = home("cron", "show", "aaaa")
    assert said.code == 1
    assert said.err == (
        "Error: `aaaa` may be one of 2 jobs; say which by its whole id:\n"
        f"  {REPORT}  ops  Morning report\n  {CHECK}  ops  Check\n"
    )
    assert "There is no job `aaa`" in home("cron", "show", "aaa").err
    assert "(did you mean `Morning report`?)" in home("cron", "show", "Mornin reprot").err


def test_the_same_id_of_two_agents_needs_the_agent(home: Terminal) -> None:
    write_jobs(home, [JOBS[0]], "main")
    said = home("cron", "pause", REPORT)
    assert (said.code, "say which by --agent" in said.err) == (1, True)
    assert home("cron", "pause", REPORT, "--agent", "main").code == 0
    assert read_jobs(home, "main")[0]["enabled"] is False
    assert "enabled" not in read_jobs(home)[0]


def test_a_job_without_a_name_is_known_by_how_its_prompt_begins(home: Terminal) -> None:
    nameless = {key: value for key, value in JOBS[0].items() if key != "name"}
    write_jobs(home, [{**nameless, "prompt": "Look for floods\nand more", "origin": CHAT}, JOBS[1]])
    row = home("cron", "list").out.splitlines()[1]
    assert row.startswith(f"{REPORT}  “Look for floods”  ops    0 9 * * 1-5")
    assert row.endswith("webhook@work:alerts:7")
    for word in ("look", "Look for floods", "“Look for floods”"):
        assert f"id         {REPORT}\n" in home("cron", "show", word).out
    assert "(did you mean `Look for floods`?)" in home("cron", "show", "Look for flods").err
    assert home("cron", "pause", "look").out.startswith("Job “Look for floods” is paused;")
    assert "“Look for floods”" in home("cron", "list").out.splitlines()[-2]
    assert "Job “Look for floods” was not removed." in home("cron", "remove", "look").err


def test_show_tells_everything_about_a_job(home: Terminal) -> None:
    store_missed(home)
    said = home("cron", "show", REPORT)
    for line in (
        "name       Morning report",
        "agent      ops",
        "state      scheduled",
        "time zone  Europe/Berlin (the configuration's)",
        "deliver    local",
        "  What is new?",
        "    missed: the gateway was not running",
    ):
        assert line in said.out.splitlines()
    after = said.out.split("Next runs\n")[1].splitlines()
    assert all("09:00 Europe/Berlin" in line for line in after[:5])
    document = home("cron", "show", REPORT, "--json").document
    assert len(document["next_runs"]) == 5
    assert document["history"][0]["state"] == "missed"
    fit("cron show", document)


def test_edit_changes_only_what_is_given(home: Terminal) -> None:
    write_jobs(home, [{**JOBS[0], "timezone": "Asia/Tokyo", "mine": 1, "deliver": "local"}])
    write_jobs(home, [{**JOBS[0], "timezone": "Asia/Tokyo", "deliver": "local"}])
    said = home("cron", "edit", "morn", "--prompt", "And now?", "--clear", "timezone", "--clear", "deliver")
    assert said.code == 0
    assert said.out.startswith(f"Changed job {REPORT} Morning report of agent `ops`.\n")
    assert read_jobs(home) == [{**JOBS[0], "prompt": "And now?"}]


def editor(home: Terminal, *commands: str) -> str:
    """A program that edits a file by these commands of sed, and keeps what it was given."""
    script = home.write(
        f'#!/bin/sh\ncp "$1" {home.home}/given.json\n' + "".join(f'sed -i "{one}" "$1"\n' for one in commands)
    )
    file = home.home / "editor"
    script.rename(file)
    file.chmod(0o700)
    home.write(CONFIG)
    return str(file)


def test_edit_without_options_opens_the_job_in_an_editor(home: Terminal) -> None:
    said = home("cron", "edit", "morn", EDITOR=editor(home, "s/What is new/How is it/", "s/Morning/Evening/"))
    assert said.code == 0
    assert json.loads((home.home / "given.json").read_text()) == {
        name: value for name, value in JOBS[0].items() if name != "id"
    }
    assert read_jobs(home)[0] == {**JOBS[0], "prompt": "How is it?", "name": "Evening report"}


def test_an_editor_that_changes_nothing_changes_nothing(home: Terminal) -> None:
    said = home("cron", "edit", "morn", EDITOR=editor(home))
    assert (said.code, said.out) == (0, "Nothing was changed.\n")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("s/prompt/promt/", "`promt` cannot be set (did you mean `prompt`?)."),
        ("s/schedule/id/", "`id` cannot be set."),
        ("/schedule/d", "A job needs a `schedule`."),
        ("s/{/[{/", "This is no JSON: "),
        ("s/0 9/nine/", "`nine * * 1-5` is no schedule"),
    ],
)
def test_what_the_editor_leaves_must_be_a_job(command: str, sentence: str, home: Terminal) -> None:
    before = read_jobs(home)
    said = home("cron", "edit", "morn", EDITOR=editor(home, command))
    assert said.code == 1
    assert said.err.startswith("Error: Nothing was changed: ")
    assert sentence in said.err
    assert read_jobs(home) == before


def test_pause_and_resume(home: Terminal) -> None:
    assert (
        home("cron", "pause", "morn").out
        == f"Job Morning report is paused; `serai cron resume {REPORT}` lets it run again.\n"
    )
    assert read_jobs(home)[0]["enabled"] is False
    said = home("cron", "resume", "morn")
    assert said.out.startswith(f"Resumed job {REPORT} Morning report of agent `ops`.\n")
    assert home("cron", "list", "--agent", "ops", "--json").document["data"][0]["state"] == "scheduled"


def test_remove_asks_for_yes_where_nobody_can_be_asked(home: Terminal) -> None:
    assert home("cron", "remove", "morn").code == 1
    assert len(read_jobs(home)) == 2
    assert home("cron", "remove", "morn", "--yes").out == "Removed job Morning report of agent `ops`.\n"
    assert [one["id"] for one in read_jobs(home)] == [CHECK]


def test_a_time_that_is_over_is_refused_with_the_time_that_it_is(home: Terminal) -> None:
    before = read_jobs(home)
    for words in (["add", "--agent", "ops", "--prompt", "x"], ["edit", REPORT]):
        said = home("cron", *words, "--schedule", "2020-01-01T00:00")
        assert (said.code, said.out) == (1, "")
        assert re.fullmatch(r"Error: `2020-01-01T00:00` is over: it is .* \(Europe/Berlin\) now\.?\n", said.err)
    assert read_jobs(home) == before


def test_jobs_of_a_stopped_agent_are_not_going_to_run(home: Terminal) -> None:
    assert home("agent", "stop", "ops").code == 0
    listed = home("cron", "list").out
    assert re.search(rf"^{REPORT} .* off: agent `ops` is stopped; `serai agent start ops` lets", listed, re.MULTILINE)
    said = home("cron", "add", "--agent", "ops", "--schedule", "every 2h", "--prompt", "x")
    assert "It is not going to run: off: agent `ops` is stopped" in said.out
    assert re.search(r"^jobs +3 \(2 off, 1 paused\)$", home("agent", "show", "ops").out, re.MULTILINE)


def test_nothing_runs_without_a_gateway(home: Terminal) -> None:
    said = home("cron", "run", "morn", "--wait")
    assert said.code == 1
    assert "only a gateway runs jobs; start it with `serai up`" in said.err


def test_history_tells_what_was_missed_and_why(home: Terminal) -> None:
    assert home("cron", "history", "morn").out == "It never ran\n"
    store_missed(home)
    said = home("cron", "history", "morn")
    assert said.out == "Mon 2026-09-21 16:13:20  missed\n  missed: the gateway was not running\n"
    document = home("cron", "history", "morn", "--json").document
    assert (document["object"], document["data"][0]["object"], document["next"]) == ("list", "job.run", None)
    fit("cron history", document)
    assert home("cron", "history", "morn", "--output", "last").code == 1


def test_a_look_at_jobs_gives_their_folder_no_owner_and_makes_no_database(home: Terminal) -> None:
    home("cron", "list")
    home("cron", "show", "morn")
    home("cron", "pause", "morn")
    assert not (home.home / "state.db").exists()
    assert not (home.home / "agents/ops/cron/.owner").exists()


def test_another_stores_jobs_are_shown_as_off_until_they_are_adopted(home: Terminal) -> None:
    owner = home.write("another-store\n", "agents/ops/cron/.owner")
    said = home("cron", "list", "--agent", "ops")
    assert "off: another gateway schedules this directory; `serai cron adopt ops` takes it over" in said.out
    assert home("cron", "pause", "morn").code == 1
    said = home("cron", "adopt", "ops")
    assert said.out == (
        "This home's gateway runs the jobs in ~/home/agents/ops/cron (2) as soon as it starts (`serai up`).\n"
    )
    assert re.fullmatch(r"[0-9a-f]+\n", owner.read_text())
    assert home("cron", "pause", "morn").code == 0


def test_agent_show_tells_how_its_jobs_stand(home: Terminal) -> None:
    store_missed(home)
    said = home("agent", "show", "ops")
    assert re.search(r"^jobs +2 \(1 paused, 1 scheduled\)$", said.out, re.MULTILINE)
    assert re.search(r"^next job +Morning report of ops in ", said.out, re.MULTILINE)
    assert re.search(
        r"^missed job +Morning report of ops .* ago: the gateway was not running$", said.out, re.MULTILINE
    )
    fit("agent show", home("agent", "show", "ops", "--json").document)
    home.write("{", "agents/ops/cron/jobs.json")
    said = home("agent", "show", "ops")
    assert re.search(r"^damaged jobs +all of ops: .*/agents/ops/cron/jobs.json", said.out, re.MULTILINE)
    fit("agent show", home("agent", "show", "ops", "--json").document)


def test_doctor_finds_what_keeps_jobs_from_running(home: Terminal) -> None:
    store_missed(home)
    write_jobs(home, [{**JOBS[0], "script": "no.py", "deliver": "nix:1"}, {**JOBS[1], "schedule": "x"}])
    home.write("another-store\n", "agents/main/cron/.owner")
    found = [one for one in home("doctor", "--json").document["data"] if one["about"] == "cron"]
    told = {one["text"]: (one["level"], one["mend"]) for one in found}
    assert told[f"job {REPORT} of `ops`: the script `no.py` does not exist in `cron/scripts/`"][0] == "serious"
    assert (
        told[f"job {REPORT} of `ops`: nothing is delivered to `nix:1`: no platform `nix` is configured"][0]
        == "warning"
    )
    assert any(text.startswith(f"job {CHECK} of `ops`: `schedule` cannot be") for text in told)
    assert [mend for _, mend in told.values() if "adopt" in mend] == ["serai cron adopt main"]
    assert f"the last run of job {REPORT} of `ops` was missed: the gateway was not running" in told


def test_doctor_looks_at_targets_from_the_chat_that_a_job_was_made_in(home: Terminal) -> None:
    home.write(f"{CONFIG}{HOOKS}")
    gone = {"platform": "telegram", "chat_id": "1"}
    write_jobs(
        home,
        [
            {**JOBS[0], "origin": CHAT, "deliver": ["webhook"]},
            {**JOBS[0], "id": "aaaa00000001", "origin": CHAT, "deliver": ["web"]},
            {**JOBS[0], "id": "aaaa00000002", "origin": gone},
            {**JOBS[0], "id": "aaaa00000003", "origin": gone, "deliver": "local"},
        ],
    )
    texts = [
        one["text"]
        for one in home("doctor", "--json", **SECRETS).document["data"]
        if "nothing is deli" in one["text"]
    ]
    assert texts == [
        "job aaaa00000001 of `ops`: nothing is delivered to `web`: `web` has no home chat; `/sethome` in one of its "
        "chats makes it that",
        "job aaaa00000002 of `ops`: nothing is delivered to `origin`: the account `telegram` is not configured any "
        "more",
    ]


def test_a_time_that_came_in_vain_is_listed_and_one_that_ran_is_over(home: Terminal) -> None:
    vain, ran = ("cccc11112222", "cccc33334444")
    past = {"schedule": "2020-01-01T00:00", "prompt": "Happy new year!"}
    write_jobs(home, [{"id": vain, "name": "vain", **past}, {"id": ran, "name": "ran", **past}])
    store_ran(home, ran)
    said = home("cron", "list", "--agent", "ops")
    assert re.search(rf"^{vain} .* its time is over, and it did not run$", said.out, re.MULTILINE)
    assert ran not in said.out
    assert said.err.startswith("1 more is over: serai cron list --all\n")
    assert re.search(rf"^{ran} .* done: its time is over$", home("cron", "list", "--all").out, re.MULTILINE)
