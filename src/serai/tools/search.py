"""Finding files by name and lines by text in a workspace (SPEC 7.4).

The text is plain, not a regular expression: one that a model wrote could keep the whole process busy.
"""

import re
import stat
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.tools import disk
from serai.tools.failure import told
from serai.tools.folder import Found, scan
from serai.tools.tool import Arguments
from serai.tools.workspace import place

FOUND_MOST: Final = 200
LINE_MOST: Final = 200
"""Characters of a found line that are shown."""

_NAMES_MOST: Final = 20_000
_BYTES_MOST: Final = 32 * 1024 * 1024
_FILE_MOST: Final = 1024 * 1024


class Search(Arguments, frozen=True):
    pattern: Annotated[
        str,
        Meta(
            description="File names to find, like `*.md`; `*` stands for anything, `?` for one character. With a `/` "
            "it is compared with the whole path, like `notes/*`.",
            min_length=1,
            max_length=256,
        ),
    ]
    text: Annotated[str | None, Meta(description="Only lines with this text, in any case, in the files found.")] = (
        None
    )


def search_files(profile: AgentProfile, wanted: Search) -> str:
    """Paths of the files whose name matches or, with a text, `path:line number: line` of the lines that have it.

    Links are not followed. The search stops at FOUND_MOST results, and says so.
    """
    search = _Search(profile.workspace)
    files = _matching(search.files(), wanted.pattern)
    results = search.lines(files, wanted.text) if wanted.text else (file.shown for file in files)
    with told("."):
        lines = list(islice(results, FOUND_MOST + 1))
    if len(lines) > FOUND_MOST:
        lines[FOUND_MOST:] = [f"[Only the first {FOUND_MOST} results are shown; search for something narrower.]"]
    elif search.cut:
        lines.append("[The workspace is too large; a part of it was not searched.]")
    return "\n".join(lines) or "[Nothing was found.]"


class _Search:
    """One search; `cut` when it left something out, for it looks at so many names and bytes only."""

    def __init__(self, workspace: Path) -> None:
        self.cut = False
        self._workspace = workspace
        self._names = _NAMES_MOST
        self._bytes = _BYTES_MOST

    def files(self) -> Iterator[Found]:
        """All regular files, folder by folder. Folders below that vanish or cannot be opened are passed over."""
        folders = deque(["."])
        while folders and not self.cut:
            folder = folders.popleft()
            try:
                found = scan(self._workspace, folder)
            except (OSError, ToolFailed):
                if folder == ".":
                    raise
                continue
            self._names -= len(found)
            self.cut = self._names < 0
            folders.extend(entry.path for entry in found if stat.S_ISDIR(entry.mode))
            yield from (entry for entry in found if stat.S_ISREG(entry.mode))

    def lines(self, files: Iterable[Found], text: str) -> Iterator[str]:
        wanted = _plain(text)
        for file in files:
            self._bytes -= min(file.size, _FILE_MOST)
            if self._bytes < 0:
                self.cut = True
                return
            content = self._content(file)
            if wanted in _plain(content):
                yield from _hits(file, content, wanted)

    def _content(self, file: Found) -> str:
        """The text of a file; nothing where it is large, no text, or gone."""
        try:
            with place(self._workspace, file.path) as at:
                data = disk.read(at.folder, at.name, file.path, _FILE_MOST)
        except (OSError, ToolFailed):
            return ""
        return "" if b"\0" in data else data.decode("utf-8", "replace")


def _hits(file: Found, content: str, wanted: str) -> Iterator[str]:
    for n, line in enumerate(content.splitlines(), 1):
        if wanted in _plain(line):
            yield f"{file.shown}:{n}: {line.strip()[:LINE_MOST]}"


def _matching(files: Iterable[Found], pattern: str) -> Iterator[Found]:
    whole = "/" in pattern
    matches = re.compile(translate(_plain(pattern.removeprefix("./")))).match
    return (file for file in files if matches(_plain(file.shown if whole else file.name)))


def _plain(text: str) -> str:
    """For comparing: the same however a text's accents and case are written."""
    return unicodedata.normalize("NFC", text).casefold()
