"""Between the wire and the gateway's own words. Pure."""

import html
import re
from collections.abc import Mapping
from typing import Final

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Press, Revision
from serai.core.source import Source
from serai.platforms.slack.wire import Callback, Event, File, Interaction, Slash

_KEPT: Final = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes that are messages of people; the others tell of edits, of joins, of bots."""

_SPECIAL: Final = re.compile(r"<([@#!])?([^|>]+)(?:\|([^>]*))?>")


class Reader:
    """One app's view: which account it is, which bot, in which team."""

    def __init__(self, account: Account, user_id: str, bot_id: str, team_id: str) -> None:
        self._account = account
        self._user_id = user_id
        self._bot_id = bot_id
        self._team_id = team_id

    def speaker(self, event: Event) -> str:
        """Whose name is wanted for a message; empty where nobody's is."""
        return event.user if event.subtype in _KEPT and not event.bot_id else ""

    def message(self, callback: Callback, names: Mapping[str, str]) -> Inbound | Revision | None:
        """A message, or the change of one; None for what is neither, and for the bot's own."""
        event = callback.event
        if event.type not in ("message", "app_mention") or not event.channel:
            return None
        if event.subtype == "message_changed" and event.message is not None:
            mine = event.message.user == self._user_id or event.message.bot_id == self._bot_id
            text = self._text(event.message.text)
            return None if mine else Revision(self._account, event.channel, event.message.ts, text)
        if event.subtype == "message_deleted" and event.deleted_ts:
            return Revision(self._account, event.channel, event.deleted_ts, None)
        if event.subtype not in _KEPT and event.subtype != "bot_message":
            return None
        if event.user == self._user_id or (event.bot_id and event.bot_id == self._bot_id):
            return None
        return self._said(event, callback.team_id, names)

    def _said(self, event: Event, team: str, names: Mapping[str, str]) -> Inbound | None:
        text = self._text(event.text)
        files = tuple(_attachment(file) for file in event.files if file.url_private_download or file.url_private)
        if not text and not files:
            return None
        thread = event.thread_ts if event.thread_ts != event.ts else ""
        return Inbound(
            self._source(
                event.channel,
                event.user,
                team,
                names.get(event.user, ""),
                thread=thread,
                message=event.ts,
                is_bot=bool(event.bot_id),
            ),
            text,
            dedupe_key(event.channel, event.ts),
            files,
            mentioned=self._is_for_bot(event),
        )

    def press(self, pressed: Interaction) -> Press | None:
        """A pressed button of ours; None for another interaction."""
        if pressed.type != "block_actions" or not pressed.actions or not pressed.actions[0].value:
            return None
        action, place = pressed.actions[0], pressed.container
        channel = pressed.channel.id or place.channel_id
        source = self._source(
            channel,
            pressed.user.id,
            pressed.team.id,
            pressed.user.name,
            thread=place.thread_ts,
            message=place.message_ts,
        )
        return Press(source, action.value, f"press:{dedupe_key(channel, place.message_ts)}:{pressed.trigger_id}")

    def slash(self, slash: Slash) -> Inbound:
        """A command of Slack's own kind, `/serai new`: as if `/new` was typed."""
        source = self._source(slash.channel_id, slash.user_id, slash.team_id, slash.user_name)
        words = slash.text.strip()
        text = words if words.startswith("/") else f"/{words or 'help'}"
        return Inbound(source, text, f"slash:{slash.trigger_id}", mentioned=True)

    def _source(
        self,
        channel: str,
        user: str,
        team: str,
        name: str,
        *,
        thread: str = "",
        message: str = "",
        is_bot: bool = False,
    ) -> Source:
        return Source(
            platform=self._account.platform,
            account=self._account.name,
            chat_id=channel,
            chat_type="dm" if channel.startswith("D") else "group",
            user_id=user or None,
            user_name=clean_name(name) or None,
            thread_id=thread or None,
            guild_id=team or self._team_id or None,
            message_id=message or None,
            is_bot=is_bot,
        )

    def _is_for_bot(self, event: Event) -> bool:
        named = event.type == "app_mention" or f"<@{self._user_id}>" in event.text
        return named or event.parent_user_id == self._user_id

    def _text(self, text: str) -> str:
        """What was written, without the bot's name and without Slack's markup of names and links."""

        def plain(found: re.Match[str]) -> str:
            sign, target, label = found[1], found[2], found[3]
            if sign == "@" and target == self._user_id:
                return ""
            if sign == "@":
                return f"@{label or target}"
            if sign == "#":
                return f"#{label or target}"
            if sign == "!":
                return label or f"@{target.split('^')[0]}"
            address = target.removeprefix("mailto:")
            return address if not label or label in (address, target) else f"{label} ({address})"

        return html.unescape(_SPECIAL.sub(plain, text)).strip()


def dedupe_key(channel: str, ts: str) -> str:
    """Channel and time stamp, the channel's length first so that no two pairs make one key.

    A mention is told twice, by two events of the same time stamp.
    """
    return f"{len(channel)}:{channel}:{ts}"


def _attachment(file: File) -> Attachment:
    return Attachment(
        name=file.name,
        media_type=file.mimetype,
        size=file.size,
        ref=file.url_private_download or file.url_private,
    )
