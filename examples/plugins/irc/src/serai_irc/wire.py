"""Lines of IRC: RFC 1459 with the tags of IRCv3 in front."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LINE_BYTES: Final = 512
"""The longest line with its end (RFC 1459, 2.3); tags do not count."""

_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FOLDED: Final = str.maketrans(_UPPER, _UPPER.lower())
_UNESCAPED: Final = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)
_LINE: Final = re.compile(
    r"(?:@(?P<tags>[^ ]*) +)?(?::(?P<prefix>[^ ]*) +)?(?P<command>[^ :]+)(?P<rest>(?: .*)?)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `nick` and `host` (`user@host`) are who it is from; `size` is its length in bytes without tags."""

    command: str
    params: tuple[str, ...] = ()
    nick: str = ""
    host: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    size: int = 0

    def param(self, index: int) -> str:
        """A parameter, "" where there is none; -1 is the last."""
        return self.params[index] if -len(self.params) <= index < len(self.params) else ""


def parse(data: bytes) -> Line | None:
    """A line as it came; None for what is none. Text that is not UTF-8 is taken for Windows-1252, as clients do."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    found = _LINE.fullmatch(text.strip("\r\n"))
    if found is None:
        return None
    nick, _, host = (found["prefix"] or "").partition("!")
    middle, colon, last = found["rest"].partition(" :")
    params = (*middle.split(), last) if colon else tuple(middle.split())
    size = len(data) - (len(found["tags"].encode()) + 2 if found["tags"] else 0)
    return Line(found["command"].upper(), params, nick, host, _tags(found["tags"] or ""), size)


def encode(command: str, *params: str) -> bytes:
    """A line to be sent. Raises ValueError where a parameter cannot stand in one, or the line is too long."""
    *middle, last = params or ("",)
    if any(not one or " " in one or one.startswith(":") for one in middle):
        raise ValueError("a parameter is blank or holds a blank")
    words = [command, *middle, *([f":{last}"] if params else [])]
    data = " ".join(words).encode() + b"\r\n"
    if any(sign in data[:-2] for sign in b"\r\n\0"):
        raise ValueError("a parameter holds the end of a line")
    if len(data) > LINE_BYTES:
        raise ValueError(f"the line has {len(data)} bytes; {LINE_BYTES} can be sent")
    return data


def folded(name: str) -> str:
    """A nick or channel by which it is compared: servers agree on A to Z, and on little else."""
    return name.translate(_FOLDED)


def _tags(text: str) -> Mapping[str, str]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return {key: _ESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), value) for key, _, value in pairs}
