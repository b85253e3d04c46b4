"""What /api/jobs takes of what only the whole gateway can judge: chats, toolsets, skills, scripts (SPEC 9.5)."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.hosted import CONFIG, OPERATOR, OPS, whole
from tests.api.test_jobs import JOB, jobs_file, made, posted, put

SAME = "0123456789ab"
ORIGIN = {"platform": "webhook", "chat_id": "1"}


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"deliver": "nix:1"}, "deliver", "no platform `nix` is configured"),
        ({"deliver": ["webhook:1", "webhok"]}, "deliver", "did you mean `webhook`?"),
        ({"deliver": "webhook@work:1"}, "deliver", "`webhook` has no account `work`"),
        ({"deliver": "webhook:"}, "deliver", "the chat is missing"),
        ({"deliver": "origin"}, "deliver", "there is no chat that it came from"),
        ({"deliver": ["local", "ORIGIN"]}, "deliver", "there is no chat that it came from"),
        ({"origin": {"platform": "nix", "chat_id": "1"}}, "origin", "the account `nix` is not configured any more"),
        ({"skills": ["news", "../x"]}, "skills", "`../x`"),
        ({"enabled_toolsets": ["memory", "memry"]}, "enabled_toolsets", "did you mean `memory`?"),
    ],
)
async def test_what_can_never_work_is_refused(tmp_path: Path, fields: dict[str, Any], param: str, said: str) -> None:
    async with whole(tmp_path) as gateway:
        status, document = await gateway.call("POST", "/api/jobs", {**JOB, "agent": "ops", **fields}, OPERATOR)
        error = document["error"]
        assert (status, error["code"], error["param"]) == (400, "invalid_job", param)
        assert said in error["message"]
        assert [(one["param"], said in one["message"]) for one in error["problems"]] == [(param, True)]
        assert not jobs_file(tmp_path).exists()
        job = await made(gateway)
        status, document = await gateway.call("PATCH", f"/api/jobs/{job['id']}", fields, OPERATOR)
        assert (status, document["error"]["problems"]) == (400, error["problems"])
        assert await gateway.get(f"/api/jobs/{job['id']}") == job


async def test_all_that_can_never_work_is_told_at_once(tmp_path: Path) -> None:
    wrong = {"deliver": ["nix:1", "nax:1"], "skills": ["../x"], "enabled_toolsets": ["x"]}
    async with whole(tmp_path) as gateway:
        status, document = await gateway.call("POST", "/api/jobs", {**JOB, **wrong}, OPERATOR)
        params = [one["param"] for one in document["error"]["problems"]]
        assert await gateway.code("POST", "/api/jobs", {**JOB, "agent": "ops", "skills": ["../x"]}, OPS) == (
            400,
            "invalid_job",
        )
    assert (status, sorted(params)) == (400, ["deliver", "deliver", "enabled_toolsets", "skills"])


async def test_of_what_may_come_one_is_warned(tmp_path: Path) -> None:
    fields = {"skills": ["news"], "script": "nope.sh", "deliver": ["webhook", "webhook:1", "local"]}
    async with whole(tmp_path) as gateway:
        job = await made(gateway, OPERATOR, **fields)
        assert len(job["warnings"]) == 3
        told = "\n".join(job["warnings"])
        for said in ("`webhook` has no home chat", "no skill `news`", "`nope.sh` does not exist in `cron/scripts/`"):
            assert said in told
        stored = await gateway.get(f"/api/jobs/{job['id']}", OPERATOR)
        assert "warnings" not in stored
        path = f"/api/jobs/{job['id']}"
        status, changed = await gateway.call("PATCH", path, {**fields, "name": "x"}, OPERATOR)  # nothing of it is new
        assert (status, changed) == (200, {**stored, "name": "x"})
        status, changed = await gateway.call("PATCH", path, {"skills": ["news", "more"]}, OPERATOR)
        assert (status, len(changed["warnings"])) == (200, 1)
        skill = jobs_file(tmp_path).parent.parent / "skills" / "news"
        skill.mkdir(parents=True)
        (skill / "SKILL.md").write_text("Read the news.")
        script = jobs_file(tmp_path).parent / "scripts" / "nope.sh"
        script.parent.mkdir()
        script.write_text("true")
        assert "warnings" not in await made(gateway, OPERATOR, **{**fields, "deliver": "webhook:1"})


async def test_a_job_is_judged_with_the_chat_that_it_has(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        job = await made(gateway, OPERATOR, origin=ORIGIN)
        path = f"/api/jobs/{job['id']}"
        for deliver in ("origin", ["webhook", "local"]):
            status, changed = await gateway.call("PATCH", path, {"deliver": deliver}, OPERATOR)
            assert (status, "warnings" in changed) == (200, False)
        assert (await gateway.call("PATCH", path, {"deliver": "origin"}, OPERATOR))[0] == 200
        assert await gateway.code("PATCH", path, {"origin": None}, OPERATOR) == (400, "invalid_job")
        assert (await gateway.call("PATCH", path, {"origin": None, "deliver": None}, OPERATOR))[0] == 200


async def test_what_a_job_has_of_old_keeps_nobody_from_changing_the_rest(tmp_path: Path) -> None:
    old = {"deliver": ["nix:1"], "skills": ["../x"], "enabled_toolsets": ["x"]}
    put(tmp_path, {"id": SAME, **JOB, **old})
    async with whole(tmp_path) as gateway:
        path = f"/api/jobs/{SAME}"
        for fields in ({"name": "x"}, {**old, "name": "y"}, {"deliver": "nix:1"}):
            assert (await gateway.call("PATCH", path, fields, OPERATOR))[0] == 200
        assert await gateway.code("PATCH", path, {"deliver": ["nix:1", "nix:2"]}, OPERATOR) == (400, "invalid_job")


async def test_a_repeat_finds_its_job_also_where_it_could_not_be_made_any_more(tmp_path: Path) -> None:
    body = {**JOB, "agent": "ops", "deliver": "webhook:1"}
    async with whole(tmp_path) as gateway:
        _, job = await posted(gateway, "once", body, OPERATOR)
        before, _, after = CONFIG.partition("platforms:\n")
        gateway.hosted.home.configure(before + after.partition("\n")[2])
        assert (await gateway.hosted.call("POST", "/api/reload"))[0] == 200
        status, again = await posted(gateway, "once", body, OPERATOR)
        assert (status, again["id"]) == (201, job["id"])
        assert (await posted(gateway, "twice", body, OPERATOR))[0] == 400
