"""The toolset `memory`: what an agent keeps from one conversation to the next (SPEC 7.4, 16.4).

The two files are short on purpose, since they stand in the prompt of every session. That is also why there is no tool
for reading them; a tool that cannot do what was asked tells what the file holds now.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.ports.tool import Tool
from serai.tools import disk
from serai.tools.entry import Entry, added, cleaned, entries, replaced
from serai.tools.failure import told
from serai.tools.thread import AgentThreads
from serai.tools.tool import Arguments, blocking_tool

Target = Annotated[
    Literal["memory", "user"], Meta(description="`user` for facts about the person, `memory` for everything else.")
]
Part = Annotated[str, Meta(description="A part of the entry's text that no other entry has.", min_length=1)]

FILES: Final[Mapping[str, str]] = {"memory": "MEMORY.md", "user": "USER.md"}

CHARACTERS_MOST: Final[Mapping[str, int]] = {"memory": 4000, "user": 2000}
"""How long each file may become. A longer one, written by hand, may still be shortened."""

GUIDANCE: Final = (
    "Keep facts that will matter in later conversations with the memory tools, one short sentence each. "
    "What you keep is shown to you at the start of the next conversation."
)

_BYTES_MOST: Final = 256 * 1024
_INVENTORY_MOST: Final = 8000
_LOCK: Final = ".lock"


class Add(Arguments, frozen=True):
    target: Target
    text: Annotated[str, Meta(description="The fact to keep, in one sentence.")]


class Replace(Arguments, frozen=True):
    target: Target
    old: Part
    new: Annotated[str, Meta(description="The whole new text of the entry.")]


class Remove(Arguments, frozen=True):
    target: Target
    text: Part


def memory_tools(threads: AgentThreads) -> Sequence[Tool]:
    """The three tools. None may be repeated: in between, another session may have changed the file."""
    return (
        blocking_tool("memory_add", "Keeps a new fact.", Add, add, threads, guidance=GUIDANCE),
        blocking_tool("memory_replace", "Replaces a whole entry.", Replace, replace, threads, guidance=GUIDANCE),
        blocking_tool("memory_remove", "Forgets an entry.", Remove, remove, threads, guidance=GUIDANCE),
    )


def add(profile: AgentProfile, wanted: Add) -> str:
    """Appends an entry; one that is already there is left alone."""
    new = _worded(wanted.text)

    def change(text: str) -> str:
        return text if any(entry.text == new for entry in entries(text)) else added(text, new)

    return _done(wanted.target, "Kept", _change(profile, wanted.target, change))


def replace(profile: AgentProfile, wanted: Replace) -> str:
    new = _worded(wanted.new)
    return _done(
        wanted.target,
        "Replaced",
        _change(profile, wanted.target, lambda text: replaced(text, _only(text, wanted.old), new)),
    )


def remove(profile: AgentProfile, wanted: Remove) -> str:
    return _done(
        wanted.target,
        "Removed",
        _change(profile, wanted.target, lambda text: replaced(text, _only(text, wanted.text), None)),
    )


def _change(profile: AgentProfile, target: str, change: Callable[[str], str]) -> str:
    """Reads, changes and writes one file while no one else may; returns its text. Raises ToolFailed."""
    name = FILES[target]
    with told(name), _held(profile.memories / name) as (folder, real):
        before = _text(folder, real, name)
        after = change(before)
        if after != before:
            _check_length(target, before, after)
            disk.replace(folder, real, after.encode("utf-8", "replace"))
    return after


@contextmanager
def _held(path: Path) -> Iterator[tuple[int, str]]:
    """The open folder and the name of the file itself, which the operator may have put elsewhere behind a link.

    The lock lies beside the file, so that agents who share it wait for one another too.
    """
    with suppress(FileExistsError):
        path.parent.mkdir(0o700)
    real = Path(os.path.realpath(path))  # unlike Path.resolve it does not raise RuntimeError for a loop
    folder = os.open(real.parent, disk.FOLDER)
    try:
        lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with disk.locked(lock):
                yield folder, real.name
        finally:
            os.close(lock)
    finally:
        os.close(folder)


def _text(folder: int, real: str, name: str) -> str:
    try:
        return disk.read(folder, real, name, _BYTES_MOST).decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ToolFailed(f"`{name}` is no UTF-8 text; a person has to repair it") from error


def _worded(text: str) -> str:
    clean = cleaned(text)
    if not clean:
        raise ToolFailed("there is no text to keep")
    return clean


def _only(text: str, part: str) -> Entry:
    """The one entry that has `part`. Raises ToolFailed, listing the entries, where none or several do."""
    wanted = cleaned(part)
    found = [entry for entry in entries(text) if wanted in entry.text]
    exact = [entry for entry in found if wanted == entry.text]
    if len(exact or found) != 1:
        count = "no entry has" if not found else f"{len(found)} entries have"
        raise ToolFailed(f"{count} the text `{wanted}`; {_inventory(text)}")
    return (exact or found)[0]


def _check_length(target: str, before: str, after: str) -> None:
    most = CHARACTERS_MOST[target]
    if most < len(after) >= len(before):
        raise ToolFailed(
            f"`{FILES[target]}` would have {len(after):,} characters, {most:,} are allowed; merge or remove entries "
            f"first; {_inventory(before)}"
        )


def _inventory(text: str) -> str:
    lines = "\n".join(f"- {entry.text}" for entry in entries(text))[:_INVENTORY_MOST]
    return f"it holds now:\n{lines}" if lines else "there are no entries"


def _done(target: str, what: str, text: str) -> str:
    return f"{what}. `{FILES[target]}` now has {len(text):,} of {CHARACTERS_MOST[target]:,} characters."
