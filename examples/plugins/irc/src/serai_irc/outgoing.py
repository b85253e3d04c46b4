"""From a delivery to lines. Pure."""

from collections.abc import Sequence
from typing import Final

from serai.core.delivery import Delivery
from serai.core.error import SendPermanent
from serai.core.split import measure, split
from serai_irc.wire import LINE_BYTES, encode

TEXT_LIMIT: Final = 320
"""Bytes that fit in one line to any channel of usual length, whatever the bot's host is called."""

_USER_HOST_BYTES: Final = 18 + 1 + 63
"""The longest `user@host` that a server puts before what the bot says (RFC 1459 and what servers allow)."""

_DROPPED: Final = {0: None, 1: None}
"""Signs that a text cannot hold; \\x01 would make it a request to the other side's client."""


def lines(delivery: Delivery, nick: str) -> Sequence[bytes]:
    """The lines that say a delivery, each short enough to arrive whole. Raises SendPermanent for what has none.

    The server puts `:nick!user@host ` before each and cuts what is then over 512 bytes, so that counts, too.
    """
    target = delivery.target.chat_id
    size = measure(delivery.text, "byte")
    if size > TEXT_LIMIT:
        raise SendPermanent(f"the text has {size} bytes; {TEXT_LIMIT} can be sent")
    if "," in target or target.startswith("$"):
        raise SendPermanent("the chat's id is no nick and no channel")
    room = LINE_BYTES - len(f":{nick}! ".encode()) - _USER_HOST_BYTES - measure(f"PRIVMSG {target} :\r\n", "byte")
    said = delivery.text.translate(_DROPPED).splitlines()
    try:
        found = [encode("PRIVMSG", target, piece) for one in said for piece in split(one, room, "byte")]
    except ValueError:  # UnicodeEncodeError, too
        raise SendPermanent("the chat's id or the text cannot be sent over IRC") from None
    if not found:
        raise SendPermanent("there is nothing in the text that could be said")
    return found
