"""Folders of a workspace: what is in one, and the tool that lists it (SPEC 7.4)."""

import os
import stat
import unicodedata
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools.failure import told
from serai.tools.tool import Arguments
from serai.tools.workspace import RelativePath, place

LISTED_MOST: Final = 500
SCANNED_MOST: Final = 20_000


class Listing(Arguments, frozen=True):
    path: RelativePath = "."


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a folder. `path` is from the workspace on, as the system has it; `size` is in bytes."""

    path: str
    mode: int
    size: int

    @property
    def shown(self) -> str:
        """Printable UTF-8, whatever bytes the path is made of."""
        text = os.fsencode(self.path).decode("utf-8", "replace")
        return "".join("\ufffd" if unicodedata.category(letter) == "Cc" else letter for letter in text)

    @property
    def name(self) -> str:
        return self.shown.rsplit("/", 1)[-1]


def scan(workspace: Path, folder: str) -> list[Found]:
    """What is in a folder, by name, at most SCANNED_MOST of it. Raises ToolFailed where it is none; OSError."""
    with place(workspace, folder) as at:
        if at.name:
            os.stat(at.name, dir_fd=at.folder, follow_symlinks=False)
            raise ToolFailed(f"`{folder}` is no folder")
        prefix = "" if folder in ("", ".") else f"{folder.rstrip('/')}/"
        with os.scandir(at.folder) as entries:
            found = [_found(at.folder, prefix, entry.name) for entry in islice(entries, SCANNED_MOST)]
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.path)


def _found(folder: int, prefix: str, name: str) -> Found | None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Found(prefix + name, status.st_mode, status.st_size)


def list_folder(profile: AgentProfile, wanted: Listing) -> str:
    """One line for each name, in order, at most LISTED_MOST of them."""
    with told(wanted.path):
        found = scan(profile.workspace, wanted.path)
    lines = [_line(entry) for entry in found[:LISTED_MOST]]
    if len(found) > LISTED_MOST:
        more = "more than " if len(found) >= SCANNED_MOST else ""
        lines.append(f"[{LISTED_MOST} of {more}{len(found):,} names are shown.]")
    return "\n".join(lines) or "[The folder is empty.]"


def _line(entry: Found) -> str:
    if stat.S_ISDIR(entry.mode):
        return f"{entry.name}/"
    if stat.S_ISLNK(entry.mode):
        return f"{entry.name} (link)"
    return f"{entry.name} ({entry.size:,})" if stat.S_ISREG(entry.mode) else f"{entry.name} (no regular file)"
