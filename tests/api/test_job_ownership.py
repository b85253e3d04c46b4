"""Whose a job is: of the key that made it and of its agent; of nobody where no key did (SPEC 11.7)."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.call import job_calls
from tests.api.hosted import LAB, OPERATOR, OPS, SECOND, whole
from tests.api.test_job_runs import ran
from tests.api.test_jobs import JOB, made, posted, put

SAME = "0123456789ab"


async def test_a_job_of_another_key_is_as_one_that_was_never_there(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        run = await ran(gateway, job)
        for key in (SECOND, LAB):
            assert (await gateway.get("/api/jobs", key))["data"] == []
            for method, path, body in job_calls(run):
                for agent in ("", "?agent=ops"):
                    real, ghost = [
                        await gateway.call(method, path.format(name) + agent, body, key) for name in (job["id"], SAME)
                    ]
                    assert real[0] == ghost[0] == 404
                    assert str(real[1]).replace(job["id"], SAME) == str(ghost[1])
        assert await gateway.get(f"/api/jobs/{job['id']}", OPERATOR) == await gateway.get(f"/api/jobs/{job['id']}")
        assert (await gateway.get(f"/api/jobs/{job['id']}"))["prompt"] == JOB["prompt"]


async def test_what_the_caller_on_this_machine_makes_is_nobodys(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        status, job = await gateway.hosted.call("POST", "/api/jobs", {**JOB, "agent": "ops"})
        assert (status, job["owner"]) == (201, "")
        assert await gateway.code("GET", f"/api/jobs/{job['id']}", key=OPS) == (404, "job_not_found")


async def test_a_key_that_lost_its_agent_has_lost_its_jobs(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        home = gateway.hosted.home
        text = (home.path / "config.yaml").read_text()
        home.configure(text.replace("key_env: OPS, agents: [ops]", "key_env: OPS, agents: [lab]"))
        status, _ = await gateway.hosted.call("POST", "/api/reload")
        assert status == 200
        assert await gateway.code("GET", f"/api/jobs/{job['id']}") == (404, "job_not_found")
        assert (await gateway.get("/api/jobs"))["data"] == []
        assert (await gateway.get("/api/jobs?agent=ops"))["data"] == []


async def test_one_id_in_two_homes_is_said_with_its_agent(tmp_path: Path) -> None:
    for agent in ("ops", "lab"):
        put(tmp_path, {"id": SAME, **JOB, "name": agent}, agent=agent)
    async with whole(tmp_path) as gateway:
        status, document = await gateway.call("GET", f"/api/jobs/{SAME}", key=OPERATOR)
        assert (status, document["error"]["code"], document["error"]["param"]) == (409, "ambiguous_job", "agent")
        assert "`ops`" in document["error"]["message"]
        assert "`lab`" in document["error"]["message"]
        for agent in ("ops", "lab"):
            assert (await gateway.get(f"/api/jobs/{SAME}?agent={agent}", OPERATOR))["name"] == agent
        await gateway.call("DELETE", f"/api/jobs/{SAME}?agent=lab", key=OPERATOR)
        assert (await gateway.get(f"/api/jobs/{SAME}", OPERATOR))["agent"] == "ops"


async def test_an_id_that_is_ambiguous_for_admins_alone_is_plain_to_its_key(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        put(tmp_path, {"id": job["id"], **JOB}, agent="lab")
        await gateway.hosted.call("POST", "/api/jobs", {**JOB, "agent": "main"})  # looks at all files
        assert await gateway.code("GET", f"/api/jobs/{job['id']}", key=OPERATOR) == (409, "ambiguous_job")
        assert (await gateway.get(f"/api/jobs/{job['id']}"))["agent"] == "ops"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"deliver": "webhook:1"}, "deliver"),
        ({"deliver": ["local", "webhook:1"]}, "deliver"),
        ({"deliver": "all"}, "deliver"),
        ({"deliver": "origin"}, "deliver"),
        ({"origin": {"platform": "webhook", "chat_id": "1"}}, "origin"),
        ({"script": "x.sh"}, "script"),
        ({"script": "x.sh", "no_agent": True}, "script"),
        ({"no_agent": True}, "no_agent"),
        ({"workdir": "here"}, "workdir"),
    ],
)
async def test_chats_and_programs_are_for_admins(tmp_path: Path, fields: dict[str, Any], param: str) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, deliver="local")
        for method, path in (("POST", "/api/jobs"), ("PATCH", f"/api/jobs/{job['id']}")):
            body = {**JOB, "agent": "ops", **fields} if method == "POST" else fields
            status, document = await gateway.call(method, path, body)
            assert (status, document["error"]["code"], document["error"]["param"]) == (403, "admin_required", param)
        assert (await gateway.get(f"/api/jobs/{job['id']}")) == job


@pytest.mark.parametrize("value", ["LOCAL", ["local", "Local"], " local ", None])
async def test_to_keep_the_output_is_for_every_key(tmp_path: Path, value: Any) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, deliver=value)
        assert (await gateway.call("PATCH", f"/api/jobs/{job['id']}", {"deliver": value}))[0] == 200
        assert (await ran(gateway, job))["problems"] == []


async def test_a_key_cannot_send_to_the_origin_by_taking_the_targets_away(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        path = f"/api/jobs/{job['id']}"
        assert (await gateway.call("PATCH", path, {"deliver": None}))[0] == 200
        given = {"origin": {"platform": "webhook", "chat_id": "1"}, "deliver": "local"}
        assert (await gateway.call("PATCH", path, given, OPERATOR))[0] == 200
        assert await gateway.code("PATCH", path, {"deliver": None}) == (403, "admin_required")


async def test_a_key_does_not_read_what_others_jobs_have_left(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        mine, theirs = await made(gateway), await made(gateway, SECOND)
        for context, status in (([mine["id"]], 201), ([theirs["id"]], 400), ([mine["id"], SAME], 400)):
            answer = await gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops", "context_from": context})
            assert answer[0] == status
        path = f"/api/jobs/{mine['id']}"
        both = {"context_from": [theirs["id"], SAME]}
        status, document = await gateway.call("PATCH", path, both)
        error = document["error"]
        assert (status, error["code"], error["param"]) == (400, "invalid_job", "context_from")
        assert [problem["param"] for problem in error["problems"]] == ["context_from"] * 2
        assert all(problem["message"] in error["message"] for problem in error["problems"])
        assert (await gateway.call("PATCH", path, {"context_from": [mine["id"]]}))[0] == 200


async def test_the_same_idempotency_key_of_two_keys_makes_two_jobs(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        _, mine = await posted(gateway, "same", {**JOB, "agent": "ops"})
        _, theirs = await posted(gateway, "same", {**JOB, "agent": "ops"}, SECOND)
        assert [job["id"] for job in (await gateway.get("/api/jobs"))["data"]] == [mine["id"]]
        assert [job["id"] for job in (await gateway.get("/api/jobs", SECOND))["data"]] == [theirs["id"]]


async def test_why_jobs_are_off_is_for_admins(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        await gateway.hosted.call("POST", "/api/jobs", {**JOB, "agent": "main"})
    (tmp_path / "home" / "agents" / "ops" / "cron" / ".owner").write_text("another\n")
    async with whole(tmp_path) as gateway:
        seen = {key: await gateway.get(f"/api/jobs/{job['id']}", key) for key in (OPS, OPERATOR)}
        status, document = await gateway.call("PATCH", f"/api/jobs/{job['id']}", {"name": "x"})
    assert {one["state"] for one in seen.values()} == {"off"}
    assert seen[OPS]["off"] == "an admin sees why"
    assert "adopt" in seen[OPERATOR]["off"]
    assert (status, document["error"]["code"]) == (409, "jobs_off")
    assert "adopt" not in document["error"]["message"]
