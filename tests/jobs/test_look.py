"""Looking at a folder again and again (SPEC 16.4)."""

import json
import os
import time
from pathlib import Path

import pytest

from serai.jobs.look import look
from serai.jobs.watch import Watch
from serai.ports.jobs import JobFolder
from tests.jobs.stage import ID, OTHER, check_schedule, disk, fields, looked_at, put, put_text

LOOK_MOST_S = 0.5
"""For a thousand jobs, on the slowest machine; it takes some 20 ms."""


def looked(cron: Path, earlier: JobFolder | None = None, *, later: float = 1.0) -> JobFolder:
    """A look by a clock that is `later` seconds ahead of the jobs file, or of now where there is none."""
    file = cron / "jobs.json"
    written = file.stat().st_ctime_ns if file.exists() else time.time_ns()
    return look(cron, earlier, check_schedule, lambda: written + round(later * 1e9))


def test_an_unchanged_folder_is_not_read_again(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cron, fields())
    first = looked(cron)
    monkeypatch.setattr("serai.jobs.look.read_jobs", None)
    assert looked(cron, first) is first


def test_a_saved_file_shows_at_the_next_look(cron: Path) -> None:
    put(cron, fields())
    first = looked(cron)
    put(cron, fields(prompt="Changed."))
    second = looked(cron, first)
    assert second.jobs[0].prompt == "Changed."
    assert second.stamp != first.stamp


def test_a_look_within_a_tick_of_a_change_is_not_trusted(cron: Path) -> None:
    put(cron, fields())
    soon, later = looked(cron, later=0), looked(cron)
    assert isinstance(soon.seen, Watch)
    assert isinstance(later.seen, Watch)
    assert not soon.seen.holds(soon.directory)
    assert later.seen.holds(later.directory)


def test_a_change_that_keeps_size_and_time_is_seen(cron: Path) -> None:
    path = put(cron, fields(prompt="aaa"))
    first = looked(cron)
    times = path.stat()
    path.write_bytes(path.read_bytes().replace(b"aaa", b"bbb"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert looked(cron, first).jobs[0].prompt == "bbb"


async def test_of_many_folders_those_that_have_changed_are_told(cron: Path, tmp_path: Path) -> None:
    others = [tmp_path / name / "cron" for name in ("a", "b", "missing")]
    for other in others[:2]:
        put(other, fields())
    first = looked(others[0])
    found = await disk().look({others[0]: first, others[1]: None, others[2]: None})
    assert [(cron, len(folder.jobs)) for cron, folder in found.items()] == [(others[1], 1), (others[2], 0)]


def test_a_file_that_was_only_touched_is_the_same(cron: Path) -> None:
    path = put(cron, fields())
    first = looked(cron, later=0)
    path.touch()
    assert looked(cron, first) is first
    assert looked(cron, first) is first


def test_a_new_owner_shows_at_the_next_look(cron: Path) -> None:
    put(cron, fields())
    first = looked(cron)
    (cron / ".owner").write_text("store-1\n")
    assert (first.owner, looked(cron, first).owner) == (None, "store-1")


def test_a_file_that_goes_or_comes_shows_at_the_next_look(cron: Path) -> None:
    path = put(cron, fields())
    first = looked(cron)
    path.unlink()
    gone = looked(cron, first)
    assert (gone.jobs, gone.stamp) == ((), "")
    put(cron, fields(id=OTHER))
    assert [job.id for job in looked(cron, gone).jobs] == [OTHER]


def test_a_folder_that_is_replaced_by_a_link_shows_at_the_next_look(cron: Path, tmp_path: Path) -> None:
    put(cron, fields())
    first = looked(cron)
    cron.rename(tmp_path / "moved")
    cron.symlink_to(tmp_path / "moved")
    second = looked(cron, first)
    assert second is not first
    assert second.directory == (tmp_path / "moved").resolve()


def test_a_damaged_file_that_is_repaired_runs_again(cron: Path) -> None:
    put_text(cron, "{")
    first = looked(cron)
    assert looked(cron, first) is first
    put(cron, fields())
    assert [job.id for job in looked(cron, first).jobs] == [ID]


def test_a_folder_that_another_maker_has_seen_is_read(cron: Path) -> None:
    put(cron, fields())
    first = looked(cron)
    assert looked(cron, JobFolder(first.directory, first.jobs, first.problems, first.stamp)) is not None


async def test_a_thousand_jobs_are_read_in_a_blink(cron: Path) -> None:
    put(cron, *(fields(id=f"{at:012x}", name=f"Job {at}", deliver=["local"], skills=["a"]) for at in range(1000)))
    taken: list[float] = []
    for _ in range(5):
        begun = time.perf_counter()
        folder = await looked_at(cron)
        taken.append(time.perf_counter() - begun)
    assert len(folder.jobs) == 1000
    assert min(taken) < LOOK_MOST_S
    print(f"a thousand jobs are read in {min(taken) * 1000:.1f} ms")


def test_the_stamp_is_of_the_content(cron: Path, tmp_path: Path) -> None:
    put(cron, fields())
    put(tmp_path / "other" / "cron", fields())
    assert looked(cron).stamp == looked(tmp_path / "other" / "cron").stamp
    put_text(cron, json.dumps({"jobs": []}))
    assert looked(cron).stamp != looked(tmp_path / "other" / "cron").stamp
