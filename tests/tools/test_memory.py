"""The memory tools: what is kept, what is refused, and that nothing is lost when many write."""

import asyncio
import multiprocessing
import threading
from pathlib import Path

import pytest

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools.memory import CHARACTERS_MOST, Add, add
from tests.patience import PATIENCE_S

from .conftest import Agent, Call


def memory(profile: AgentProfile) -> str:
    return (profile.memories / "MEMORY.md").read_text()


async def test_facts_are_kept_as_list_lines(call: Call, ops: AgentProfile) -> None:
    await call(ops, "memory_add", target="memory", text="the server is called fern")
    await call(ops, "memory_add", target="memory", text="- backups run at night")
    answer = await call(ops, "memory_add", target="user", text="likes tea")
    assert memory(ops) == "- the server is called fern\n- backups run at night\n"
    assert (ops.memories / "USER.md").read_text() == "- likes tea\n"
    assert answer == "Kept. `USER.md` now has 12 of 2,000 characters."
    assert (ops.memories / "MEMORY.md").stat().st_mode & 0o777 == 0o600
    assert ops.memories.stat().st_mode & 0o777 == 0o700


async def test_a_fact_that_is_known_is_not_kept_twice(call: Call, ops: AgentProfile) -> None:
    for text in ("likes tea", "- likes  tea", "likes\ntea "):
        await call(ops, "memory_add", target="memory", text=text)
    assert memory(ops) == "- likes tea\n"


async def test_an_entry_is_replaced_or_removed_by_a_part_of_it(call: Call, ops: AgentProfile) -> None:
    for text in ("likes tea", "lives in Ulm", "has a dog"):
        await call(ops, "memory_add", target="memory", text=text)
    await call(ops, "memory_replace", target="memory", old="Ulm", new="lives in Bern")
    await call(ops, "memory_remove", target="memory", text="tea")
    assert memory(ops) == "- lives in Bern\n- has a dog\n"


async def test_an_unclear_part_changes_nothing_and_shows_the_entries(call: Call, ops: AgentProfile) -> None:
    for text in ("likes tea", "likes tea cups"):
        await call(ops, "memory_add", target="memory", text=text)
    with pytest.raises(
        ToolFailed, match="no entry has the text `coffee`; it holds now:\n- likes tea\n- likes tea cups"
    ):
        await call(ops, "memory_remove", target="memory", text="coffee")
    with pytest.raises(ToolFailed, match="2 entries have the text `likes`"):
        await call(ops, "memory_replace", target="memory", old="likes", new="x")
    with pytest.raises(ToolFailed, match="there are no entries"):
        await call(ops, "memory_remove", target="user", text="coffee")
    await call(ops, "memory_remove", target="memory", text="likes tea")
    assert memory(ops) == "- likes tea cups\n"


async def test_what_people_wrote_around_the_entries_stays(call: Call, ops: AgentProfile) -> None:
    ops.memories.mkdir()
    (ops.memories / "MEMORY.md").write_text(
        "\n# House\n\nThe house is old\nand has a cellar.\n\n- rooms\n  - kitchen\n  - hall\n* garden\n\n## Notes\n"
    )
    await call(ops, "memory_add", target="memory", text="the roof leaks")
    await call(ops, "memory_replace", target="memory", old="kitchen", new="rooms: one")
    await call(ops, "memory_remove", target="memory", text="cellar")
    await call(ops, "memory_remove", target="memory", text="garden")
    assert memory(ops) == "\n# House\n\n\n- rooms: one\n\n## Notes\n- the roof leaks\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("two\nlines", "two lines"),
        ("tab\tand\r\nreturn", "tab and return"),
        ("bell\a and \x1b[31mcolour", "bell and [31mcolour"),
        ("left\u202eright", "leftright"),
        ("nul\0byte", "nulbyte"),
        ("half \ud800 pair", "half pair"),
        ("# no heading", "# no heading"),
        ("family 👩‍👩‍👧", "family 👩‍👩‍👧"),
    ],
)
async def test_an_entry_is_one_clean_line(call: Call, ops: AgentProfile, text: str, kept: str) -> None:
    await call(ops, "memory_add", target="memory", text=text)
    assert memory(ops) == f"- {kept}\n"


@pytest.mark.parametrize("text", ["", "  \n", "- ", "\u202e\0", "\0-\0 \0"])
async def test_nothing_is_no_fact(call: Call, ops: AgentProfile, text: str) -> None:
    with pytest.raises(ToolFailed, match="no text to keep"):
        await call(ops, "memory_add", target="memory", text=text)


