"""What a jobs file may say, and that everything wrong with it is told (SPEC 9.1, 9.2)."""

from pathlib import Path
from typing import Any

import pytest

from serai.core.delivery import Target
from serai.core.job import Job
from serai.jobs.read import FIELDS
from tests.jobs.stage import ID, OTHER, fields, looked_at, put, put_text

FULL: dict[str, Any] = {
    "id": ID,
    "name": "Morning",
    "schedule": "0 7 * * *",
    "timezone": "Europe/Berlin",
    "enabled": False,
    "repeat": 3,
    "prompt": "Sag „Guten Morgen“.\n\tZweite Zeile.",
    "skills": ["news"],
    "model": "m-large",
    "script": "news/fetch.py",
    "no_agent": True,
    "context_from": [ID],
    "enabled_toolsets": ["memory"],
    "workdir": "reports",
    "deliver": ["telegram", "matrix:!a%3Ab"],
    "origin": {"platform": "Telegram", "account": "work", "chat_id": -100, "thread_id": "7", "chat_type": "group"},
    "silent_ok": False,
}


async def only(cron: Path, **more: Any) -> tuple[Job | None, list[str]]:
    """The one job of a file, and its problems: `!` in front of those that keep it from running."""
    put(cron, fields(**more))
    folder = await looked_at(cron)
    told = [f"{'!' if problem.fatal else ''}{problem}" for problem in folder.problems]
    return (folder.jobs[0] if folder.jobs else None), told


async def test_every_field_of_a_job_is_read(cron: Path) -> None:
    assert set(FULL) == set(FIELDS)
    job, told = await only(cron, **FULL)
    assert told == []
    assert job == Job(
        id=job.id,
        name="Morning",
        schedule="0 7 * * *",
        timezone="Europe/Berlin",
        enabled=False,
        repeat=3,
        prompt="Sag „Guten Morgen“.\n\tZweite Zeile.",
        skills=("news",),
        model="m-large",
        script="news/fetch.py",
        no_agent=True,
        context_from=(job.id,),
        enabled_toolsets=("memory",),
        workdir="reports",
        deliver=("telegram", "matrix:!a%3Ab"),
        origin=Target("telegram", "-100", "work", thread_id="7", chat_type="group"),
        silent_ok=False,
    )


async def test_what_is_not_said_has_its_default(cron: Path) -> None:
    job, told = await only(cron, name="", model=None, deliver="local")
    assert (job, told) == (Job(id=ID, schedule="every 2h", prompt="Say hello.", deliver=("local",)), [])


