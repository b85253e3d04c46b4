"""The text of a skill that a job is given (SPEC 2.2, 9.2)."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from tests.jobs.stage import disk
from tests.patience import PATIENCE_S


async def test_a_skill_is_read(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "SKILL.md").write_text("Read the news.")
    assert await disk().read_skill(tmp_path, "news") == "Read the news."
    assert await disk().read_skill(tmp_path, "weather") is None


async def test_a_skill_that_is_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    pipe = tmp_path / "news" / "SKILL.md"
    os.mkfifo(pipe)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await disk().read_skill(tmp_path, "news") is None
    finally:
        with suppress(OSError):  # lets go of a thread that waits for somebody who writes
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
