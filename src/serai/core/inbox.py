"""Files that come with messages: where they lie in the agent's workspace, and what the model is told (SPEC 6.8)."""

import unicodedata
from typing import Final

from serai.core.ids import InputId
from serai.core.message import Attachment

FOLDER: Final = "inbox"
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What models look at."""

PICTURE_MOST: Final = 5 * 2**20
"""Bytes of a picture that is shown to the model; a larger one is named."""

_NAME_MOST: Final = 100
_EXTENSIONS: Final = {
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
}


def kept_path(input_id: InputId, n: int, attachment: Attachment) -> str:
    """Where the `n`th file of a message is kept, from the workspace on: the same however often it is asked.

    >>> kept_path(InputId("run_0193abcd0193abcd0193abcd"), 0, Attachment(name="../plan.pdf"))
    'inbox/0193abcd0193abcd0193abcd/plan.pdf'
    """
    folder = input_id.removeprefix("run_")
    return f"{FOLDER}/{_clean(folder) or 'message'}/{f'{n}-' if n else ''}{_name(attachment)}"


def kind(attachment: Attachment) -> str:
    """The word for it."""
    family = (attachment.media_type or "").partition("/")[0]
    if family == "audio":
        return "audio file" if attachment.name else "voice note"
    return {"image": "picture", "video": "video"}.get(family, "file")


def described(input_id: InputId, n: int, attachment: Attachment) -> str:
    """The line by which the model knows of it."""
    size = f", {readable(attachment.size)}" if attachment.size is not None else ""
    path = kept_path(input_id, n, attachment)
    return f"[{kind(attachment)}: {path} ({attachment.media_type or 'unknown type'}{size})]"


def readable(size: int) -> str:
    """
    >>> [readable(size) for size in (70, 34_000, 21_000_000)]
    ['70 bytes', '34 kB', '21 MB']
    """
    if size < 1000:
        return f"{size} bytes"
    return f"{round(size / 1000)} kB" if size < 1_000_000 else f"{round(size / 1_000_000)} MB"


def _name(attachment: Attachment) -> str:
    last = (attachment.name or "").replace("\\", "/").rpartition("/")[2]
    name = _clean(last)[-_NAME_MOST:]
    return name or f"{kind(attachment).replace(' ', '-')}{_EXTENSIONS.get(attachment.media_type or '', '')}"


def _clean(name: str) -> str:
    """Printable, no folder, not hidden, no hidden direction of writing."""
    kept = (letter for letter in name if unicodedata.category(letter)[0] != "C" and letter not in "/\\:")
    return " ".join("".join(kept).split()).lstrip(".~ ").rstrip(". ")