async def test_null_says_nothing(cron: Path) -> None:
    put_text(
        cron, '{"jobs": [{"id": "0123456789ab", "schedule": "30m", "prompt": "x", "repeat": null, "origin": null}]}'
    )
    folder = await looked_at(cron)
    assert (len(folder.jobs), folder.problems) == (1, ())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "XYZ"}, '!jobs[0]: `id` must be 12 hex digits in lower case, such as "{hex}", not `XYZ`'),
        ({"id": None}, '!jobs[0]: has no id; give it one, such as "id": "{hex}"'),
        ({"id": 5}, "!jobs[0]: `id` must be text, not a number"),
        ({"schedule": None}, '!has no schedule; write one such as "schedule": "every 2h"'),
        ({"schedule": "never"}, "!`schedule` cannot be: it says never"),
        ({"schedule": " "}, "!`schedule` must not be blank"),
        ({"prompt": None}, "!has no `prompt`; only a `script` with `no_agent` needs none"),
        ({"prompt": " \n"}, "!has no `prompt`; only a `script` with `no_agent` needs none"),
        ({"prompt": ["x"]}, "!`prompt` must be text, not a list"),
        ({"promt": "x"}, "!unknown field `promt` (did you mean `prompt`?)"),
        ({"x" * 80: 1}, f"!unknown field `{'x' * 59}…`"),
        ({"enabled": "yes"}, "!`enabled` must be true or false, not text"),
        ({"repeat": 0}, "!`repeat` must be between 1 and 1,000,000,000"),
        ({"repeat": True}, "!`repeat` must be a whole number above 0, not true/false"),
        ({"repeat": 1.5}, "!`repeat` must be a whole number above 0, not a number"),
        ({"no_agent": True}, "!has `no_agent` without a `script`: there is nothing to do"),
        ({"skills": "news"}, "!`skills` must be a list of texts, not text"),
        ({"skills": ["a", " "]}, "!`skills[1]` must not be blank"),
        ({"context_from": ["x"]}, "!`context_from[0]` must be the id of a job, 12 hex digits, not `x`"),
        ({"context_from": [OTHER]}, f"`context_from` names `{OTHER}`: there is no such job"),
        ({"deliver": []}, '!`deliver` must not be an empty list; "local" sends nothing'),
        ({"deliver": 5}, "!`deliver` must be a text or a list of texts, not a number"),
        ({"skills": ["a"] * 101}, "!`skills` must not be longer than 100 items"),
        ({f"x{at}": at for at in range(100)}, "!has more than 100 fields"),
        ({"name": "a\nb"}, "!`name` must be one line"),
        (
            {"timezone": "Europe/Berln"},
            "!`timezone` names no time zone: `Europe/Berln` (did you mean `Europe/Berlin`?)",
        ),
        ({"timezone": "../../etc/passwd"}, "!`timezone` names no time zone: `../../etc/passwd`"),
        ({"timezone": "Europe"}, "!`timezone` names no time zone: `Europe`"),
        (
            {"script": "/bin/ls"},
            "!`script` must be a path inside of `cron/scripts/`, not an absolute one",
        ),
        ({"script": "a/../../b.py"}, "!`script` must be a path inside of `cron/scripts/`"),
        ({"workdir": "../../other"}, "!`workdir` must be a folder inside of the agent's home"),
        ({"workdir": "/tmp"}, "!`workdir` must be a folder inside of the agent's home"),
        ({"workdir": "~/x"}, "!`workdir` must be written without `~`"),
        ({"origin": "telegram:5"}, "!`origin` must be a map with platform and chat_id, not text"),
        ({"origin": {"platform": "telegram"}}, "!`origin` has no `chat_id`"),
        (
            {"origin": {"platform": "irc", "chat_id": "1", "chatid": "1"}},
            "!`origin` has an unknown key `chatid` (did you mean `chat_id`?)",
        ),
        (
            {"origin": {"platform": "irc", "chat_id": "1", "chat_type": "room"}},
            "!`origin` has a `chat_type` that must be one of channel, dm, group, thread",
        ),
        (
            {"agent_id": "ops"},
            "`agent_id` is ignored: a job belongs to the agent in whose folder it lies",
        ),
        ({"prompt": "a\x00b\rc"}, "control characters in its texts are left out"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_wrong_is_told_with_the_job_and_the_nearest_name(cron: Path, wrong: Any, told: str) -> None:
    job, problems = await only(cron, **wrong)
    begin, _, end = told.partition("{hex}")
    plain = [problem.replace(f"{ID}: ", "") for problem in problems]
    assert any(problem.startswith(begin) and problem.endswith(end) for problem in plain), problems
    assert len(problems) == 1 or wrong == {"id": 5}
    assert (job is None) == told.startswith("!")


async def test_all_problems_of_a_job_are_told_at_once(cron: Path) -> None:
    _, problems = await only(cron, schedule="never", timezone="Mars", repeat=-1, modell="m")
    assert len(problems) == 4


@pytest.mark.parametrize("name", ["localtime", "Factory", "posixrules", "posix/UTC", "right/Europe/Berlin", "Europe"])
async def test_a_file_beside_the_time_zones_is_none(cron: Path, name: str) -> None:
    job, [problem] = await only(cron, timezone=name)
    assert job is None
    assert problem.startswith(f"!{ID}: `timezone` names no time zone: `{name}`")
    assert f"did you mean `{name}`" not in problem


async def test_a_hand_written_agent_id_changes_nothing(cron: Path) -> None:
    with_one, _ = await only(cron, agent_id="ops")
    without, _ = await only(cron)
    assert with_one == without


async def test_a_job_that_is_wrong_does_not_stop_the_others(cron: Path) -> None:
    put(cron, "x", fields(schedule="never"), fields(id=OTHER), None)
    folder = await looked_at(cron)
    assert [job.id for job in folder.jobs] == [OTHER]
    assert [problem.job for problem in folder.problems] == ["jobs[0]", ID, "jobs[3]"]


async def test_of_two_jobs_with_one_id_the_first_counts(cron: Path) -> None:
    put(cron, fields(prompt="first"), fields(prompt="second"))
    folder = await looked_at(cron)
    assert [job.prompt for job in folder.jobs] == ["first"]
    assert [str(problem) for problem in folder.problems] == [f"jobs[1]: has the same id as jobs[0], {ID}"]
    assert folder.problems[0].fatal


async def test_the_id_that_is_proposed_stays_the_same(cron: Path) -> None:
    put(cron, fields(id=None), fields(id=None))
    first, second = await looked_at(cron), await looked_at(cron)
    assert first.problems == second.problems
    assert len({problem.text for problem in first.problems}) == 2


async def test_keys_that_come_twice_are_a_fault_of_their_job_alone(cron: Path) -> None:
    twice = '{"id": "0123456789ab", "schedule": "30m", "prompt": "a", "prompt": "b"}'
    put_text(cron, f'{{"jobs": [{twice}, {{"id": "{OTHER}", "schedule": "30m", "prompt": "x"}}]}}')
    folder = await looked_at(cron)
    assert [job.id for job in folder.jobs] == [OTHER]
    assert [str(problem) for problem in folder.problems] == [f"{ID}: has `prompt` twice"]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "9" * 5000])
