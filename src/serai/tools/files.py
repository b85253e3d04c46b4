"""The toolset `files`: reading and changing text files inside the agent's workspace (SPEC 7.4)."""

import codecs
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Final

from msgspec import Meta

from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.ports.tool import Tool
from serai.tools import disk
from serai.tools.failure import told
from serai.tools.folder import Listing, list_folder
from serai.tools.search import Search, search_files
from serai.tools.sending import SendFile
from serai.tools.thread import AgentThreads
from serai.tools.tool import Arguments, blocking_tool
from serai.tools.workspace import Place, RelativePath, place

READ_MOST: Final = 64 * 1024
"""Bytes that one call reads."""

WRITE_MOST: Final = 1024 * 1024
"""Bytes of a file that is written or edited."""

GUIDANCE: Final = "The file tools work in a workspace of your own. Paths are relative to it."

_NEW_MODE: Final = 0o600


class Read(Arguments, frozen=True):
    path: RelativePath
    offset: Annotated[int, Meta(description="Byte to begin at.", ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(description="Most bytes to return.", ge=4, le=READ_MOST)] = READ_MOST


class Write(Arguments, frozen=True):
    path: RelativePath
    text: Annotated[str, Meta(description="The whole new content.")]


class Edit(Arguments, frozen=True):
    path: RelativePath
    old: Annotated[str, Meta(description="The exact text to replace. It must occur exactly once.", min_length=1)]
    new: Annotated[str, Meta(description="The text to put in its place.")]


class Delete(Arguments, frozen=True):
    path: RelativePath


def file_tools(threads: AgentThreads) -> Sequence[Tool]:
    """The tools. Edits and deletions may not be repeated, all others may."""
    return (
        blocking_tool(
            "file_read",
            "Reads a text file, at most 64 KB at once; a note at the end says where to go on.",
            Read,
            read_file,
            threads,
            idempotent=True,
            guidance=GUIDANCE,
        ),
        blocking_tool(
            "file_write",
            "Writes a text file, replacing what was there. Missing folders are made.",
            Write,
            write_file,
            threads,
            idempotent=True,
            guidance=GUIDANCE,
        ),
        blocking_tool("file_edit", "Replaces one piece of a text file.", Edit, edit_file, threads, guidance=GUIDANCE),
        blocking_tool(
            "file_list",
            "Lists a folder: names, with sizes in bytes; folders end in `/`.",
            Listing,
            list_folder,
            threads,
            idempotent=True,
            guidance=GUIDANCE,
        ),
        blocking_tool(
            "file_search",
            "Finds files by name, and lines in them by text.",
            Search,
            search_files,
            threads,
            idempotent=True,
            guidance=GUIDANCE,
        ),
        blocking_tool(
            "delete_file",
            "Deletes a file for good. People are asked first.",
            Delete,
            delete_file,
            threads,
            guidance=GUIDANCE,
            asks=lambda wanted: f"delete the file `{wanted.path}`",
        ),
        SendFile(threads, GUIDANCE),
    )


def read_file(profile: AgentProfile, wanted: Read) -> str:
    """A piece of a text file, whole characters only; what is not UTF-8 shows as U+FFFD."""
    with _file(profile, wanted.path) as at, disk.opened(at.folder, at.name, wanted.path) as descriptor:
        size = os.fstat(descriptor).st_size
        data = os.pread(descriptor, wanted.limit, wanted.offset)
    if b"\0" in data:
        raise ToolFailed(f"`{wanted.path}` is no text file ({size:,} bytes)")
    if not data:
        return "[The file is empty.]" if size == 0 else f"[The file ends at byte {size}.]"
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    through = wanted.offset + len(data)
    text = decoder.decode(data, final=through >= size)
    end = through - len(decoder.getstate()[0])
    return text if end >= size else f"{text}\n[Bytes {wanted.offset} to {end} of {size}. Go on with offset={end}.]"


def write_file(profile: AgentProfile, wanted: Write) -> str:
    """Replaces or makes a file. The mode of an existing one is kept."""
    data = _encoded(wanted.path, wanted.text)
    with _file(profile, wanted.path, create=True) as at, disk.locked(at.folder):
        disk.replace(at.folder, at.name, data, _mode(at, wanted.path))
    return f"Wrote {len(data):,} bytes to `{wanted.path}`."


def edit_file(profile: AgentProfile, wanted: Edit) -> str:
    """Replaces the only occurrence of a text. Edits of one folder's files wait for one another, so none is lost."""
    with _file(profile, wanted.path) as at, disk.locked(at.folder):
        mode = _mode(at, wanted.path)
        before = _text(wanted.path, disk.read(at.folder, at.name, wanted.path, WRITE_MOST))
        count = before.count(wanted.old)
        if count != 1:
            raise ToolFailed(_why_not(wanted.path, count))
        data = _encoded(wanted.path, before.replace(wanted.old, wanted.new))
        disk.replace(at.folder, at.name, data, mode)
    return f"Edited `{wanted.path}`, now {len(data):,} bytes."


def delete_file(profile: AgentProfile, wanted: Delete) -> str:
    """Removes a regular file. Where a link leads to it, the file goes and the link stays."""
    with _file(profile, wanted.path) as at, disk.locked(at.folder):
        disk.regular(os.stat(at.name, dir_fd=at.folder, follow_symlinks=False), wanted.path)
        os.unlink(at.name, dir_fd=at.folder)
    return f"Deleted `{wanted.path}`."


@contextmanager
def _file(profile: AgentProfile, path: str, *, create: bool = False) -> Iterator[Place]:
    """Where a file is, or would be. Raises ToolFailed for folders and for all that the system refuses."""
    with told(path), place(profile.workspace, path, create=create) as at:
        if not at.name:
            raise ToolFailed(f"`{path}` is a folder")
        yield at


def _mode(at: Place, path: str) -> int:
    try:
        found = os.stat(at.name, dir_fd=at.folder, follow_symlinks=False)
    except FileNotFoundError:
        return _NEW_MODE
    return stat.S_IMODE(disk.regular(found, path).st_mode) & 0o777


def _encoded(path: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if len(data) > WRITE_MOST:
        raise ToolFailed(f"`{path}` was not written: {len(data):,} bytes are more than the {WRITE_MOST:,} allowed")
    return data


def _text(path: str, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ToolFailed(f"`{path}` is no UTF-8 text file, so it cannot be edited")
    return text


def _why_not(path: str, count: int) -> str:
    if count:
        return f"the text to replace occurs {count} times in `{path}`; give more of what stands around it"
    return f"the text to replace does not occur in `{path}`; read the file to see what it holds"
