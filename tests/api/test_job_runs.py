"""/api/jobs/{id}/run and …/runs, preview and adopt: what came of jobs, and what will (SPEC 9, 11.6)."""

import asyncio
from pathlib import Path
from typing import Any

from tests.api.hosted import OPERATOR, OPS, SECOND, Whole, whole
from tests.api.test_jobs import JOB, jobs_file, made, posted, put

NEW_YEAR = 1798758000.0
"""2027-01-01T00:00:00+01:00"""


async def ended(gateway: Whole, path: str, key: str = OPS) -> Any:
    """A run, once what it has left is kept."""
    while (run := await gateway.get(path, key))["output"] is None:
        await asyncio.sleep(0.01)
    return run


async def ran(gateway: Whole, job: Any, key: str = OPS) -> Any:
    """A run that was asked for, after its end."""
    status, begun = await gateway.call("POST", f"/api/jobs/{job['id']}/run", key=key)
    assert status == 202, begun
    return await ended(gateway, f"/api/jobs/{job['id']}/runs/{begun['id']}", key)


async def run_once(gateway: Whole, job: Any, name: str, key: str = OPS) -> tuple[int, Any]:
    """The answer to a run that is asked for with that Idempotency-Key."""
    return await posted(gateway, name, None, key, f"/api/jobs/{job['id']}/run")


