"""Listing and searching a workspace."""

import os
import unicodedata

import pytest

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools import search
from serai.tools.folder import LISTED_MOST
from serai.tools.search import FOUND_MOST, LINE_MOST

from .conftest import Call


@pytest.fixture
def garden(ops: AgentProfile) -> AgentProfile:
    (ops.workspace / "notes" / "old").mkdir(parents=True)
    (ops.workspace / "notes" / "herbs.md").write_text("Mint grows.\nBasil, too.\nmint again\n")
    (ops.workspace / "notes" / "old" / "trees.MD").write_text("An oak.\n")
    (ops.workspace / "plan.txt").write_text("plant mint\n")
    (ops.workspace / "photo.jpg").write_bytes(b"mint\0mint")
    return ops


async def test_a_folder_is_listed_with_sizes_in_order(call: Call, garden: AgentProfile) -> None:
    (garden.workspace / "shortcut").symlink_to("plan.txt")
    assert await call(garden, "file_list") == "notes/\nphoto.jpg (9)\nplan.txt (11)\nshortcut (link)"
    assert await call(garden, "file_list", path="notes/") == "herbs.md (35)\nold/"
    assert await call(garden, "file_list", path="notes/old/..") == "herbs.md (35)\nold/"


async def test_of_a_crowded_folder_the_first_names_are_listed(call: Call, ops: AgentProfile) -> None:
    for n in range(LISTED_MOST + 7):
        (ops.workspace / f"f{n:04}").touch()
    lines = (await call(ops, "file_list")).splitlines()
    assert lines[0] == "f0000 (0)"
    assert lines[-1] == "[500 of 507 names are shown.]"
    assert len(lines) == LISTED_MOST + 1


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", "notes/herbs.md\nnotes/old/trees.MD"),
        ("plan.txt", "plan.txt"),
        ("p*", "photo.jpg\nplan.txt"),
        ("notes/*", "notes/herbs.md\nnotes/old/trees.MD"),
        ("notes/*.md", "notes/herbs.md\nnotes/old/trees.MD"),
        ("./plan.*", "plan.txt"),
        ("????.txt", "plan.txt"),
        ("*.rs", "[Nothing was found.]"),
        ("[", "[Nothing was found.]"),
    ],
)
async def test_files_are_found_by_name(call: Call, garden: AgentProfile, pattern: str, found: str) -> None:
    assert await call(garden, "file_search", pattern=pattern) == found


async def test_lines_are_found_by_text_in_any_case(call: Call, garden: AgentProfile) -> None:
    assert await call(garden, "file_search", pattern="*", text="MINT") == (
        "plan.txt:1: plant mint\nnotes/herbs.md:1: Mint grows.\nnotes/herbs.md:3: mint again"
    )
    assert await call(garden, "file_search", pattern="*.md", text="m*t") == "[Nothing was found.]"


async def test_accents_are_found_however_they_are_written(call: Call, ops: AgentProfile) -> None:
    name = unicodedata.normalize("NFD", "Menü.txt")
    (ops.workspace / name).write_text(unicodedata.normalize("NFD", "Crème Brûlée"))
    assert await call(ops, "file_search", pattern="menü*", text="brûlée") == f"{name}:1: " + unicodedata.normalize(
        "NFD", "Crème Brûlée"
    )


async def test_results_are_bounded_and_say_so(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "a.txt").write_text("word\n" * 1000)
    (ops.workspace / "b.txt").write_text("letters " * 10_000 + "zebra")
    lines = (await call(ops, "file_search", pattern="*", text="word")).splitlines()
    assert len(lines) == FOUND_MOST + 1
    assert lines[-1].startswith("[Only the first 200 results")
    assert len(await call(ops, "file_search", pattern="*", text="zebra")) < LINE_MOST + 20


async def test_a_search_that_gives_up_says_so(call: Call, ops: AgentProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    (ops.workspace / "a").write_text("tea\n" * 100)
    (ops.workspace / "b").write_text("tea\n" * 100)
    (ops.workspace / "c").write_text("coffee\n")
    monkeypatch.setattr(search, "_BYTES_MOST", 500)
    assert "not searched" in await call(ops, "file_search", pattern="*", text="coffee")
    monkeypatch.setattr(search, "_NAMES_MOST", 2)
    assert "not searched" in await call(ops, "file_search", pattern="d")


async def test_a_workspace_that_cannot_be_opened_is_not_an_empty_one(call: Call, ops: AgentProfile) -> None:
    ops.workspace.rmdir()
    ops.workspace.write_text("a file where the folder should be")
    for tool, arguments in (("file_list", {}), ("file_search", {"pattern": "*"}), ("file_read", {"path": "x"})):
        with pytest.raises(ToolFailed, match="leads through something that is no folder"):
            await call(ops, tool, **arguments)


async def test_patterns_made_to_be_slow_are_not(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / ("a" * 250)).touch()
    assert await call(ops, "file_search", pattern="*a" * 127 + "b") == "[Nothing was found.]"


async def test_folders_that_nobody_may_open_are_passed_over(call: Call, ops: AgentProfile) -> None:
    closed = ops.workspace / "closed"
    closed.mkdir()
    (closed / "x.txt").touch()
    (ops.workspace / "y.txt").touch()
    closed.chmod(0)
    found = "y.txt\nclosed/x.txt" if os.geteuid() == 0 else "y.txt"
    assert await call(ops, "file_search", pattern="*.txt") == found
    closed.chmod(0o700)
