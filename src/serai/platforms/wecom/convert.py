"""Between the wire and the gateway's own words. Pure."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from serai.core.delivery import Button
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Press
from serai.core.source import Source
from serai.platforms.wecom.wire import Body, Media, Quote

NEAR_LIMIT: Final = 3900
"""Characters from which on a person's client may have cut the text (at about 4000)."""

_NAMED: Final = re.compile(r"@\S+\s*")
_TITLE_MOST: Final = 26
_CARD_MOST: Final = 112


def inbound(account: Account, body: Body) -> Inbound | None:
    """A message as the gateway takes it; None for the bot's own, and for one of a kind that is not known."""
    text, files = _text(body), tuple(_files(body))
    if body.sender.userid == body.aibotid or not (text or files):
        return None
    # Groups pass on only what mentions the bot, and the mention stands first.
    return Inbound(
        _source(account, body),
        text,
        dedupe_key(body),
        files,
        mentioned=True,
        near_limit=len(text) >= NEAR_LIMIT,
    )


def press(account: Account, body: Body) -> Press | None:
    """A pressed button; None for an event that is none."""
    event = body.event
    if event is None or event.eventtype != "template_card_event" or not event.event_key:
        return None
    return Press(_source(account, body, event.task_id), event.event_key, dedupe_key(body))


def dedupe_key(body: Body) -> str:
    """Chat and message id, the chat's length first so that no two pairs make one key."""
    chat = chat_of(body)
    return f"{len(chat)}:{chat}:{body.msgid}"


def chat_of(body: Body) -> str:
    """A direct chat has no id of its own; its person's is used."""
    return body.chatid if body.chattype == "group" else body.sender.userid


def media_of(attachment: Attachment) -> Media:
    """The address and key that `inbound` has put into the handle. Raises msgspec.DecodeError."""
    return msgspec.json.decode(attachment.ref or "", type=Media)


def card(title: str, text: str, task: str, buttons: tuple[Button, ...]) -> dict[str, object]:
    """A card with a row of buttons."""
    return {
        "card_type": "button_interaction",
        "main_title": {"title": title[:_TITLE_MOST]},
        "sub_title_text": text,
        "button_list": [{"text": button.label, "style": 1, "key": button.value} for button in buttons],
        "task_id": task,
    }


def settled_card(text: str, task: str) -> dict[str, object]:
    """The same card once it was pressed."""
    return {
        "card_type": "text_notice",
        "main_title": {"title": text[:_TITLE_MOST]},
        "sub_title_text": text,
        "card_action": {"type": 0},
        "task_id": task,
    }


def fits_card(text: str) -> bool:
    """Whether a card shows the whole text."""
    return len(text) <= _CARD_MOST


def _source(account: Account, body: Body, message: str = "") -> Source:
    return Source(
        platform=account.platform,
        account=account.name,
        chat_id=chat_of(body),
        chat_type="group" if body.chattype == "group" else "dm",
        user_id=body.sender.userid,
        message_id=message or body.msgid,
    )


def _text(body: Body) -> str:
    parts = [part.content for part in (body.text, body.voice) if part is not None]
    if body.mixed is not None:
        parts += [item.text.content for item in body.mixed.msg_item if item.text is not None]
    text = "\n".join(part.strip() for part in parts if part.strip())
    if body.chattype == "group":
        text = _NAMED.sub("", text, count=1) if _NAMED.match(text) else text
    quoted = _quoted(body.quote)
    if not quoted or text.startswith(("/", "@")):
        return text
    return f"{quoted}\n\n{text}" if text else quoted


def _quoted(quote: Quote | None) -> str:
    if quote is None:
        return ""
    said = [part.content for part in (quote.text, quote.voice) if part is not None]
    if quote.mixed is not None:
        said += [item.text.content for item in quote.mixed.msg_item if item.text is not None]
    return "\n".join(f"> {line}" for part in said for line in part.splitlines())


def _files(body: Body) -> Iterator[Attachment]:
    if body.image is not None:
        yield _attachment(body.image, "image/*")
    if body.mixed is not None:
        for item in body.mixed.msg_item:
            if item.image is not None:
                yield _attachment(item.image, "image/*")
    if body.file is not None:
        yield _attachment(body.file, None)
    if body.video is not None:
        yield _attachment(body.video, "video/*")


def _attachment(media: Media, media_type: str | None) -> Attachment:
    return Attachment(media_type=media_type, ref=msgspec.json.encode(media).decode())
