"""A jobs file that cannot be used is told about and never written over (SPEC 9.1)."""

import os
from pathlib import Path

import pytest

from serai.core.error import SeraiError
from serai.core.ids import JobId
from serai.jobs.folder import JOBS_MOST
from serai.jobs.scan import ENTRIES_MOST, VALUES_MOST
from serai.ports.jobs import JobsDamaged
from tests.jobs.stage import ID, disk, fields, looked_at, put, put_text

GOOD = f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "x"}}]}}'

DAMAGED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", 'is empty; an empty list of jobs is {"jobs": []}'),
    "blank": (" \n", "is empty"),
    "truncated": (GOOD[:-2], "ends too early, in line 1"),
    "truncated inside of a text": (GOOD[:-5], "line 1, column 63: the text that begins here has no end"),
    "truncated between jobs": (GOOD[:-2] + ",\n", "ends too early, in line 1"),
    "a list": ("[]", 'is a list; it must be a map: {"jobs": [...]}'),
    "a text": ('"jobs"', "'{' expected"),
    "without jobs": ('{"Jobs": []}', 'has no `jobs`; it must be {"jobs": [...]} (instead of `Jobs`)'),
    "jobs a map": ('{"jobs": {}}', "`jobs` must be a list"),
    "jobs twice": ('{"jobs": [], "jobs": []}', "has `jobs` twice"),
    "a comma too many": (GOOD.replace("}]", "},]"), "is no JSON: line 1, column"),
    "something behind": (GOOD + "{}", "is no JSON: line 1, column"),
    "a comment": ("// mine\n" + GOOD, "is no JSON: line 1, column 1"),
    "a control character": (GOOD.replace("[{", "[\x00{"), "a control character (U+0000) outside of a text"),
    "zeros": (b"\0" * 100, "a control character (U+0000) outside of a text"),
    "not UTF-8": (GOOD.replace("x", "é").encode("latin-1"), "is not UTF-8 (line 1)"),
    "UTF-16": (GOOD.encode("utf-16"), "is not UTF-8"),
    "too large": (GOOD.encode() + b" " * JOBS_MOST, f"is larger than {JOBS_MOST:,} bytes"),
    "too many jobs": ('{"jobs": [' + "0," * ENTRIES_MOST + "0]}", "holds more than 10,000 jobs"),
    "too many values": ('{"jobs": [], "x": [' + "[]," * VALUES_MOST + "0]}", "holds more than 200,000 values"),
    "too deep": ('{"jobs": ' + "[" * 100_000, "is nested too deeply"),
    "too deep beside": ('{"x": ' + '{"a":' * 100_000, "is nested too deeply"),
}


async def refuses(cron: Path, told: str) -> None:
    """Nobody may write there, and a look says why."""
    jobs = disk()
    folder = await looked_at(cron)
    assert folder.jobs == ()
    assert [(problem.job, problem.fatal) for problem in folder.problems] == [(None, True)]
    assert told in str(folder.problems[0])
    assert str(cron / "jobs.json") in str(folder.problems[0])
    for attempt in (
        jobs.add(cron, {"schedule": "30m", "prompt": "x"}),
        jobs.change(cron, JobId(ID), {"enabled": False}),
        jobs.remove(cron, JobId(ID)),
    ):
        with pytest.raises(JobsDamaged, match=r"jobs\.json .*it is left as it is"):
            await attempt


@pytest.mark.parametrize("kind", DAMAGED)
async def test_a_damaged_file_is_told_about_and_left_alone(cron: Path, kind: str) -> None:
    content, told = DAMAGED[kind]
    path = put_text(cron, content)
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    await refuses(cron, told)
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


async def test_a_folder_in_the_file_s_place_is_left_alone(cron: Path) -> None:
    (cron / "jobs.json").mkdir(parents=True)
    await refuses(cron, "is no regular file")
    assert (cron / "jobs.json").is_dir()


async def test_a_pipe_in_the_file_s_place_blocks_nobody(cron: Path) -> None:
    cron.mkdir()
    os.mkfifo(cron / "jobs.json")
    await refuses(cron, "is no regular file")


async def test_a_link_to_another_agent_s_file_is_neither_read_nor_written(cron: Path, tmp_path: Path) -> None:
    theirs = put(tmp_path / "other" / "cron", fields())
    before = theirs.read_bytes()
    cron.mkdir()
    (cron / "jobs.json").symlink_to(theirs)
    await refuses(cron, "is a link to a file outside of this `cron` folder")
    assert theirs.read_bytes() == before
    assert (cron / "jobs.json").is_symlink()


async def test_a_link_to_itself_is_told_about(cron: Path) -> None:
    cron.mkdir()
    (cron / "jobs.json").symlink_to("jobs.json")
    await refuses(cron, "is no regular file")


async def test_a_link_inside_of_the_folder_is_followed_and_kept(cron: Path) -> None:
    put(cron, fields()).rename(cron / "mine.json")
    (cron / "jobs.json").symlink_to("mine.json")
    job = await disk().add(cron, {"schedule": "30m", "prompt": "y"})
    assert [one.id for one in (await looked_at(cron)).jobs] == [ID, job.id]
    assert (cron / "jobs.json").is_symlink()


async def test_a_link_to_nowhere_inside_of_the_folder_is_as_no_file(cron: Path) -> None:
    cron.mkdir()
    (cron / "jobs.json").symlink_to("mine.json")
    folder = await looked_at(cron)
    assert (folder.jobs, folder.problems) == ((), ())


async def test_a_file_in_the_folder_s_place_is_told_about(cron: Path) -> None:
    cron.write_text("x")
    folder = await looked_at(cron)
    assert [problem.fatal for problem in folder.problems if "jobs.json" in problem.text] == [True]
    with pytest.raises(SeraiError):
        await disk().add(cron, {"schedule": "30m", "prompt": "x"})
    assert cron.read_text() == "x"


async def test_a_folder_reached_by_a_link_is_the_same_folder(cron: Path, tmp_path: Path) -> None:
    put(cron, fields())
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "cron").symlink_to(cron)
    there, here = await looked_at(tmp_path / "link" / "cron"), await looked_at(cron)
    assert there.directory == here.directory == cron.resolve()
    assert there.jobs == here.jobs


async def test_no_folder_is_an_empty_folder(cron: Path) -> None:
    folder = await looked_at(cron)
    assert (folder.directory, folder.jobs, folder.problems, folder.owner) == (cron.resolve(), (), (), None)
    assert not cron.exists()
