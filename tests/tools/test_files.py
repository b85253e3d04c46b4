"""The files tools, as a model meets them."""

import asyncio
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools.files import READ_MOST, WRITE_MOST
from tests.patience import PATIENCE_S

from .conftest import Call

MANY = "".join(f"line {n}: grüße\n" for n in range(20_000))


async def test_what_was_written_is_read_back(call: Call, ops: AgentProfile) -> None:
    assert await call(ops, "file_write", path="notes/today.md", text="tea\n") == "Wrote 4 bytes to `notes/today.md`."
    assert await call(ops, "file_read", path="notes/today.md") == "tea\n"
    assert (ops.workspace / "notes" / "today.md").stat().st_mode & 0o777 == 0o600


async def test_a_long_file_is_read_in_pieces_that_join_without_a_gap(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "long.txt").write_text(MANY)
    whole, offset = "", 0
    while True:
        piece = await call(ops, "file_read", path="long.txt", offset=offset, limit=10_001)
        text, _, note = piece.rpartition("\n[")
        if not note.startswith("Bytes"):
            whole += piece
            break
        whole += text
        offset = int(note.partition("offset=")[2].removesuffix(".]"))
    assert whole == MANY
    assert "\ufffd" not in whole


async def test_one_call_reads_no_more_than_its_share(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "huge.txt").write_text("y" * (READ_MOST + 1))
    answer = await call(ops, "file_read", path="huge.txt")
    assert (
        answer == "y" * READ_MOST + f"\n[Bytes 0 to {READ_MOST} of {READ_MOST + 1}. Go on with offset={READ_MOST}.]"
    )
    with pytest.raises(ToolFailed, match="`limit`"):
        await call(ops, "file_read", path="huge.txt", limit=READ_MOST + 1)


async def test_a_file_of_many_gigabytes_is_read_from_any_byte(call: Call, ops: AgentProfile) -> None:
    with (ops.workspace / "huge.txt").open("wb") as file:
        file.truncate(2**36)
        file.seek(2**36)
        file.write(b"the end")
    assert await call(ops, "file_read", path="huge.txt", offset=2**36) == "the end"
    assert await call(ops, "file_read", path="huge.txt", offset=2**50) == f"[The file ends at byte {2**36 + 7}.]"
    with pytest.raises(ToolFailed, match="no text file"):
        await call(ops, "file_read", path="huge.txt")
    with pytest.raises(ToolFailed, match="longer than 1,048,576 bytes"):
        await call(ops, "file_edit", path="huge.txt", old="the", new="an")
    assert await call(ops, "file_search", pattern="*", text="the end") == "[Nothing was found.]"


async def test_an_empty_file_says_so(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "empty").touch()
    assert await call(ops, "file_read", path="empty") == "[The file is empty.]"


async def test_bytes_that_are_no_utf8_are_shown_replaced_and_never_edited(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "latin.txt").write_bytes(b"caf\xe9\n")
    assert await call(ops, "file_read", path="latin.txt") == "caf\ufffd\n"
    with pytest.raises(ToolFailed, match="no UTF-8 text"):
        await call(ops, "file_edit", path="latin.txt", old="caf", new="tea")
    assert (ops.workspace / "latin.txt").read_bytes() == b"caf\xe9\n"


