"""The workspace is a prison: what is outside is neither read, written nor listed, by any path."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools.files import Edit, Read, Write, edit_file, read_file, write_file
from serai.tools.folder import Listing, list_folder
from serai.tools.search import Search, search_files
from serai.tools.tool import Arguments

from .conftest import Agent, Call

OUTSIDE = [
    "../SOUL.md",
    "..",
    "a/../../SOUL.md",
    "./.././SOUL.md",
    "deep/../../../ops/SOUL.md",
    "../workspace/../SOUL.md",
    "../workspace/inside.txt",
    "/etc/passwd",
    "//etc/passwd",
    "~",
    "~/SOUL.md",
]

READERS = {"file_read": {}, "file_list": {}, "file_edit": {"old": "persona", "new": "x"}}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def workspace(ops: AgentProfile) -> Path:
    (ops.home / "SOUL.md").write_text("the persona of ops")
    (ops.workspace / "deep").mkdir()
    (ops.workspace / "a").mkdir()
    (ops.workspace / "inside.txt").write_text("inside")
    return ops.workspace


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("tool", READERS)
async def test_paths_that_lead_outside_are_refused(
    call: Call, ops: AgentProfile, workspace: Path, tool: str, path: str
) -> None:
    with pytest.raises(ToolFailed, match=r"outside the workspace|relative to the workspace") as refusal:
        await call(ops, tool, path=path, **READERS[tool])
    assert str(ops.home.parent) not in str(refusal.value)


@pytest.mark.parametrize("path", OUTSIDE)
async def test_nothing_is_written_outside(call: Call, ops: AgentProfile, workspace: Path, path: str) -> None:
    with pytest.raises(ToolFailed, match=r"outside the workspace|relative to the workspace"):
        await call(ops, "file_write", path=path, text="gotcha")
    assert (ops.home / "SOUL.md").read_text() == "the persona of ops"
    assert names(ops.home) == ["SOUL.md", "workspace"]


async def test_dots_that_stay_inside_are_fine(call: Call, ops: AgentProfile, workspace: Path) -> None:
    assert await call(ops, "file_read", path="./a/../deep/.././inside.txt") == "inside"


@pytest.mark.parametrize("target", ["../SOUL.md", "../../ops/SOUL.md", "/etc/passwd", "deep/../../SOUL.md"])
@pytest.mark.parametrize("tool", [*READERS, "file_write"])
async def test_links_that_lead_outside_are_refused(
    call: Call, ops: AgentProfile, workspace: Path, target: str, tool: str
) -> None:
    (workspace / "link").symlink_to(target)
    arguments = READERS.get(tool, {"text": "gotcha"})
    with pytest.raises(ToolFailed, match="outside the workspace"):
        await call(ops, tool, path="link", **arguments)
    assert (ops.home / "SOUL.md").read_text() == "the persona of ops"


async def test_a_linked_folder_outside_cannot_be_entered(call: Call, ops: AgentProfile, workspace: Path) -> None:
    (workspace / "up").symlink_to("..")
    (workspace / "abs").symlink_to(ops.home)
    for path in ("up/SOUL.md", "abs/SOUL.md", "up/workspace/inside.txt", "abs/new/file.txt"):
        with pytest.raises(ToolFailed, match="outside the workspace"):
            await call(ops, "file_write", path=path, text="gotcha")
    assert await call(ops, "file_search", pattern="*") == "inside.txt"
    assert "up (link)" in await call(ops, "file_list")


async def test_a_link_to_a_neighbour_whose_name_begins_alike_is_outside(
    call: Call, ops: AgentProfile, workspace: Path
) -> None:
    neighbour = ops.home / "workspace-other"
    neighbour.mkdir()
    (neighbour / "secret.txt").write_text("secret")
    (workspace / "link").symlink_to(neighbour / "secret.txt")
    with pytest.raises(ToolFailed, match="outside the workspace"):
        await call(ops, "file_read", path="link")


async def test_links_inside_the_workspace_are_followed(call: Call, ops: AgentProfile, workspace: Path) -> None:
    (workspace / "relative").symlink_to("deep/../inside.txt")
    (workspace / "deep" / "up").symlink_to("../inside.txt")
    (workspace / "absolute").symlink_to(workspace / "inside.txt")
    (workspace / "folder").symlink_to(workspace / "deep")
    (workspace / "whole").symlink_to(workspace)
    for path in ("relative", "deep/up", "absolute", "folder/up", "whole/deep/up", "whole/whole/inside.txt"):
        assert await call(ops, "file_read", path=path) == "inside"
    await call(ops, "file_write", path="folder/up", text="changed")
    assert (workspace / "inside.txt").read_text() == "changed"
    assert (workspace / "deep" / "up").is_symlink()


async def test_a_ring_of_links_ends_in_a_sentence(call: Call, ops: AgentProfile, workspace: Path) -> None:
    (workspace / "x").symlink_to("y")
    (workspace / "y").symlink_to("x")
    (workspace / "z").symlink_to("z/z")
    for path in ("x", "z"):
        with pytest.raises(ToolFailed, match="too many links"):
            await call(ops, "file_read", path=path)


async def test_the_workspace_itself_may_be_a_link(
    call: Call, ops: AgentProfile, workspace: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    workspace.rename(elsewhere)
    workspace.symlink_to(elsewhere)
    (elsewhere / "absolute").symlink_to(elsewhere / "inside.txt")
    assert await call(ops, "file_read", path="absolute") == "inside"


async def test_a_missing_workspace_is_made(call: Call, ops: AgentProfile) -> None:
    ops.workspace.rmdir()
    assert await call(ops, "file_list") == "[The folder is empty.]"
    assert ops.workspace.stat().st_mode & 0o777 == 0o700


async def test_another_agents_workspace_cannot_be_reached(call: Call, agent: Agent, ops: AgentProfile) -> None:
    other = agent("other")
    (other.workspace / "secret.txt").write_text("secret")
    (ops.workspace / "link").symlink_to(other.workspace / "secret.txt")
    for path in ("link", "../../other/workspace/secret.txt", str(other.workspace / "secret.txt")):
        with pytest.raises(ToolFailed):
            await call(ops, "file_read", path=path)


async def test_devices_pipes_and_sockets_are_refused_at_once(
    call: Call, ops: AgentProfile, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(workspace / "pipe")
    monkeypatch.chdir(workspace)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for path in ("pipe", "socket"):
            with pytest.raises(ToolFailed, match="no regular file"):
                await call(ops, "file_read", path=path)
            with pytest.raises(ToolFailed, match="no regular file"):
                await call(ops, "file_write", path=path, text="x")
        assert "pipe (no regular file)" in await call(ops, "file_list")
        assert "pipe" not in await call(ops, "file_search", pattern="*")


@pytest.mark.parametrize("path", ["nul\0byte", "line\nbreak", "bell\a", "lone\ud800surrogate", "escaped\udcff"])
@pytest.mark.parametrize("tool", ["file_read", "file_write"])
async def test_names_that_are_no_names_are_refused(call: Call, ops: AgentProfile, tool: str, path: str) -> None:
    with pytest.raises(ToolFailed, match="a name cannot have") as refusal:
        await call(ops, tool, path=path, **({"text": "x"} if tool == "file_write" else {}))
    str(refusal.value).encode()


@pytest.mark.parametrize("path", ["Notizen/Übergröße.md", "日本語/ファイル.txt", "👩‍🚀.txt", "نص.txt", "a b/c d"])
async def test_names_in_any_script_work(call: Call, ops: AgentProfile, path: str) -> None:
    await call(ops, "file_write", path=path, text=path)
    assert await call(ops, "file_read", path=path) == path
    assert (ops.workspace / path).read_text() == path


async def test_a_name_that_is_no_utf8_is_listed_in_utf8(call: Call, ops: AgentProfile) -> None:
    with open(os.fsencode(ops.workspace) + b"/caf\xe9\n.txt", "wb"):  # noqa: PTH123 (the name is bytes)
        pass
    assert await call(ops, "file_list") == "caf\ufffd\ufffd.txt (0)"
    assert await call(ops, "file_search", pattern="*.txt") == "caf\ufffd\ufffd.txt"
    assert await call(ops, "file_search", pattern="*.txt", text="x") == "[Nothing was found.]"


async def test_very_long_and_very_deep_paths_end_in_a_sentence(call: Call, ops: AgentProfile) -> None:
    with pytest.raises(ToolFailed, match="too long a name"):
        await call(ops, "file_write", path="x" * 300, text="")
    with pytest.raises(ToolFailed, match="64 folders deep"):
        await call(ops, "file_write", path="d/" * 70 + "x", text="")
    with pytest.raises(ToolFailed, match="`path`"):
        await call(ops, "file_write", path="d/" * 4000 + "x", text="")


async def test_walking_leaves_no_descriptor_open(call: Call, ops: AgentProfile, workspace: Path) -> None:
    (workspace / "whole").symlink_to(workspace)
    (workspace / "out").symlink_to("../..")
    before = len(names(Path("/dev/fd")))
    for path in ("inside.txt", "a/b/c", "whole/deep/../inside.txt", "out/x", "../x", "inside.txt/x", "d/" * 70, "a"):
        for tool in ("file_read", "file_list"):
            try:
                await call(ops, tool, path=path)
            except ToolFailed:
                continue
    assert len(names(Path("/dev/fd"))) == before


STEPS = ("open", "stat", "readlink", "mkdir", "replace", "unlink")


class Swap:
    """Just before the system call of number `at`, puts a link to `outside` in the place of `name`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: Path, outside: Path, at: int) -> None:
        self.calls = 0
        self._name, self._outside, self._at = name, outside, at
        for step in STEPS:
            monkeypatch.setattr(os, step, partial(self._step, getattr(os, step)))

    def _step(self, real: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == self._at:
            self._name.rename(self._name.with_name("aside"))
            self._name.symlink_to(self._outside)
        return real(*arguments, **options)


READ = (read_file, Read("dir/file.txt"))
WRITE = (write_file, Write("dir/new.txt", "mine"))
EDIT = (edit_file, Edit("dir/file.txt", "mine", "changed"))
LIST = (list_folder, Listing("dir"))
FIND = (search_files, Search("*.txt", "e"))


@pytest.mark.parametrize(
    ("work", "wanted"), [READ, WRITE, EDIT, LIST, FIND], ids=["read", "write", "edit", "list", "find"]
)
@pytest.mark.parametrize("swapped", ["dir", "dir/file.txt"])
def test_swapping_in_a_link_before_any_system_call_never_leads_outside(
    ops: AgentProfile, tmp_path: Path, work: Callable[..., str], wanted: Arguments, swapped: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text("secret")
    at, answers = 0, set[str]()
    while True:
        at += 1
        rmtree(ops.workspace)
        (ops.workspace / "dir").mkdir(parents=True)
        (ops.workspace / "dir" / "file.txt").write_text("mine")
        target = outside if swapped == "dir" else outside / "file.txt"
        with pytest.MonkeyPatch.context() as monkeypatch:
            swap = Swap(monkeypatch, ops.workspace / swapped, target, at)
            try:
                answers.add(work(ops, wanted))
            except ToolFailed as refusal:
                answers.add(str(refusal))
        assert names(outside) == ["file.txt"]
        assert (outside / "file.txt").read_text() == "secret"
        if swap.calls < at:
            break
    assert at > 3
    assert not [answer for answer in answers if "secret" in answer or f"({len('secret')})" in answer]
