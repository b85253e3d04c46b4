"""`serai logs`: the latest entries, and those that are being written (SPEC 12, 15)."""

import json
import threading
import time
from pathlib import Path

from serai.cli.log_file import Wanted, following
from serai.cli.logs import LEVELS
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_S

ALL = Wanted(LEVELS)


def entry(event: str, level: str = "info", **more: object) -> str:
    document = {"event": event, "level": level, "logger": "up", "timestamp": "2026-11-22T10:05:09Z", **more}
    return json.dumps(document) + "\n"


def test_the_latest_entries_are_printed_oldest_first(serai: Terminal) -> None:
    serai.write("".join(entry(f"event {n}") for n in range(5)), "logs/serai.log")
    lines = serai("logs", "-n", "2", TZ="UTC").out.splitlines()
    assert [line.partition(" info ")[2].strip() for line in lines] == ["up: event 3", "up: event 4"]


def test_older_files_are_read_where_the_newest_has_too_few(serai: Terminal) -> None:
    serai.write(entry("third"), "logs/serai.log")
    serai.write(entry("first") + entry("second"), "logs/serai.log.1")
    serai.write(entry("zeroth"), "logs/serai.log.2")
    events = [one["event"] for one in serai("logs", "-n", "3", "--json").document["data"]]
    assert events == ["first", "second", "third"]


def test_entries_are_chosen_by_level_and_agent(serai: Terminal) -> None:
    serai.write(
        entry("a", "debug", agent="ops") + entry("b", "error", agent="ops") + entry("c", "warning"), "logs/serai.log"
    )
    assert [one["event"] for one in serai("logs", "--level", "warning", "--json").document["data"]] == ["b", "c"]
    assert [one["event"] for one in serai("logs", "--agent", "ops", "--json").document["data"]] == ["a", "b"]


def test_a_line_that_a_crash_has_cut_is_left_out(serai: Terminal) -> None:
    serai.write(entry("whole") + '{"event": "cu', "logs/serai.log")
    assert [one["event"] for one in serai("logs", "--json").document["data"]] == ["whole"]


def test_what_strangers_said_cannot_drive_the_terminal(serai: Terminal) -> None:
    serai.write(entry("a\x1b[2Jb", text="c\nd"), "logs/serai.log")
    said = serai("logs").out
    assert "\x1b" not in said
    assert len(said.splitlines()) == 1


def test_without_a_log_nothing_is_wrong(serai: Terminal) -> None:
    said = serai("logs")
    assert (said.code, said.out) == (0, "No log yet\n")
    assert serai("logs", "--json").document["data"] == []


def test_following_goes_on_over_a_rotation(tmp_path: Path) -> None:
    file = tmp_path / "serai.log"
    file.write_text(entry("old"))
    events: list[str] = []

    def follow() -> None:
        for one in following(file, ALL):
            events.append(one["event"])
            if one["event"] == "first of the new file":
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    with file.open("a") as writer:
        while not events:  # until it has begun to follow
            print(entry("new"), end="", file=writer, flush=True)
            time.sleep(0.05)
        print(entry("last of the old file"), end="", file=writer, flush=True)
    file.rename(tmp_path / "serai.log.1")
    file.write_text(entry("first of the new file"))
    follower.join(PATIENCE_S)
    assert list(dict.fromkeys(events)) == ["new", "last of the old file", "first of the new file"]
