"""Runs a client's cases and prints what came of each, one JSON document a line. Nothing may leave this machine."""

import json
import os
import sys
import traceback
from collections.abc import Callable

URL = os.environ.get("SERAI_URL", "")
KEY = os.environ.get("SERAI_KEY", "")
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAAB"
    "JRU5ErkJggg=="
)
CASES: list[Callable[[], object]] = []


def case(work: Callable[[], object]) -> Callable[[], object]:
    """Marks a case; what it returns is compared by the test."""
    CASES.append(work)
    return work


def main() -> None:
    sys.addaudithook(_stay)
    for work in CASES:
        try:
            told = {"case": work.__name__, "value": work()}
        except BaseException:  # noqa: BLE001 - the next case shall run all the same
            told = {"case": work.__name__, "error": traceback.format_exc()}
        print(json.dumps(told), flush=True)


def _stay(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise PermissionError(f"a client wanted to connect to {host}")
    elif event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "::1", "localhost", None):
        raise PermissionError(f"a client looked for {arguments[0]!r}")