async def test_a_job_is_run_now_and_its_output_is_read(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        gateway.model.go.clear()
        status, begun = await gateway.call("POST", f"/api/jobs/{job['id']}/run")
        assert (status, begun["object"], begun["manual"], begun["output"]) == (202, "job.run", True, None)
        assert begun["state"] in ("waiting", "running")
        assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "running"
        assert await gateway.code("POST", f"/api/jobs/{job['id']}/run") == (409, "job_running")
        early = await gateway.get(f"/api/jobs/{job['id']}/runs/{begun['id']}")
        assert (early["text"], early["ended_at"]) == (None, None)
        gateway.model.go.set()
        run = await ended(gateway, f"/api/jobs/{job['id']}/runs/{begun['id']}")
        after = await gateway.get(f"/api/jobs/{job['id']}")
        (listed,) = (await gateway.get(f"/api/jobs/{job['id']}/runs"))["data"]
    assert (run["state"], run["text"], run["reason"]) == ("ok", "ops at your service\n", None)
    assert (run["job"], run["agent"], run["id"]) == (job["id"], "ops", begun["id"])
    assert run["started_at"] <= run["ended_at"]
    assert listed == {name: value for name, value in run.items() if name != "text"}
    assert (after["state"], after["last_status"], after["last_run_at"]) == ("scheduled", "ok", run["started_at"])
    assert after["runs"] == 0  # it was no slot of its schedule
    assert (jobs_file(tmp_path).parent / "output" / job["id"] / run["output"]).read_text() == run["text"]


async def test_a_job_that_rests_is_run_when_it_is_asked_for(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, enabled=False)
        assert (await ran(gateway, job))["state"] == "ok"


async def test_runs_come_in_pages_the_latest_first(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway)
        runs = [(await ran(gateway, job))["id"] for _ in range(3)]
        path = f"/api/jobs/{job['id']}/runs"
        first = await gateway.get(f"{path}?limit=2")
        rest = await gateway.get(f"{path}?limit=2&before={first['next']}")
        for wrong in ("x", "nan", "inf"):
            assert await gateway.code("GET", f"{path}?before={wrong}") == (400, "invalid_value")
        assert await gateway.code("GET", f"{path}/run_1") == (404, "job_run_not_found")
    assert [run["id"] for run in first["data"] + rest["data"]] == runs[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_the_run_of_another_job_is_not_found_under_this_one(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        mine, theirs = await made(gateway), await made(gateway, SECOND)
        run = await ran(gateway, theirs, SECOND)
        assert await gateway.code("GET", f"/api/jobs/{mine['id']}/runs/{run['id']}") == (404, "job_run_not_found")


async def test_what_became_of_each_target_is_told(tmp_path: Path) -> None:
    put(tmp_path, {"id": "0123456789ab", **JOB, "deliver": ["webhook:1", "webhook:2", "nowhere:3"]})
    async with whole(tmp_path) as gateway:
        run = await ran(gateway, {"id": "0123456789ab"}, OPERATOR)
        while any(one["state"] != "sent" for one in run["deliveries"]):
            await asyncio.sleep(0.01)
            run = await gateway.get(f"/api/jobs/0123456789ab/runs/{run['id']}", OPERATOR)
        job = await gateway.get("/api/jobs/0123456789ab", OPERATOR)
    assert [(one["target"]["chat_id"], one["error"]) for one in run["deliveries"]] == [("1", None), ("2", None)]
    (problem,) = run["problems"]
    assert "nowhere" in problem
    assert (job["last_status"], job["last_error"]) == ("ok", f"not delivered: {problem}")


async def test_slots_that_were_missed_are_in_the_history(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.hosted.call("POST", "/api/agents/ops/stop")  # all slots are missed, and for this reason
        job = await made(gateway, schedule="every 1s")
        path = f"/api/jobs/{job['id']}"
        while (await gateway.get(path))["last_status"] != "missed":
            await asyncio.sleep(0.1)
        gap, *_ = (await gateway.get(f"{path}/runs"))["data"]
        after = await gateway.get(path)
        assert (after["state"], after["next_run_at"], after["off"]) == ("off", None, "an admin sees why")
        assert "is stopped" in (await gateway.get(path, OPERATOR))["off"]
        assert await gateway.code("POST", f"{path}/run") == (403, "agent_refused")
    assert (gap["id"], gap["state"], gap["output"]) == (None, "missed", None)
    assert gap["until"] >= gap["at"]
    assert gap["reason"]
    assert after["last_error"] == gap["reason"]


async def test_a_preview_says_when_a_schedule_would_be_due(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        asked = {"schedule": "0 0 1 1 *", "timezone": "Europe/Berlin", "count": 2}
        status, found = await gateway.call("POST", "/api/jobs/preview", asked)
        assert (status, found["object"], len(found["data"])) == (200, "list", 2)
        (first, second) = found["data"]
        assert first["object"] == "slot"
        assert first["time"].endswith("-01-01T00:00:00+01:00")
        assert (first["at"] - NEW_YEAR) % 86400 == 0
        assert int(second["time"][:4]) == int(first["time"][:4]) + 1
        _, once = await gateway.call("POST", "/api/jobs/preview", {"schedule": "30m"})
        assert len(once["data"]) == 1
        _, gone = await gateway.call("POST", "/api/jobs/preview", {"schedule": "2020-01-01T00:00"})
        assert gone["data"] == []
        for body, code in (
            ({"schedule": "sometimes"}, "invalid_job"),
            ({"schedule": "30m", "timezone": "Mars"}, "invalid_job"),
            ({"schedule": "30m", "count": 101}, "invalid_value"),
            ({"schedule": "30m", "agent": "ops"}, "unknown_parameter"),
        ):
            assert await gateway.code("POST", "/api/jobs/preview", body) == (400, code)
        for body, fields in (
            ({"schedule": "sometimes"}, ["schedule"]),
            ({"schedule": "30m", "timezone": "Mars"}, ["timezone"]),
            ({"schedule": "30m", "timezone": ""}, ["timezone"]),  # as in a job
            ({"schedule": "sometimes", "timezone": "Mars"}, ["schedule", "timezone"]),
        ):
            status, document = await gateway.call("POST", "/api/jobs/preview", body)
            error = document["error"]
            assert (status, error["code"], error["param"]) == (400, "invalid_job", fields[0])
            assert [problem["param"] for problem in error["problems"]] == fields
            assert all(problem["message"] in error["message"] for problem in error["problems"])


async def test_jobs_of_another_gateway_are_adopted_by_an_admin(tmp_path: Path) -> None:
    put(tmp_path, {"id": "0123456789ab", **JOB})
    (jobs_file(tmp_path).parent / ".owner").write_text("another\n")
    async with whole(tmp_path) as gateway:
        job = await gateway.get("/api/jobs/0123456789ab", OPERATOR)
        assert job["state"] == "off"
        assert "adopt" in job["off"]
        assert (await gateway.get("/api/jobs", OPERATOR))["problems"] != []
        for method, path, body in (
            ("POST", "/api/jobs", {**JOB, "agent": "ops"}),
            ("PATCH", "/api/jobs/0123456789ab", {"name": "x"}),
            ("DELETE", "/api/jobs/0123456789ab", None),
            ("POST", "/api/jobs/0123456789ab/run", None),
        ):
            assert await gateway.code(method, path, body, OPERATOR) == (409, "jobs_off")
        assert await gateway.code("POST", "/api/jobs/adopt", {"agent": "ops"}) == (403, "admin_required")
        assert await gateway.code("POST", "/api/jobs/adopt", {"agent": "x"}, OPERATOR) == (404, "agent_not_found")
        status, adopted = await gateway.call("POST", "/api/jobs/adopt", {"agent": "ops"}, OPERATOR)
        assert (status, adopted) == (200, {"object": "jobs.adopted", "agent": "ops", "problems": []})
        assert (await gateway.get("/api/jobs/0123456789ab", OPERATOR))["state"] == "scheduled"


async def test_a_repeat_with_an_idempotency_key_is_the_run_that_there_is(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job, other = await made(gateway), await made(gateway)
        gateway.model.go.clear()
        answers = await asyncio.gather(*(run_once(gateway, job, "now") for _ in range(5)))
        assert {status for status, _ in answers} == {202}, answers
        (name,) = {run["id"] for _, run in answers}
        assert (await run_once(gateway, job, "again"))[1]["error"]["code"] == "job_running"
        gateway.model.go.set()
        ended_run = await ended(gateway, f"/api/jobs/{job['id']}/runs/{name}")
        status, late = await run_once(gateway, job, "now")
        assert (status, late["id"], late["state"]) == (202, name, "ok")
        assert late == {key: value for key, value in ended_run.items() if key != "text"}
        for again in ((other, OPS), (job, OPERATOR)):  # another job, another key: another run
            status, run = await run_once(gateway, again[0], "now", again[1])
            assert status == 202
            assert run["id"] != name
            await ended(gateway, f"/api/jobs/{again[0]['id']}/runs/{run['id']}")
        assert len((await gateway.get(f"/api/jobs/{job['id']}/runs"))["data"]) == 2
        assert (await run_once(gateway, job, "with space"))[0] == 400
