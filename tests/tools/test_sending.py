"""`send_file` and the inbox, on a real disk."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serai.core.error import FetchFailed, ToolFailed
from serai.core.ids import SessionId, TurnId
from serai.core.profile import AgentProfile
from serai.ports.tool import ToolContext
from serai.tools.inbox import WorkspaceInbox
from serai.tools.sending import SEND_MOST, SendFile
from serai.tools.thread import AgentThreads


@pytest.fixture
def threads() -> Iterator[AgentThreads]:
    made = AgentThreads()
    yield made
    made.close()


def context(profile: AgentProfile, call: str = "c1") -> ToolContext:
    return ToolContext(profile, SessionId("ses_1"), TurnId(7), call)


async def test_what_is_sent_is_what_was_there_when_the_tool_ran(ops: AgentProfile, threads: AgentThreads) -> None:
    tool = SendFile(threads, "")
    file = ops.workspace / "plan.pdf"
    file.write_bytes(b"first")
    assert await tool.run(context(ops), {"path": "plan.pdf"}) == "`plan.pdf` (5 bytes) goes along with your answer."
    file.write_bytes(b"another")
    sent = tool.enclosure(context(ops), {"path": "plan.pdf"})
    assert sent is not None
    assert (sent.name, sent.media_type, sent.size) == ("plan.pdf", "application/pdf", 5)
    assert Path(sent.path).read_bytes() == b"first"
    assert not Path(sent.path).is_relative_to(ops.workspace)
    other = tool.enclosure(context(ops, "c2"), {"path": "plan.pdf"})
    assert other is None, "another call is another file"


@pytest.mark.parametrize(
    ("path", "why"),
    [("folder", "is a folder"), ("../SOUL.md", "outside"), ("link", "outside"), ("none.txt", "does not exist")],
)
async def test_only_files_of_the_workspace_are_sent(
    ops: AgentProfile, threads: AgentThreads, path: str, why: str
) -> None:
    (ops.workspace / "folder").mkdir()
    (ops.home / "SOUL.md").write_text("me")
    (ops.workspace / "link").symlink_to(ops.home / "SOUL.md")
    with pytest.raises(ToolFailed, match=why):
        await SendFile(threads, "").run(context(ops), {"path": path})


async def test_a_file_that_is_too_large_and_wrong_arguments_are_refused(
    ops: AgentProfile, threads: AgentThreads
) -> None:
    with (ops.workspace / "huge.bin").open("wb") as file:
        file.truncate(SEND_MOST + 1)
    with pytest.raises(ToolFailed, match="longer than"):
        await SendFile(threads, "").run(context(ops), {"path": "huge.bin"})
    with pytest.raises(ToolFailed, match="wrong arguments"):
        await SendFile(threads, "").run(context(ops), {"file": "huge.bin"})


async def test_copies_are_forgotten_after_a_week(ops: AgentProfile, threads: AgentThreads) -> None:
    tool = SendFile(threads, "")
    (ops.workspace / "a.txt").write_text("a")
    await tool.run(context(ops, "old"), {"path": "a.txt"})
    old = tool.enclosure(context(ops, "old"), {"path": "a.txt"})
    assert old is not None
    week_ago = time.time() - 8 * 86400
    os.utime(Path(old.path).parent, (week_ago, week_ago))
    await tool.run(context(ops, "new"), {"path": "a.txt"})
    assert tool.enclosure(context(ops, "old"), {"path": "a.txt"}) is None
    assert tool.enclosure(context(ops, "new"), {"path": "a.txt"}) is not None


async def test_an_inbox_keeps_and_reads_inside_of_the_workspace_alone(
    ops: AgentProfile, threads: AgentThreads
) -> None:
    inbox = WorkspaceInbox(threads)
    assert await inbox.read(ops, "inbox/1/a.txt", 10) is None
    await inbox.keep(ops, "inbox/1/a.txt", b"hello")
    assert (ops.workspace / "inbox" / "1" / "a.txt").read_bytes() == b"hello"
    assert (ops.workspace / "inbox" / "1" / "a.txt").stat().st_mode & 0o777 == 0o600
    assert await inbox.read(ops, "inbox/1/a.txt", 10) == b"hello"
    assert await inbox.read(ops, "inbox/1/a.txt", 4) is None
    (ops.workspace / "inbox" / "2").symlink_to(ops.home)
    with pytest.raises(FetchFailed, match="could not be kept"):
        await inbox.keep(ops, "inbox/2/SOUL.md", b"evil")
    assert not (ops.home / "SOUL.md").exists()
