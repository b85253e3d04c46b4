"""The tool `send_file`: a file of the workspace goes along with the turn's answer (SPEC 6.8).

The file is copied aside when the tool runs, so that what is sent is what was there then, and nothing can be put in
its place. Copies are forgotten after a week.
"""

import hashlib
import mimetypes
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from serai.core.delivery import Enclosure
from serai.core.error import ToolFailed
from serai.core.profile import AgentProfile
from serai.ports.model import ToolSpec
from serai.ports.tool import ToolContext
from serai.tools import disk
from serai.tools.failure import told
from serai.tools.thread import AgentThreads
from serai.tools.tool import Arguments, parameters
from serai.tools.workspace import RelativePath, place

SEND_MOST: Final = 50_000_000
"""Bytes of a file that is sent."""

_KEPT_SECONDS: Final = 7 * 86400.0
_FOLDER: Final = "outbox"


class Send(Arguments, frozen=True):
    path: RelativePath


class SendFile:
    """Puts a file aside, to be sent with the answer; the same again where the call is repeated after a crash."""

    spec: Final = ToolSpec(
        "send_file", "Sends a file of the workspace to the chat, together with your answer.", parameters(Send)
    )
    idempotent: Final = True

    def __init__(self, threads: AgentThreads, guidance: str) -> None:
        self._threads = threads
        self.guidance = guidance

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        wanted = _taken(arguments)
        aside = _aside(context, wanted.path)
        size = await self._threads.run(context.profile.id, lambda: _copy(context.profile, wanted.path, aside))
        return f"`{wanted.path}` ({size:,} bytes) goes along with your answer."

    def enclosure(self, context: ToolContext, arguments: Mapping[str, Any]) -> Enclosure | None:
        """The file of a call that was done; None where its copy is gone."""
        aside = _aside(context, _taken(arguments).path)
        try:
            size = aside.stat().st_size
        except OSError:
            return None
        media_type = mimetypes.guess_type(aside.name)[0] or "application/octet-stream"
        return Enclosure(str(aside), aside.name, media_type, size)


def _taken(arguments: Mapping[str, Any]) -> Send:
    try:
        return msgspec.convert(arguments, Send)
    except msgspec.ValidationError as error:
        raise ToolFailed(f"wrong arguments for `send_file`: {error}".replace("`$.", "`")) from None


def _aside(context: ToolContext, path: str) -> Path:
    """Outside of the workspace, where the agent's own tools do not reach."""
    call = hashlib.blake2b(context.call_id.encode(), digest_size=6).hexdigest()
    name = path.rstrip("/").rpartition("/")[2] or "file"
    return context.profile.home / _FOLDER / f"{context.turn}-{call}" / name


def _copy(profile: AgentProfile, path: str, aside: Path) -> int:
    _forget(aside.parent.parent)
    with told(path), place(profile.workspace, path) as at:
        if not at.name:
            raise ToolFailed(f"`{path}` is a folder")
        data = disk.read(at.folder, at.name, path, SEND_MOST)
        aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(aside.parent, disk.FOLDER)
        try:
            disk.replace(folder, aside.name, data)
        finally:
            os.close(folder)
    return len(data)


def _forget(folder: Path) -> None:
    """Old copies; what cannot be removed is left."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if entry.stat(follow_symlinks=False).st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(entry.path, ignore_errors=True)
