"""Setting one variable in a `.env` file by a command; every other line stays as it is (SPEC 2.5)."""

import re
from pathlib import Path
from typing import Final

from serai.config.compose import Unreadable
from serai.config.document import decoded
from serai.config.edit import EditError
from serai.config.replace import locked, write

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:+=@%-]+").fullmatch
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]").search


def set_variable(path: Path, name: str, value: str) -> None:
    """Writes `name=value` into the file, which is made (0600) where it is missing. Raises EditError.

    Nothing of the value is repeated in an error.
    """
    if _CONTROL(value):
        raise EditError(f"the value of {name} holds a line break or another control character")
    try:
        with locked(path.parent):
            text = decoded(path.read_bytes()) if path.exists() else ""
            write(path, _with(text, name, value).encode())
    except OSError as error:
        raise EditError(f"{path} cannot be changed: {error.strerror}") from error
    except Unreadable as error:
        raise EditError(f"{path} cannot be changed: {error}") from error


def _with(text: str, name: str, value: str) -> str:
    line = f"{name}={_quoted(value)}"
    set_before = re.compile(rf"^[ \t]*(?:export[ \t]+)?{re.escape(name)}=.*$", re.MULTILINE)
    if set_before.search(text):
        return set_before.sub(lambda _: line, text, count=1)
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{line}\n"


def _quoted(value: str) -> str:
    if _PLAIN(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
