"""`serai cron list` on a terminal: a table where it fits, else two lines for each run (SPEC 12)."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.cli.cron_home import CONFIG, JOBS, REPORT, store_missed, write_cron_home, write_jobs
from tests.cli.terminal import Terminal
from tests.process.terminal import terminal

pytestmark = pytest.mark.slow

RED = "\x1b[31m"


async def drawn(serai: Terminal, columns: int, *words: str, zone: str = "UTC") -> str:
    """What a terminal that wide shows, with colours."""
    environment = {"SERAI_HOME": str(serai.home), "HOME": str(serai.home.parent), "TZ": zone, "COLUMNS": str(columns)}
    async with terminal(["-m", "serai", *words], {**environment, "TERM": "xterm-256color"}) as screen:
        assert await screen.ended() == 0
        return screen.rest()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]


async def test_80_columns_get_two_lines_for_each_run(serai: Terminal) -> None:
    write_cron_home(serai)
    await asyncio.to_thread(store_missed, serai)
    text = await drawn(serai, 80, "cron", "list")
    shown = lines(text)
    assert max(map(len, shown)) <= 80
    first, second, third, fourth = shown[:4]
    assert re.fullmatch(rf"\w{{3}} \d{{4}}-\d\d-\d\d 09:00 +Morning report  in \d+ \w+  {REPORT}", first)
    assert re.fullmatch(
        r"Europe/Berlin \(0[78]:00 here\) +ops · 0 9 \* \* 1-5 · to local · missed \d+ \w+ ago", second
    )
    assert third.startswith("Mon 2998-12-24 18:00")
    assert fourth.startswith("Asia/Tokyo (09:00 here)")
    assert f"{RED}missed" in text or ";31mmissed" in text


async def test_120_columns_get_a_table_whose_head_names_the_zone_that_all_jobs_have(serai: Terminal) -> None:
    serai.write(CONFIG)
    write_jobs(serai, JOBS)
    heads, _, row, *_ = lines(await drawn(serai, 120, "cron", "list", zone="Europe/Berlin"))
    assert re.split("  +", heads) == [
        "id",
        "name",
        "agent",
        "schedule",
        "next, Europe/Berlin",
        "in",
        "last",
        "deliver",
    ]
    assert re.search(r" \w{3} \d{4}-\d\d-\d\d 09:00 +in ", row)


async def test_problems_are_red_and_name_their_file(serai: Terminal) -> None:
    serai.write(CONFIG)
    serai.write("{", "agents/ops/cron/jobs.json")
    text = await drawn(serai, 80, "cron", "list")
    assert f"{RED}Error: ~/{Path('home/agents/ops/cron/jobs.json')}: " in text


async def test_remove_asks_on_a_terminal(serai: Terminal) -> None:
    write_cron_home(serai)
    environment = {"SERAI_HOME": str(serai.home), "HOME": str(serai.home.parent)}
    async with terminal(["-m", "serai", "cron", "remove", "morn"], environment) as screen:
        await screen.expect("Remove job Morning report (0 9 * * 1-5) of agent `ops`? [y/N]")
        screen.type("y\r")
        await screen.expect("Removed job Morning report")
        assert await screen.ended() == 0


async def test_an_editor_is_opened_again_where_what_it_left_is_no_job(serai: Terminal) -> None:
    write_cron_home(serai)
    mark = serai.home / "opened"
    editor = serai.home / "editor"
    spoils, mends = 'sed -i s/9/nine/ "$1"', 'sed -i s/nine/7/ "$1"'
    editor.write_text(f"#!/bin/sh\nif test -e {mark}; then {mends}; else touch {mark}; {spoils}; fi\n")
    editor.chmod(0o700)
    environment = {"SERAI_HOME": str(serai.home), "HOME": str(serai.home.parent), "EDITOR": str(editor)}
    async with terminal(["-m", "serai", "cron", "edit", "morn"], environment) as screen:
        await screen.expect("Open it again? [Y/n]")
        screen.type("y\r")
        await screen.expect("Changed job")
        assert await screen.ended() == 0
