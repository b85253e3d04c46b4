"""An entry of the log, as a terminal shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serai.cli.moment import local_time
from serai.cli.printable import one_line

_HEAD = ("timestamp", "level", "logger", "event")


def log_line(entry: Mapping[str, Any]) -> str:
    """`2026-11-22 11:05:09 warning up: the sentence  key=value`, on one line."""
    head = f"{_moment(entry.get('timestamp'))} {entry.get('level', '-'):<7} {entry.get('logger', '-')}: "
    rest = "".join(f"  {key}={value}" for key, value in entry.items() if key not in _HEAD)
    return one_line(f"{head}{entry.get('event', '')}{rest}")


def _moment(text: object) -> str:
    try:
        return local_time(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        return "-" * len("2026-11-22 11:05:09")
