"""`serai cron` where a gateway runs: it is asked, and what it says is told (SPEC 11.6, 12)."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cron_home import CHECK, CONFIG, REPORT, write_cron_home
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Said, Terminal
from tests.process.gateway import gateways
from tests.process.model import Asked, stub_model


def job(**changes: Any) -> dict[str, Any]:
    """An object of the API."""
    usual = {
        "object": "job",
        "id": REPORT,
        "agent": "ops",
        "name": "Morning report",
        "schedule": "0 9 * * *",
        "timezone": None,
        "enabled": True,
        "repeat": None,
        "prompt": "What is new?",
        "skills": [],
        "model": None,
        "script": None,
        "no_agent": False,
        "context_from": [],
        "enabled_toolsets": None,
        "workdir": None,
        "deliver": ["web:a"],
        "origin": None,
        "silent_ok": True,
        "zone": "UTC",
        "state": "scheduled",
        "off": None,
        "owner": "",
        "runs": 3,
        "next_run_at": 32_503_680_000.0,
        "next_runs": [32_503_680_000.0],
        "last_status": "failed",
        "last_run_at": 1_790_000_000.0,
        "last_error": "the model is gone",
    }
    return {**usual, **changes}


def run(**changes: Any) -> dict[str, Any]:
    """An object of the API."""
    usual = {
        "object": "job.run",
        "id": "run_1",
        "job": REPORT,
        "agent": "ops",
        "at": 1_790_000_000.0,
        "until": None,
        "state": "ok",
        "manual": True,
        "reason": None,
        "session": "ses_1",
        "started_at": 1_790_000_000.0,
        "ended_at": 1_790_000_090.0,
        "output": "x.md",
        "problems": [],
        "deliveries": [],
        "text": "All is well.\n",
    }
    return {**usual, **changes}


def delivery(state: str, error: str | None = None, chat: str = "a") -> dict[str, Any]:
    target = {
        "platform": "web",
        "chat_id": chat,
        "account": "default",
        "thread_id": None,
        "agent_id": "ops",
        "reply_to": [],
        "chat_type": "dm",
        "user_id": None,
    }
    return {"id": f"dlv_{chat}", "target": target, "state": state, "attempt": 1, "remote_id": None, "error": error}


def page(*documents: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"object": "list", "data": documents, "has_more": after is not None, "next": after, "problems": []}


@pytest.fixture
def asked(serai: Terminal, gateway: FakeGateway) -> FakeGateway:
    """A gateway that has two jobs, and does what it is told."""
    serai.write(CONFIG)
    gateway.answers("/api/jobs?limit=1000", page(job(), job(id=CHECK, name="Check", state="running")))
    gateway.answers(f"/api/jobs/{REPORT}?agent=ops", job())
    gateway.answers(f"/api/jobs/{REPORT}/run?agent=ops", run(state="running", text=None), 202)
    gateway.answers(f"/api/jobs/{REPORT}/runs/run_1?agent=ops", run())
    return gateway


def test_every_page_of_a_long_list_is_asked_for(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/api/jobs?limit=1000", page(job(), after="ops/1"))
    gateway.answers("/api/jobs?limit=1000&before=ops%2F1", page(job(id=CHECK, name="Check")))
    assert [one["id"] for one in serai("cron", "list", "--json").document["data"]] == [REPORT, CHECK]


def test_a_job_that_runs_stands_first(serai: Terminal, asked: FakeGateway) -> None:
    said = serai("cron", "list")
    assert said.err == ""
    rows = [re.split("  +", line) for line in said.out.splitlines()[1:]]
    assert [row[5] for row in rows if row[0] == CHECK] == ["now"]
    assert all(row[6].startswith("failed ") for row in rows)


def test_a_zone_that_this_machine_does_not_know_hides_no_job(serai: Terminal, asked: FakeGateway) -> None:
    asked.answers("/api/jobs?limit=1000", page(job(), job(id=CHECK, name="Check", zone="Mars/Olympus")))
    said = serai("cron", "list")
    assert (said.code, said.err) == (0, "")
    [row] = [line for line in said.out.splitlines() if line.startswith(CHECK)]
    assert " UTC " in row


def test_problems_are_those_that_the_gateway_tells(serai: Terminal, asked: FakeGateway) -> None:
    problem = {"object": "job.problem", "agent": "ops", "job": None, "message": "it is damaged", "fatal": True}
    asked.answers("/api/jobs?limit=1000", {**page(job()), "problems": [problem]})
    assert serai("cron", "list").err == "Error: ~/home/agents/ops/cron/jobs.json: it is damaged\n"


@pytest.mark.parametrize(
    ("words", "method", "path", "document"),
    [
        (["pause", "morn"], "PATCH", f"/api/jobs/{REPORT}?agent=ops", {"enabled": False}),
        (["resume", "morn"], "PATCH", f"/api/jobs/{REPORT}?agent=ops", {"enabled": True}),
        (
            ["edit", "morn", "--name", "N", "--clear", "model"],
            "PATCH",
            f"/api/jobs/{REPORT}?agent=ops",
            {"name": "N", "model": None},
        ),
        (["remove", "morn", "--yes"], "DELETE", f"/api/jobs/{REPORT}?agent=ops", None),
        (["run", "morn"], "POST", f"/api/jobs/{REPORT}/run?agent=ops", None),
    ],
)
def test_a_change_is_asked_of_the_gateway(
    words: list[str], method: str, path: str, document: object, serai: Terminal, asked: FakeGateway
) -> None:
    said = serai("cron", *words)
    assert (said.code, said.err) == (0, "")
    last = asked.asked[-1]
    assert (last.method, last.path, last.document) == (method, path, document)


def test_a_refusal_of_the_gateway_is_the_error(serai: Terminal, asked: FakeGateway) -> None:
    refused = {"error": {"message": "This job runs just now.", "code": "job_running"}}
    asked.answers(f"/api/jobs/{REPORT}/run?agent=ops", refused, 409)
    said = serai("cron", "run", "morn")
    assert (said.code, said.err) == (1, "Error: This job runs just now.\n")


def test_waiting_for_a_run_prints_what_it_says_and_where_it_went(serai: Terminal, asked: FakeGateway) -> None:
    asked.answers(f"/api/jobs/{REPORT}/runs/run_1?agent=ops", run(deliveries=[delivery("sent")]))
    said = serai("cron", "run", "morn", "--wait")
    assert (said.code, said.out, said.err) == (0, "All is well.\n", "web:a: sent\n")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "failed", "reason": "no model"}, "failed: no model\n"),
        ({"state": "failed", "reason": "no model", "text": "(The run failed: no model)\n"}, ""),
        ({"deliveries": [delivery("sent"), delivery("dead", "gone", "b")]}, "web:a: sent\nweb:b: failed: gone\n"),
        ({"problems": ["nix: no platform `nix` is configured"]}, "nix: not sent: no platform `nix` is configured\n"),
    ],
)
def test_a_run_that_goes_wrong_ends_in_exit_code_1(
    changes: dict[str, Any], told: str, serai: Terminal, asked: FakeGateway
) -> None:
    asked.answers(f"/api/jobs/{REPORT}/runs/run_1?agent=ops", run(**changes))
    said = serai("cron", "run", "morn", "--wait")
    assert (said.code, said.err) == (1, told)


@pytest.mark.parametrize("state", ["new", "sending", "open"])
def test_what_is_not_sent_yet_waits(
    state: str, serai: Terminal, asked: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.cli.cron.run._KEPT_S", 0.1)
    late = run(deliveries=[delivery(state, "no connection")])
    asked.answers(f"/api/jobs/{REPORT}/runs/run_1?agent=ops", late)
    said = serai("cron", "run", "morn", "--wait")
    assert (said.code, said.err) == (0, "web:a: waiting: no connection\n")
    asked.answers(f"/api/jobs/{REPORT}/runs?agent=ops&limit=20", page(late))
    assert "  web:a: waiting: no connection\n" in serai("cron", "history", "morn").out


def test_a_change_that_the_configuration_does_not_matter_for_does_not_wait_for_it(
    serai: Terminal, asked: FakeGateway
) -> None:
    serai.write("agents: [")  # to read it is most of what a change costs
    assert serai("cron", "edit", "morn", "--name", "N", "--repeat", "3").code == 0
    said = serai("cron", "edit", "morn", "--deliver", "web:b")
    assert (said.code, said.err.splitlines()[0]) == (1, "Error: The configuration has problems:")


def test_a_job_of_a_damaged_file_is_not_said_to_be_gone(serai: Terminal, asked: FakeGateway) -> None:
    problem = {"object": "job.problem", "agent": "lab", "job": None, "message": "it is\ndamaged", "fatal": True}
    asked.answers("/api/jobs?limit=1000", {**page(job()), "problems": [problem]})
    said = serai("cron", "pause", "daily")
    assert (said.code, said.err) == (
        1,
        "Error: There is no job `daily` among those that can be read. Those of agent `lab` cannot: it is damaged\n",
    )
    assert serai("cron", "pause", "morn").code == 0


def test_status_tells_of_damaged_files_and_wrong_jobs(serai: Terminal, asked: FakeGateway) -> None:
    problem = {"object": "job.problem", "agent": "lab", "job": None, "message": "it is damaged", "fatal": True}
    wrong = {**problem, "job": CHECK, "message": "no schedule"}
    asked.answers("/api/jobs?limit=1000", {**page(), "problems": [problem, wrong, {**wrong, "fatal": False}]})
    asked.answers("/ready", {"ready": True})
    lines = serai("status").out.splitlines()
    assert [re.split("  +", line) for line in lines[-2:]] == [
        ["damaged jobs", "all of lab: it is damaged"],
        ["wrong job", f"{CHECK} of lab: no schedule"],
    ]
    assert serai("status", "--json").document["jobs"]["problems"] == [problem, wrong]


def test_history_goes_on_where_an_earlier_list_ended(serai: Terminal, asked: FakeGateway) -> None:
    asked.answers(f"/api/jobs/{REPORT}/runs?agent=ops&limit=1", page(run(), after="1790000000.0"))
    said = serai("cron", "history", "morn", "--limit", "1")
    assert said.out == "Mon 2026-09-21 14:13:20  ok  1 min 30 s  run_1  asked for\n"
    assert said.err == f"There are more: serai cron history {REPORT} --before 1790000000.0\n"
    asked.answers(f"/api/jobs/{REPORT}/runs?agent=ops&limit=20&before=1790000000.0", page())
    assert serai("cron", "history", "morn", "--before", "1790000000.0").out == "It never ran\n"


def test_one_run_is_meant_by_either_end_of_its_id(serai: Terminal, asked: FakeGateway) -> None:
    asked.answers(f"/api/jobs/{REPORT}/runs?agent=ops&limit=200", page(run(), run(id="run_2"), run(id=None)))
    for word in ("last", "run_1", "_1"):
        assert serai("cron", "history", "morn", "--output", word).out == "All is well.\n"
    assert serai("cron", "history", "morn", "--output", "run").code == 1


def test_status_tells_how_jobs_stand(serai: Terminal, asked: FakeGateway) -> None:
    asked.answers("/ready", {"ready": True})
    said = serai("status")
    assert re.search(r"^jobs +2 \(1 running, 1 scheduled\)$", said.out, re.MULTILINE)
    assert re.search(r"^next job +Morning report of ops in \d+ d$", said.out, re.MULTILINE)
    assert re.search(r"^failed job +Morning report of ops .*: the model is gone$", said.out, re.MULTILINE)
    assert serai("status", "--json").document["jobs"]["states"] == {"scheduled": 1, "running": 1}


def test_an_answer_that_did_not_arrive_is_trouble_although_its_run_was_ok(
    serai: Terminal, gateway: FakeGateway
) -> None:
    lost = job(last_status="ok", last_error="not delivered: web:a: gone")
    gateway.answers("/ready", {"ready": True})
    gateway.answers("/api/jobs?limit=1000", page(lost, job(id=CHECK, last_status="ok", last_error=None)))
    first, second = serai("cron", "list").out.splitlines()[1:]
    assert ("undelivered" in first, "undelivered" in second) == (True, False)
    said = serai("status")
    assert re.search(
        r"^undelivered job +Morning report of ops .*: not delivered: web:a: gone$", said.out, re.MULTILINE
    )
    assert [one["id"] for one in serai("status", "--json").document["jobs"]["bad"]] == [REPORT]


@pytest.mark.slow
async def test_a_real_gateway_is_led_from_the_command_line(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> str:
        return f"{asked.body['model']} heard: {asked.user_text}"

    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    serai = Terminal(home)
    write_cron_home(serai)

    async def said(*words: str) -> Said:
        return await asyncio.to_thread(serai, "cron", *words)

    async with stub_model(answer) as url, gateways(tmp_path) as nursery:
        model = {"name": "m", "base_url": f"{url}/v1"}
        (home / "config.yaml").write_text(json.dumps({"model": model, "agents": {"ops": {"model": "m-ops"}}}))
        gateway = await nursery.start(["-m", "serai", "up", "--port", "0"], {"SERAI_HOME": str(home)})
        made = await said(
            "add", "--agent", "ops", "--schedule", "0 9 * * *", "--prompt", "Hello", "--name", "Greeting"
        )
        assert (made.code, made.err) == (0, "")
        listed = (await said("list")).out
        assert all(name in listed for name in ("Greeting", "Morning report", "Party"))
        ran = await said("run", "greet", "--wait")
        assert (ran.code, ran.out) == (0, "m-ops heard: Hello\n")
        assert (await said("history", "greet", "--output", "last")).out == ran.out
        shown = await said("show", "greet")
        assert "asked for" in shown.out
        assert (await said("pause", "greet")).code == 0
        assert (await said("edit", "greet", "--deliver", "web:nobody")).code == 0
        assert (await said("run", "greet", "--wait")).code == 1
        assert (await said("adopt", "main")).out.endswith("from now on.\n")
        kept = json.loads((await said("list", "--json")).out)
        assert await gateway.stop() == 0
    offline = json.loads((await said("list", "--json")).out)
    assert [(one["id"], one["state"]) for one in offline["data"]] == [
        (one["id"], one["state"]) for one in kept["data"]
    ]
    assert (await said("history", "greet", "--output", "last")).out == ran.out
    assert (await said("remove", "greet", "--yes")).code == 0