async def test_numbers_that_json_does_not_have_are_a_fault_of_their_job(cron: Path, value: str) -> None:
    put_text(cron, f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "x", "repeat": {value}}}]}}')
    folder = await looked_at(cron)
    assert folder.jobs == ()
    assert "`repeat` must be a whole number above 0: " in str(folder.problems[0])


async def test_raw_control_characters_in_a_text_are_repaired(cron: Path) -> None:
    put_text(cron, f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "a\tb\nc\x07d\x00"}}]}}')
    folder = await looked_at(cron)
    assert [job.prompt for job in folder.jobs] == ["a\tb\ncd"]
    assert [(problem.job, problem.fatal) for problem in folder.problems] == [(ID, False)]


async def test_half_a_character_is_a_fault_of_its_job(cron: Path) -> None:
    put_text(cron, f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "a\\ud800", "\\udfff": 1}}]}}')
    folder = await looked_at(cron)
    assert folder.jobs == ()
    assert [str(problem) for problem in folder.problems] == [
        f"{ID}: `prompt` holds half of a character (a lone surrogate)",
        f"{ID}: unknown field `?`",
    ]


async def test_values_nested_deeply_inside_of_a_job_are_its_own_fault(cron: Path) -> None:
    put_text(cron, f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": {"[" * 200}"\\u0001"{"]" * 200}}}]}}')
    folder = await looked_at(cron)
    assert [str(problem) for problem in folder.problems] == [f"{ID}: `prompt` must be text, not a list"]


async def test_other_keys_of_the_file_are_ignored(cron: Path) -> None:
    put(cron, fields(), version=3, jobs_old=[1])
    folder = await looked_at(cron)
    assert (len(folder.jobs), folder.problems) == (1, ())


async def test_a_file_from_an_editor_that_marks_utf_8_is_read(cron: Path) -> None:
    put_text(cron, "\ufeff" + f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "x"}}]}}')
    assert len((await looked_at(cron)).jobs) == 1


async def test_an_absolute_workdir_inside_of_the_home_is_right_through_links_too(cron: Path) -> None:
    inside = cron.parent / "workspace" / "a"
    inside.mkdir(parents=True)
    (cron.parent.parent / "link").symlink_to(cron.parent)
    for path in (inside, cron.parent.parent / "link" / "workspace" / "missing"):
        job, told = await only(cron, workdir=str(path))
        assert (job is not None, told) == (True, [])


async def test_a_file_of_wrong_names_is_told_without_comparing_each(cron: Path) -> None:
    put(cron, *(fields(id=f"{at:012x}", timezone=f"Europe/Berln{at}", **{f"promt{at}": 1}) for at in range(500)))
    folder = await looked_at(cron)
    assert len(folder.problems) == 1000
    assert sum("did you mean" in problem.text for problem in folder.problems) <= 100
