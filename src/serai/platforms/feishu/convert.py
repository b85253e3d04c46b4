"""Events as the gateway's own words. Pure."""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.core.source import Source
from serai.platforms.feishu.content import Content
from serai.platforms.feishu.wire import BotInfo, Choice, Header, Mention, Pressed, Recalled, Received

_PLACEHOLDER: Final = re.compile(r"@_(?:user_[0-9]+|all(?![A-Za-z0-9_]))[ \u00a0]?")
_ALL: Final = "@_all"
_CUT: Final = 4000
"""Characters at which people's clients cut a long text; 5 percent less may be a cut one, too."""

_NEAR: Final = _CUT * 95 // 100


@dataclass(frozen=True, slots=True)
class Known:
    """What had to be asked about a message, empty where it is not known."""

    user_name: str = ""
    chat_name: str = ""
    parent_author: str = ""


def is_own(event: Received, bot: BotInfo) -> bool:
    """Whether the bot itself said it."""
    ids = event.sender.sender_id
    return ids is not None and ids.open_id == bot.open_id


def is_mentioned(event: Received, bot: BotInfo) -> bool:
    """Whether the bot is addressed by its name. `@all` is no address: everybody's bots would answer."""
    return any(mention.open_id == bot.open_id for mention in event.message.mentions or ())


def inbound(
    account: Account, header: Header, event: Received, content: Content, bot: BotInfo, app_id: str, known: Known
) -> Inbound:
    """A message as the gateway takes it."""
    text = spoken(content.text, event.message.mentions or (), bot)
    addressed = is_mentioned(event, bot) or known.parent_author in (bot.open_id, app_id)
    return Inbound(
        source(account, header, event, known),
        text,
        dedupe_key(event.message.chat_id, event.message.message_id),
        content.files,
        addressed,
        len(text) >= _NEAR,
    )


def source(account: Account, header: Header, event: Received, known: Known = Known()) -> Source:
    """Where a message came from. The tenant is the guild; a person's name in all apps is the other user id."""
    message, ids = event.message, event.sender.sender_id
    return Source(
        platform=account.platform,
        account=account.name,
        chat_id=message.chat_id,
        chat_type="dm" if message.chat_type == "p2p" else "group",
        chat_name=clean_name(known.chat_name) or None,
        user_id=(ids.open_id if ids else None) or None,
        user_id_alt=(ids.union_id if ids else None) or None,
        user_name=clean_name(known.user_name) or None,
        thread_id=message.thread_id or None,
        guild_id=header.tenant_key or None,
        message_id=message.message_id,
        is_bot=event.sender.sender_type == "app",
    )


def spoken(text: str, mentions: tuple[Mention, ...], bot: BotInfo) -> str:
    """The text with names for placeholders, and without the bot's own."""
    names = {mention.key: mention for mention in mentions}

    def name(found: re.Match[str]) -> str:
        key = found.group().rstrip(" \u00a0")
        blank = found.group()[len(key) :]
        mention = names.get(key)
        if key == _ALL:
            return "@all" + blank
        if mention is None:
            return found.group()
        return "" if mention.open_id == bot.open_id else f"@{clean_name(mention.name or '')}{blank}"

    return _PLACEHOLDER.sub(name, text).strip()


def dedupe_key(chat_id: str, message_id: str) -> str:
    """Chat and message, the chat's length first so that no two pairs make one key. The platform asks for the message
    id: a message may be told by two events."""
    return f"message:{len(chat_id)}:{chat_id}:{message_id}"


def revision(account: Account, event: Recalled) -> Revision:
    """A message that was taken back. Edits are not told by the platform."""
    return Revision(account, event.chat_id, event.message_id, None)


def press(account: Account, header: Header, event: Pressed) -> Press | None:
    """A pressed button; None for one that is none of ours."""
    try:
        choice = msgspec.json.decode(event.action.value, type=Choice)
    except msgspec.DecodeError:
        return None
    where = Source(
        platform=account.platform,
        account=account.name,
        chat_id=event.context.open_chat_id or None,
        chat_type=choice.chat_type,
        user_id=event.operator.open_id,
        user_id_alt=event.operator.union_id,
        thread_id=choice.thread_id,
        guild_id=header.tenant_key or None,
        message_id=event.context.open_message_id or None,
    )
    return Press(where, choice.value, f"event:{header.event_id}")
