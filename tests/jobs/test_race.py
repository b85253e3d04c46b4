"""Several who write at once: all of them count, and so does a person's editor (SPEC 9.1)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serai.core.error import StorageFailed
from serai.jobs import write
from serai.jobs.disk import DiskJobs
from serai.jobs.folder import read_jobs
from serai.ports.jobs import JobsDamaged
from tests.jobs.stage import OTHER, Tokens, check_schedule, disk, fields, looked_at, put, put_text
from tests.patience import PATIENCE_S

WRITER = """
import asyncio, sys
from pathlib import Path
from serai.app.system import SystemEntropy
from serai.jobs.disk import DiskJobs

async def main():
    jobs = DiskJobs(len, SystemEntropy())
    print("ready", flush=True)
    sys.stdin.readline()
    for at in range(int(sys.argv[2])):
        await jobs.add(Path(sys.argv[1]), {"schedule": "30m", "prompt": f"{sys.argv[3]} {at}"})
        print(at, flush=True)

asyncio.run(main())
"""


def writer(cron: Path, count: int, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(cron), str(count), name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


async def test_jobs_that_are_added_at_once_are_all_there(cron: Path) -> None:
    jobs = disk()
    made = await asyncio.gather(*(jobs.add(cron, {"schedule": "30m", "prompt": str(at)}) for at in range(20)))
    folder = await looked_at(cron)
    assert {job.id for job in folder.jobs} == {job.id for job in made}
    assert len(folder.jobs) == 20


def test_jobs_that_two_processes_add_at_once_are_all_there(cron: Path) -> None:
    both = [writer(cron, 25, name) for name in ("one", "two")]
    for process in both:
        begin(process)
    for process in both:
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    prompts = [job["prompt"] for job in json.loads((cron / "jobs.json").read_bytes())["jobs"]]
    assert sorted(prompts) == sorted(f"{name} {at}" for name in ("one", "two") for at in range(25))


def test_a_writer_that_is_killed_leaves_a_whole_file(cron: Path) -> None:
    for turn in range(5):
        process = writer(cron, 1000, f"{turn}")
        begin(process)
        assert process.stdout is not None
        for _ in range(turn + 1):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = process.stdout.read().split()
        process.communicate(timeout=PATIENCE_S)
        jobs = json.loads((cron / "jobs.json").read_bytes())["jobs"]
        mine = [job for job in jobs if job["prompt"].startswith(f"{turn} ")]
        assert len(mine) >= turn + 1 + len(told)


class Editor:
    """A person whose save comes between our reading and our writing, `times` times."""

    def __init__(self, cron: Path, monkeypatch: pytest.MonkeyPatch, times: int, text: str | None = None) -> None:
        self._cron, self._left, self._text, self._reads = cron, times, text, 0
        self.saves = 0
        monkeypatch.setattr(write, "read_jobs", self.read)

    def read(self, folder: Path) -> bytes | None:
        """Our reads come in pairs, and the save before the second."""
        self._reads += 1
        if self._reads % 2 == 0 and self._left:
            self._left -= 1
            self.saves += 1
            if self._text is None:
                put(self._cron, fields(id=OTHER, prompt=f"save {self.saves}"))
            else:
                put_text(self._cron, self._text)
        return read_jobs(folder)


@pytest.mark.parametrize("before", ["a file", "no file"])
async def test_an_editor_s_save_in_between_is_not_lost(
    cron: Path, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before == "a file":
        put(cron, fields())
    Editor(cron, monkeypatch, times=3)
    job = await disk().add(cron, {"schedule": "30m", "prompt": "mine"})
    folder = await looked_at(cron)
    assert [one.prompt for one in folder.jobs] == ["save 3", "mine"]
    assert folder.jobs[1] == job


async def test_an_editor_who_never_stops_is_not_fought(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cron, fields())
    editor = Editor(cron, monkeypatch, times=1000)
    with pytest.raises(StorageFailed, match="changed all the time"):
        await disk().add(cron, {"schedule": "30m", "prompt": "mine"})
    assert [job.prompt for job in (await looked_at(cron)).jobs] == [f"save {editor.saves}"]


async def test_a_file_that_an_editor_breaks_in_between_is_left_alone(
    cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cron, fields())
    Editor(cron, monkeypatch, times=1, text='{"jobs": [')
    with pytest.raises(JobsDamaged):
        await disk().add(cron, {"schedule": "30m", "prompt": "mine"})
    assert (cron / "jobs.json").read_text() == '{"jobs": ['


async def test_a_lock_that_is_held_for_ever_is_told_about(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    put(cron, fields())
    monkeypatch.setattr("serai.jobs.replace._LOCK_S", 0.0)
    descriptor = os.open(cron / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(StorageFailed, match="is locked by another process"):
            await DiskJobs(check_schedule, Tokens()).add(cron, {"schedule": "30m", "prompt": "mine"})
    finally:
        os.close(descriptor)
