"""/api/jobs: making, reading and changing what agents do by themselves (SPEC 9, 11.6, 16.3)."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.hosted import DEPUTY, LAB, OPERATOR, OPS, SECOND, Whole, whole

JOB = {"schedule": "0 9 * * 1-5", "prompt": "Look around"}


def jobs_file(folder: Path, agent: str = "ops") -> Path:
    """Where an agent's jobs are."""
    return folder / "home" / "agents" / agent / "cron" / "jobs.json"


def put(folder: Path, *jobs: dict[str, Any], agent: str = "ops") -> None:
    """Writes an agent's jobs by hand, as editors do it: a gateway that looks just then sees no half of it."""
    file = jobs_file(folder, agent)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"jobs": jobs}))
    new.replace(file)


async def made(gateway: Whole, key: str = OPS, **fields: Any) -> Any:
    """A new job."""
    status, job = await gateway.call("POST", "/api/jobs", {"agent": "ops", **JOB, **fields}, key)
    assert status == 201, job
    return job


async def posted(
    gateway: Whole, name: str, body: dict[str, Any] | None, key: str = OPS, path: str = "/api/jobs"
) -> tuple[int, Any]:
    """The answer to a new job, or to what else is posted, with that Idempotency-Key."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    async with (
        aiohttp.ClientSession(gateway.hosted.url, headers=headers) as client,
        client.post(path, json=body) as response,
    ):
        return response.status, await response.json()


async def test_a_job_is_made_found_and_stands_in_its_agents_file(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, name="Morning", timezone="Europe/Berlin", repeat=2)
        assert await gateway.get(f"/api/jobs/{job['id']}") == job
        listed = await gateway.get("/api/jobs?agent=ops&state=scheduled")
        assert listed == {"object": "list", "data": [job], "has_more": False, "next": None, "problems": []}
        assert (await gateway.get("/api/jobs?state=paused"))["data"] == []
    (stored,) = json.loads(jobs_file(tmp_path).read_text())["jobs"]
    assert stored == {"id": job["id"], "name": "Morning", "timezone": "Europe/Berlin", "repeat": 2, **JOB}
    assert (job["object"], job["agent"], job["owner"]) == ("job", "ops", "ops")
    assert (job["zone"], job["state"], job["runs"], job["off"]) == ("Europe/Berlin", "scheduled", 0, None)
    assert job["next_runs"] == sorted(job["next_runs"])
    assert len(job["next_runs"]) == 2  # it runs no more than that
    assert job["next_run_at"] == job["next_runs"][0]
    assert [job[f"last_{name}"] for name in ("status", "run_at", "error")] == [None, None, None]


async def test_a_job_without_an_agent_is_the_default_agents(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        status, job = await gateway.call("POST", "/api/jobs", JOB, OPERATOR)
        refused = await gateway.code("POST", "/api/jobs", JOB, OPS)
        unknown = await gateway.code("POST", "/api/jobs", {**JOB, "agent": "nobody"}, OPERATOR)
        foreign = await gateway.code("POST", "/api/jobs", {**JOB, "agent": "nobody"}, OPS)
    assert (status, job["agent"]) == (201, "main")
    assert refused == foreign == (403, "unauthorised")
    assert unknown == (404, "agent_not_found")


async def test_a_patch_sets_what_it_names_and_null_takes_away(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, name="Morning", repeat=3)
        path = f"/api/jobs/{job['id']}"
        status, changed = await gateway.call("PATCH", path, {"schedule": "every 2h", "name": None, "skills": ["a"]})
        assert status == 200
        assert {"warnings": changed["warnings"], **await gateway.get(path)} == changed
    assert (changed["schedule"], changed["name"], changed["skills"], changed["repeat"]) == ("every 2h", "", ["a"], 3)
    (stored,) = json.loads(jobs_file(tmp_path).read_text())["jobs"]
    assert "name" not in stored


async def test_what_a_job_says_of_itself_can_be_sent_back(tmp_path: Path) -> None:
    origin = {"platform": "webhook", "chat_id": "ops-room", "chat_type": "group", "thread_id": "7"}
    fields = {"origin": origin, "deliver": ["origin", "webhook:other"], "context_from": ["0123456789ab"]}
    async with whole(tmp_path) as gateway:
        job = await made(gateway, OPERATOR, **fields)
        sent = {name: job[name] for name in (*JOB, *fields, "enabled", "silent_ok", "skills", "repeat", "workdir")}
        status, again = await gateway.call("PATCH", f"/api/jobs/{job['id']}", sent, OPERATOR)
    assert (status, again) == (200, job)
    assert job["deliver"] == fields["deliver"]
    assert {name: job["origin"][name] for name in origin} == origin


async def test_a_time_that_is_over_is_no_jobs(tmp_path: Path) -> None:
    over = {"schedule": "2020-01-01T00:00", "timezone": "Asia/Tokyo"}
    async with whole(tmp_path) as gateway:
        status, refused = await gateway.call("POST", "/api/jobs", {"agent": "ops", **JOB, **over})
        job = await made(gateway)
        assert await gateway.code("PATCH", f"/api/jobs/{job['id']}", over) == (400, "invalid_job")
        assert (await gateway.get("/api/jobs"))["data"] == [job]
    error = refused["error"]
    assert (status, error["code"], error["param"]) == (400, "invalid_job", "schedule")
    assert re.fullmatch(r"`2020-01-01T00:00` is over: it is \w{3} 20.* \(Asia/Tokyo\) now", error["message"])


async def test_a_job_rests_and_goes_on(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        status, resting = await gateway.call("POST", f"/api/jobs/{job['id']}/pause")
        assert (status, resting["state"], resting["enabled"]) == (200, "paused", False)
        assert (resting["next_run_at"], resting["next_runs"]) == (None, [])
        status, going = await gateway.call("POST", f"/api/jobs/{job['id']}/resume")
    assert (status, going["state"], going["next_runs"]) == (200, "scheduled", job["next_runs"])


async def test_a_deleted_job_is_gone(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        path = f"/api/jobs/{job['id']}"
        status, gone = await gateway.call("DELETE", path)
        assert (status, gone) == (
            200,
            {"object": "job.deleted", "id": job["id"], "agent": "ops", "deleted": True},
        )
        for method, place, body in (
            ("GET", path, None),
            ("DELETE", path, None),
            ("PATCH", path, {}),
            ("POST", f"{path}/pause", None),
            ("POST", f"{path}/resume", None),
            ("POST", f"{path}/run", None),
            ("GET", f"{path}/runs", None),
            ("GET", f"{path}/runs/run_1", None),
        ):
            assert await gateway.code(method, place, body) == (404, "job_not_found"), place
    assert json.loads(jobs_file(tmp_path).read_text()) == {"jobs": []}


async def test_jobs_come_in_pages_also_while_they_are_deleted(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        names = sorted([(await made(gateway))["id"] for _ in range(5)])
        first = await gateway.get("/api/jobs?limit=2")
        for job in first["data"]:
            await gateway.call("DELETE", f"/api/jobs/{job['id']}")
        rest = await gateway.get(f"/api/jobs?limit=3&before={first['next']}")
        assert await gateway.code("GET", "/api/jobs?before=x") == (400, "invalid_value")
    assert [job["id"] for job in first["data"] + rest["data"]] == names
    assert (first["has_more"], rest["has_more"], rest["next"]) == (True, False, None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"schedule": "sometimes"}, "schedule"),
        ({"schedule": "0 0 30 2 *"}, "schedule"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"prompt": " "}, None),
        ({"workdir": "/outside"}, "workdir"),
        ({"script": "/bin/true"}, "script"),
        ({"no_agent": True}, None),
        ({"schedule": "never", "timezone": "x"}, "timezone"),
    ],
)
async def test_a_job_that_cannot_be_is_400_and_nothing_is_written(
    tmp_path: Path, fields: dict[str, Any], param: str | None
) -> None:
    async with whole(tmp_path) as gateway:
        status, document = await gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops", **fields}, OPERATOR)
        assert (await gateway.get("/api/jobs", OPERATOR))["data"] == []
    assert (status, document["error"]["code"], document["error"]["param"]) == (400, "invalid_job", param)
    assert all(problem["message"] in document["error"]["message"] for problem in document["error"]["problems"])
    assert not jobs_file(tmp_path).exists()


@pytest.mark.parametrize("name", ["id", "agent_id", "owner", "zone"])
async def test_what_is_no_field_of_a_job_is_refused(tmp_path: Path, name: str) -> None:
    async with whole(tmp_path) as gateway:
        assert await gateway.code("POST", "/api/jobs", {**JOB, "agent": "ops", name: "x"}) == (
            400,
            "unknown_parameter",
        )


async def test_a_hand_edit_is_seen_and_belongs_to_no_key(tmp_path: Path) -> None:
    put(tmp_path, {"id": "0123456789ab", **JOB})
    async with whole(tmp_path) as gateway:
        (job,) = (await gateway.get("/api/jobs", OPERATOR))["data"]
        assert (await gateway.get("/api/jobs", OPS))["data"] == []
        assert await gateway.code("GET", "/api/jobs/0123456789ab", key=OPS) == (404, "job_not_found")
    assert (job["id"], job["owner"], job["state"]) == ("0123456789ab", "", "scheduled")


async def test_a_damaged_file_is_told_and_left_alone(tmp_path: Path) -> None:
    put(tmp_path)
    jobs_file(tmp_path).write_text('{"jobs": [')
    async with whole(tmp_path) as gateway:
        (told,) = (await gateway.get("/api/jobs", OPERATOR))["problems"]
        (hinted,) = (await gateway.get("/api/jobs", OPS))["problems"]
        assert (await gateway.get("/api/jobs", LAB))["problems"] == []
        for key in (OPS, OPERATOR):
            status, document = await gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops"}, key)
            assert (status, document["error"]["code"]) == (409, "jobs_damaged")
            assert (str(tmp_path) in document["error"]["message"]) == (key == OPERATOR)
        await made(gateway, LAB, agent="lab")
    assert (told["object"], told["agent"], told["job"], told["fatal"]) == ("job.problem", "ops", None, True)
    assert hinted == {**told, "message": "The agent's jobs do not run; an admin sees why."}
    assert jobs_file(tmp_path).read_text() == '{"jobs": ['


async def test_a_job_that_cannot_run_is_told_to_admins_and_its_owner(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        put(tmp_path, {"id": job["id"], "schedule": "never", "prompt": "x"}, {"id": "0123456789ab"})
        while not (await gateway.get("/api/jobs", OPS))["problems"]:  # the next look is some 2 s away
            await asyncio.sleep(0.1)
        seen = {key: (await gateway.get("/api/jobs", key))["problems"] for key in (OPERATOR, OPS, SECOND)}
    assert {one["job"] for one in seen[OPERATOR]} == {job["id"], "0123456789ab"}
    assert [one["job"] for one in seen[OPS]] == [job["id"]]
    assert seen[SECOND] == []


async def test_a_repeat_with_an_idempotency_key_finds_the_job(tmp_path: Path) -> None:
    body = {**JOB, "agent": "ops"}
    async with whole(tmp_path) as gateway:
        status, first = await posted(gateway, "once", body)
        assert status == 201
        assert await posted(gateway, "once", body) == (201, first)
        status, document = await posted(gateway, "once", {**body, "prompt": "Look twice"})
        assert (status, document["error"]["code"]) == (409, "idempotency_conflict")
        status, theirs = await posted(gateway, "once", body, SECOND)
        assert (status, theirs["owner"]) == (201, "second")
        _, another = await posted(gateway, "twice", body)
        assert len((await gateway.get("/api/jobs"))["data"]) == 2
    async with whole(tmp_path) as gateway:  # as after a crash: nothing but the key and what is stored
        assert await posted(gateway, "once", body) == (201, first)
        status, document = await posted(gateway, "once", {**body, "agent": "lab"}, OPERATOR)
        assert status == 201
    assert len({first["id"], theirs["id"], another["id"], document["id"]}) == 4


async def test_an_idempotency_key_is_not_used_for_two_agents(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        assert (await posted(gateway, "once", {**JOB, "agent": "ops"}, OPERATOR))[0] == 201
        status, document = await posted(gateway, "once", {**JOB, "agent": "lab"}, OPERATOR)
    assert (status, document["error"]["code"]) == (409, "idempotency_conflict")


async def test_a_key_has_so_many_jobs_and_no_more_also_where_all_are_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.gateway.schedule.jobs.OWNED_MOST", 5)
    async with whole(tmp_path) as gateway:
        await asyncio.gather(*(made(gateway, SECOND) for _ in range(3)))
        asked = [gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops"}) for _ in range(12)]
        answers = await asyncio.gather(*asked)
        assert sorted(status for status, _ in answers) == [201] * 5 + [400] * 7
        (refused,) = {str(answer["error"]) for status, answer in answers if status == 400}
        assert "5 are allowed" in refused
        jobs = (await gateway.get("/api/jobs"))["data"]
        assert len(jobs) == 5
        await gateway.call("DELETE", f"/api/jobs/{jobs[0]['id']}")
        await made(gateway)
        assert (await gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops"}))[0] == 400


async def test_a_job_that_may_be_in_a_damaged_file_is_not_said_to_be_nowhere(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        ours, theirs = await made(gateway), await made(gateway, LAB, agent="lab")
        whole_text = jobs_file(tmp_path).read_text()
        jobs_file(tmp_path).write_text('{"jobs": [')
        assert "serai_jobs_damaged" in await metrics(gateway)
        while not (await gateway.get("/api/jobs"))["problems"]:  # the next look is some 2 s away
            await asyncio.sleep(0.1)
        path = f"/api/jobs/{ours['id']}"
        for method, place, body in (
            ("GET", path, None),
            ("PATCH", path, {"name": "x"}),
            ("DELETE", path, None),
            ("POST", f"{path}/pause", None),
            ("POST", f"{path}/run", None),
            ("GET", f"{path}/runs", None),
            ("GET", "/api/jobs/0123456789ab", None),
        ):
            for key in (OPS, OPERATOR, DEPUTY):
                status, document = await gateway.call(method, place, body, key)
                assert (status, document["error"]["code"]) == (409, "jobs_damaged"), (method, place)
                assert ("jobs.json" in document["error"]["message"]) == (key != OPS)
            for key, place_ in ((LAB, place), (OPERATOR, f"{place}?agent=lab")):
                assert await gateway.code(method, place_, body, key) == (404, "job_not_found")
        assert (await gateway.get(f"/api/jobs/{theirs['id']}", OPERATOR))["id"] == theirs["id"]
        told = await metrics(gateway)
        assert 'serai_jobs_damaged{agent="ops"} 1.0' in told
        assert 'serai_jobs_damaged{agent="lab"} 0.0' in told
        assert 'serai_jobs_damaged{agent="main"}' not in told  # it has no file
        jobs_file(tmp_path).write_text(whole_text)
        while (await gateway.get("/api/jobs"))["problems"]:
            await asyncio.sleep(0.1)
        assert (await gateway.get(path))["id"] == ours["id"]
        assert 'serai_jobs_damaged{agent="ops"} 0.0' in await metrics(gateway)


async def metrics(gateway: Whole) -> str:
    """What Prometheus reads."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {OPERATOR}"}) as client,
        client.get(f"{gateway.hosted.url}/metrics") as response,
    ):
        return await response.text()


async def test_an_id_of_a_new_job_cannot_be_foreseen(tmp_path: Path) -> None:
    """Whoever could would search for a key that hits a removed job's id, and read what that has left."""
    ids = []
    for name in ("one", "two"):
        async with whole(tmp_path / name) as gateway:
            first = (await posted(gateway, "once", {**JOB, "agent": "ops"}))[1]
            assert (await posted(gateway, "once", {**JOB, "agent": "ops"}))[1] == first
            ids.append(first["id"])
    assert ids[0] != ids[1]
