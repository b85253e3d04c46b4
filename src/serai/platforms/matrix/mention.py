"""Whether a message is said to the bot, and its text without the bot's name. Pure.

Since Matrix 1.7 `m.mentions` says who is mentioned. Older clients link the name (a "pill"), or only write it.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import unquote

from serai.platforms.matrix.wire import Content

_LINK: Final = re.compile(r"""<a\s[^<>]*?href\s*=\s*["']([^"'<>]*)["'][^<>]*>(.*?)</a>""", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_MATRIX_TO: Final = re.compile(r"https://matrix\.to/#/([^?]+)")
_QUOTED: Final = re.compile(r"(?:>[^\n]*\n)+\n")


@dataclass(frozen=True, slots=True)
class Me:
    """The bot: its id and the name that it has in a room."""

    user_id: str
    display_name: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """How people write it, the longest first, so that no name leaves the rest of another one behind."""
        localpart = self.user_id.removeprefix("@").partition(":")[0]
        names = {self.user_id, f"@{localpart}", localpart, *([self.display_name] if self.display_name else [])}
        return tuple(sorted((name for name in names if name), key=lambda name: (-len(name), name)))


def is_mentioned(content: Content, me: Me) -> bool:
    """Whether the message names the bot: by `m.mentions` where there is one, else by a pill or in words."""
    if content.mentions is not None:
        return me.user_id in content.mentions.user_ids
    if _pills(content, me):
        return True
    return any(_word(name).search(content.body or "") for name in me.names)


def without_mention(text: str, content: Content, me: Me) -> str:
    """The text without the bot's name at its beginning or end; a name amid a sentence is part of it."""
    for name in (*_pills(content, me), *me.names):
        shorter = re.sub(rf"^\s*@?{re.escape(name)}(?![\w.-])[:,]?\s*", "", text, count=1, flags=re.IGNORECASE)
        if shorter == text:
            shorter = re.sub(rf"\s*(?<![\w@])@?{re.escape(name)}\s*$", "", text, count=1, flags=re.IGNORECASE)
        if shorter != text:
            return shorter
    return text


def without_quote(text: str) -> str:
    """A reply's text without the lines in which older clients quote what is answered."""
    return _QUOTED.sub("", text, count=1) if text.startswith("> ") else text


def _pills(content: Content, me: Me) -> list[str]:
    """The words under which the message links to the bot."""
    found = []
    for address, label in _LINK.findall(content.formatted_body or ""):
        link = _MATRIX_TO.match(unescape(address))
        if link and unquote(link[1]) == me.user_id:
            found.append(unescape(_TAG.sub("", label)).strip())
    return [label for label in found if label]


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])", re.IGNORECASE)