async def test_binary_files_are_named_not_shown(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(ToolFailed, match=r"`logo.png` is no text file \(16 bytes\)"):
        await call(ops, "file_read", path="logo.png")


async def test_writing_over_the_limit_changes_nothing(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "a.txt").write_text("before")
    with pytest.raises(ToolFailed, match="1,048,577 bytes are more than the 1,048,576 allowed"):
        await call(ops, "file_write", path="a.txt", text="x" * (WRITE_MOST + 1))
    assert (ops.workspace / "a.txt").read_text() == "before"
    await call(ops, "file_write", path="a.txt", text="x" * WRITE_MOST)
    with pytest.raises(ToolFailed, match="more than"):
        await call(ops, "file_edit", path="a.txt", old="x" * (WRITE_MOST), new="y" * (WRITE_MOST + 1))


async def test_an_edit_replaces_the_only_occurrence(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    await call(ops, "file_edit", path="a.txt", old="two", new="2")
    assert (ops.workspace / "a.txt").read_bytes() == b"one\r\n2\r\n"


@pytest.mark.parametrize(("old", "why"), [("o", "occurs 2 times"), ("three", "does not occur"), ("", "`old`")])
async def test_an_edit_that_is_not_clear_changes_nothing(call: Call, ops: AgentProfile, old: str, why: str) -> None:
    (ops.workspace / "a.txt").write_text("one two")
    with pytest.raises(ToolFailed, match=why):
        await call(ops, "file_edit", path="a.txt", old=old, new="x")
    assert (ops.workspace / "a.txt").read_text() == "one two"


async def test_a_rewritten_script_stays_executable(call: Call, ops: AgentProfile) -> None:
    script = ops.workspace / "run.sh"
    script.write_text("echo 1\n")
    script.chmod(0o750)
    await call(ops, "file_edit", path="run.sh", old="1", new="2")
    await call(ops, "file_write", path="run.sh", text="echo 3\n")
    assert script.stat().st_mode & 0o777 == 0o750


async def test_edits_that_meet_are_all_kept(call: Call, ops: AgentProfile) -> None:
    words = [f"<{n}>" for n in range(40)]
    (ops.workspace / "a.txt").write_text(" ".join(words))
    await asyncio.gather(*(call(ops, "file_edit", path="a.txt", old=word, new=f"done{word[1:-1]}") for word in words))
    assert (ops.workspace / "a.txt").read_text() == " ".join(f"done{n}" for n in range(40))


async def test_folders_and_missing_files_are_told_apart(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "d").mkdir()
    (ops.workspace / "f").touch()
    for tool, arguments in (("file_read", {}), ("file_write", {"text": ""}), ("file_edit", {"old": "a", "new": ""})):
        with pytest.raises(ToolFailed, match="`d` is a folder"):
            await call(ops, tool, path="d", **arguments)
        with pytest.raises(ToolFailed, match=r"`f/x` leads through something that is no folder"):
            await call(ops, tool, path="f/x", **arguments)
    for path in ("nothing", "no/thing"):
        for tool, arguments in (("file_read", {}), ("file_list", {}), ("file_edit", {"old": "a", "new": ""})):
            with pytest.raises(ToolFailed, match=f"`{path}` does not exist"):
                await call(ops, tool, path=path, **arguments)
    with pytest.raises(ToolFailed, match="`f` is no folder"):
        await call(ops, "file_list", path="f")


async def test_text_that_no_file_can_hold_is_replaced(call: Call, ops: AgentProfile) -> None:
    await call(ops, "file_write", path="a.txt", text="lone \ud800 half")
    assert (ops.workspace / "a.txt").read_text() == "lone ? half"


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(
    call: Call, ops: AgentProfile
) -> None:
    (ops.workspace / "a.txt").write_text("before")
    with no_file_over(4096), pytest.raises(ToolFailed, match=r"`a\.txt` was not written"):
        await call(ops, "file_write", path="a.txt", text="x" * 100_000)
    assert (ops.workspace / "a.txt").read_text() == "before"
    assert [path.name for path in ops.workspace.iterdir()] == ["a.txt"]


FULL_DISK = """
from pathlib import Path
from serai.core.error import ToolFailed
from serai.core.ids import AgentId
from serai.core.profile import AgentProfile
from serai.tools import files, memory
from tests.patience import PATIENCE_S

profile = AgentProfile(AgentId("ops"), Path("{home}"))
works = (
    (files.write_file, files.Write("a.txt", "x" * 500_000)),
    (files.write_file, files.Write("new/b.txt", "x" * 500_000)),
    (files.edit_file, files.Edit("old.txt", "tea", "x" * 500_000)),
    (memory.add, memory.Add("memory", "likes tea")),
)
for work, arguments in works:
    try:
        print("done", work(profile, arguments))
    except ToolFailed as error:
        print("failed", error)
print(files.read_file(profile, files.Read("old.txt")))
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs Linux namespaces to mount a disk of its own")
@pytest.mark.parametrize(
    ("mount", "why", "failures"),
    [("size=64k", "the disk is full", 3), ("ro", "the file system is read-only", 4)],
)
def test_a_full_disk_and_a_read_only_home_are_told_in_a_sentence(
    tmp_path: Path, mount: str, why: str, failures: int
) -> None:
    disk = f"mount -t tmpfs -o size=64k disk {tmp_path} && mkdir {tmp_path}/workspace {tmp_path}/memories"
    fill = f"{disk} && echo -n tea > {tmp_path}/workspace/old.txt && mount -o remount,{mount} {tmp_path}"
    script = FULL_DISK.replace("{home}", str(tmp_path))
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", f'{fill} || exit 77; exec "$0" -c "$1"', sys.executable, script],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a disk of their own")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.startswith("failed") and why in line for line in lines) == failures
    assert str(tmp_path) not in done.stdout
    assert lines[-1] == "tea"


async def test_a_deleted_file_is_gone_and_nothing_else(call: Call, ops: AgentProfile) -> None:
    for name in ("a.txt", "b.txt"):
        (ops.workspace / name).write_text(name)
    assert await call(ops, "delete_file", path="a.txt") == "Deleted `a.txt`."
    assert [file.name for file in ops.workspace.iterdir()] == ["b.txt"]
    with pytest.raises(ToolFailed, match="does not exist"):
        await call(ops, "delete_file", path="a.txt")


async def test_folders_and_what_lies_outside_are_not_deleted(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "folder").mkdir()
    outside = ops.home / "SOUL.md"
    outside.write_text("me")
    (ops.workspace / "link").symlink_to(outside)
    for path, why in (
        ("folder", "is a folder"),
        ("link", "outside"),
        ("../SOUL.md", "outside"),
        (".", "is a folder"),
    ):
        with pytest.raises(ToolFailed, match=why):
            await call(ops, "delete_file", path=path)
    assert outside.exists()