@pytest.mark.parametrize(("target", "file"), [("memory", "MEMORY.md"), ("user", "USER.md")])
async def test_a_full_memory_asks_to_be_consolidated(call: Call, ops: AgentProfile, target: str, file: str) -> None:
    most = CHARACTERS_MOST[target]
    await call(ops, "memory_add", target=target, text="x" * (most - 13))
    await call(ops, "memory_add", target=target, text="seven..")
    before = (ops.memories / file).read_text()
    assert len(before) == most
    with pytest.raises(ToolFailed, match=f"`{file}` would have .* merge or remove entries first") as refusal:
        await call(ops, "memory_add", target=target, text="y")
    assert "- seven.." in str(refusal.value)
    with pytest.raises(ToolFailed, match="merge or remove"):
        await call(ops, "memory_replace", target=target, old="seven", new="eight...")
    assert (ops.memories / file).read_text() == before
    await call(ops, "memory_remove", target=target, text="seven")
    await call(ops, "memory_add", target=target, text="y")


async def test_a_file_made_too_long_by_hand_can_be_shortened(call: Call, ops: AgentProfile) -> None:
    ops.memories.mkdir()
    (ops.memories / "MEMORY.md").write_text("".join(f"- fact {n}: {'x' * 100}\n" for n in range(100)))
    await call(ops, "memory_replace", target="memory", old="fact 7:", new="seven")
    await call(ops, "memory_remove", target="memory", text="fact 8:")
    assert "- seven\n- fact 9:" in memory(ops)


async def test_a_file_that_is_no_utf8_is_not_touched(call: Call, ops: AgentProfile) -> None:
    ops.memories.mkdir()
    (ops.memories / "MEMORY.md").write_bytes(b"- caf\xe9\n")
    with pytest.raises(ToolFailed, match="no UTF-8 text"):
        await call(ops, "memory_add", target="memory", text="x")
    assert (ops.memories / "MEMORY.md").read_bytes() == b"- caf\xe9\n"


async def test_a_file_kept_elsewhere_behind_a_link_stays_there(call: Call, agent: Agent, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    profiles = agent("a"), agent("b")
    for profile in profiles:
        profile.memories.mkdir()
        (profile.memories / "USER.md").symlink_to(shared / "USER.md")
    await asyncio.gather(
        *(
            call(profile, "memory_add", target="user", text=f"{profile.id}{n}")
            for profile in profiles
            for n in range(20)
        )
    )
    assert (profiles[0].memories / "USER.md").is_symlink()
    assert len((shared / "USER.md").read_text().splitlines()) == 40


@pytest.mark.parametrize("obstacle", ["folder", "ring"])
async def test_what_is_no_file_is_told(call: Call, ops: AgentProfile, obstacle: str) -> None:
    ops.memories.mkdir()
    path = ops.memories / "MEMORY.md"
    path.mkdir() if obstacle == "folder" else path.symlink_to("MEMORY.md")
    with pytest.raises(ToolFailed, match=r"`MEMORY\.md` is"):
        await call(ops, "memory_add", target="memory", text="x")


async def test_two_sessions_of_an_agent_lose_nothing(call: Call, ops: AgentProfile) -> None:
    await asyncio.gather(*(call(ops, "memory_add", target="memory", text=f"fact {n}") for n in range(100)))
    assert sorted(memory(ops).splitlines()) == sorted(f"- fact {n}" for n in range(100))


def remember(profile: AgentProfile, mark: str, count: int) -> None:
    for n in range(count):
        add(profile, Add("memory", f"{mark}.{n}"))


def test_twenty_threads_lose_nothing(ops: AgentProfile) -> None:
    writers = [threading.Thread(target=remember, args=(ops, f"t{n}", 10)) for n in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE_S)
    assert sorted(memory(ops).splitlines()) == sorted(f"- t{n}.{k}" for n in range(20) for k in range(10))
    assert sorted(path.name for path in ops.memories.iterdir()) == [".lock", "MEMORY.md"]


@pytest.mark.slow
def test_two_processes_lose_nothing(ops: AgentProfile) -> None:
    start = multiprocessing.get_context("spawn").Process
    writers = [start(target=remember, args=(ops, f"p{n}", 50)) for n in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE_S)
        assert writer.exitcode == 0
    assert len(memory(ops).splitlines()) == 100
