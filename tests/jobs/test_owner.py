"""Whose a folder is (SPEC 9.1)."""

import asyncio
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from serai.core.error import StorageFailed
from serai.jobs.owner import UNTOLD, own
from tests.jobs.stage import disk, fields, looked_at, put
from tests.patience import PATIENCE_S

CLAIMER = """
import sys
from pathlib import Path
from serai.jobs.owner import own
print("ready", flush=True)
sys.stdin.readline()
for at in range(40):
    print(own(Path(sys.argv[1]) / str(at), sys.argv[2]))
"""


async def test_the_first_store_owns_the_folder(cron: Path) -> None:
    jobs = disk()
    assert await jobs.own(cron, "store-1") == "store-1"
    assert await jobs.own(cron, "store-2") == "store-1"
    assert (await looked_at(cron)).owner == "store-1"
    assert stat.S_IMODE((cron / ".owner").stat().st_mode) == 0o600


async def test_whose_it_is_shows_at_once(cron: Path) -> None:
    files = disk()
    assert await files.owner(cron) is None
    await files.own(cron, "one")
    assert await files.owner(cron) == "one"
    await files.adopt(cron, "two")
    assert await files.owner(cron) == "two"
    (cron / ".owner").write_text("")
    assert await files.owner(cron) == ""


async def test_adopting_takes_the_folder_over(cron: Path) -> None:
    jobs = disk()
    await jobs.own(cron, "store-1")
    await jobs.adopt(cron, "store-2")
    assert await jobs.own(cron, "store-1") == "store-2"


async def test_of_many_at_once_one_wins(cron: Path) -> None:
    jobs = disk()
    assert len(set(await asyncio.gather(*(jobs.own(cron, f"store-{at}") for at in range(20))))) == 1


def test_of_two_processes_at_once_one_wins(cron: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, str(cron), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    one, two = (process.communicate(timeout=PATIENCE_S)[0].split() for process in both)
    assert len(one) == 40
    assert one == two


def test_a_folder_system_without_hard_links_has_owners_too(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert own(cron, "store-1") == "store-1"
    monkeypatch.undo()
    assert own(cron, "store-2") == "store-1"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff", b"a\x00b", b"two\nlines", b"x" * 5000])
async def test_an_owner_that_cannot_be_told_is_somebody_else(cron: Path, content: bytes) -> None:
    put(cron, fields())
    (cron / ".owner").write_bytes(content)
    folder = await looked_at(cron)
    assert folder.owner == UNTOLD
    assert [problem.fatal for problem in folder.problems] == [True]
    assert "`serai cron adopt` takes them over" in str(folder.problems[0])
    assert await disk().own(cron, "store-1") == UNTOLD
    assert (cron / ".owner").read_bytes() == content
    await disk().adopt(cron, "store-1")
    assert (await looked_at(cron)).owner == "store-1"


async def test_a_linked_owner_is_somebody_else(cron: Path, tmp_path: Path) -> None:
    put(cron, fields())
    (tmp_path / "mine").write_text("store-1\n")
    (cron / ".owner").symlink_to(tmp_path / "mine")
    assert await disk().own(cron, "store-1") == UNTOLD
    await disk().adopt(cron, "store-2")
    assert (tmp_path / "mine").read_text() == "store-1\n"


async def test_a_folder_that_cannot_be_made_is_told_about(cron: Path) -> None:
    cron.parent.rmdir()
    cron.parent.write_text("x")
    for attempt in (disk().own(cron, "store-1"), disk().adopt(cron, "store-1")):
        with pytest.raises(StorageFailed):
            await attempt
