"""From a line to what the gateway takes. Pure."""

import re
from typing import Final

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Inbound
from serai.core.source import Source
from serai_irc.config import KnownBy
from serai_irc.wire import Line, folded

_FORMATTING: Final = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?|[\x00-\x02\x05-\x1f\x7f]")
"""Bold, colours and the like, as clients write them; and every other control character."""

_NEAR_BYTES: Final = 400
"""Clients cut what people type somewhere between this and the 512 bytes of a line."""

_CHANNEL_SIGNS: Final = ("#", "&", "!", "+")
_ACTION: Final = "\x01ACTION "
_SAYABLE: Final = r"[\w\[\]\\`^{|}-]"
"""What a nick may be made of, so that `serai` is not found in `serais`."""


def inbound(account: Account, line: Line, nick: str, known_by: KnownBy, token: str) -> Inbound | None:
    """A message; None for what is none: notices (which must not be answered), requests of clients, our own words.

    `nick` is the bot's own. `token` makes a key for servers that give messages no id: they tell each of them once.
    """
    said = _said(line)
    if said is None or len(line.params) < 2 or folded(line.nick) == folded(nick):
        return None
    group = line.param(0).startswith(_CHANNEL_SIGNS)
    if not group and folded(line.param(0)) != folded(nick):
        return None
    chat = folded(line.param(0) if group else line.nick)
    text, mentioned = addressed(said, nick)
    message_id = line.tags.get("msgid") or None
    source = Source(
        platform=account.platform,
        account=account.name,
        chat_id=chat,
        chat_type="group" if group else "dm",
        chat_name=clean_name(line.param(0)) if group else None,
        user_id=_person(line, known_by),
        user_name=clean_name(line.nick) or None,
        message_id=message_id,
        is_bot="bot" in line.tags,
    )
    key = f"message:{len(chat)}:{chat}:{message_id}" if message_id else f"line:{token}"
    return Inbound(source, text, key, mentioned=mentioned, near_limit=line.size >= _NEAR_BYTES)


def addressed(text: str, nick: str) -> tuple[str, bool]:
    """The text without the nick with which it begins or ends, and whether the nick stands anywhere in it.

    >>> addressed("Serai: what is the time?", "serai")
    ('what is the time?', True)
    >>> addressed("ask serai, she knows", "serai")
    ('ask serai, she knows', True)
    """
    name = rf"(?<!{_SAYABLE})@?{re.escape(nick)}(?!{_SAYABLE})"
    if re.search(name, text, re.IGNORECASE) is None:
        return text, False
    bare = re.sub(rf"^\s*{name}\s*[:,]?\s*|[\s,]*{name}(?=\s*[.!?]*\s*$)", "", text, flags=re.IGNORECASE)
    return bare.strip() or text, True


def _said(line: Line) -> str | None:
    """What was said, as plain text. `/me waves` stays recognisable as what it is."""
    if line.command != "PRIVMSG" or not line.nick:
        return None
    text = line.param(-1)
    if text.startswith(_ACTION):
        text = f"* {line.nick} {text.removeprefix(_ACTION)}"
    elif text.startswith("\x01"):
        return None
    return _FORMATTING.sub("", text).strip() or None


def _person(line: Line, known_by: KnownBy) -> str | None:
    """Who it is, by what the operator trusts. Nobody where the server does not tell that."""
    if known_by == "account":
        return line.tags.get("account") or None
    return (folded(line.nick) if known_by == "nick" else line.host) or None
