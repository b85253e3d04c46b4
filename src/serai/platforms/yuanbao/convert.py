"""Between the wire and the gateway's own words. Pure."""

import json
from collections.abc import Iterator
from typing import Any, Final

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Revision
from serai.core.source import Source
from serai.platforms.yuanbao.wire import Element, Pushed

NEAR_LIMIT: Final = 3900
"""Characters from which on a person's client may have cut the text (at about 4000)."""

_RECALLS: Final = frozenset({"Group.CallbackAfterRecallMsg", "C2C.CallbackAfterMsgWithDraw"})
_MENTION: Final = 1002
_LINKS: Final = frozenset({1007, 1010})
_FORWARDED: Final = 1009
_FILES: Final = {
    "TIMImageElem": "image/*",
    "TIMFileElem": None,
    "TIMSoundElem": "audio/*",
    "TIMVideoFileElem": "video/*",
}


def is_group(pushed: Pushed) -> bool:
    return bool(pushed.group) or pushed.command.startswith("Group")


def chat_of(pushed: Pushed) -> str:
    """A direct chat has no id of its own; its person's is used."""
    return pushed.group if is_group(pushed) else pushed.sender


def revisions(account: Account, pushed: Pushed) -> Iterator[Revision]:
    """The messages that were taken back."""
    if pushed.command in _RECALLS or pushed.recalled:
        for message in pushed.recalled:
            yield Revision(account, chat_of(pushed), message, None)


def inbound(account: Account, bot_id: str, pushed: Pushed) -> Inbound | None:
    """A message as the gateway takes it; None for the bot's own, and for one that brings nothing."""
    if pushed.sender == bot_id or pushed.command in _RECALLS:
        return None
    mentioned, text = _said(bot_id, pushed.elements)
    files = tuple(_file(element) for element in pushed.elements if element.kind in _FILES and _address(element))
    quote = _quote(pushed.quote)
    if quote.get("sender_id") == bot_id:
        mentioned = True
    elif (quoted := str(quote.get("desc") or "")) and not text.startswith(("/", "@")):
        text = "\n".join(f"> {line}" for line in quoted.splitlines()) + (f"\n\n{text}" if text else "")
    if not text and not files:
        return None
    return Inbound(
        _source(account, pushed),
        text,
        dedupe_key(pushed),
        files,
        mentioned,
        near_limit=len(text) >= NEAR_LIMIT,
    )


def dedupe_key(pushed: Pushed) -> str:
    """Chat and message id, the chat's length first so that no two pairs make one key."""
    chat = chat_of(pushed)
    return f"{len(chat)}:{chat}:{pushed.message_id or pushed.seq}"


def _source(account: Account, pushed: Pushed) -> Source:
    return Source(
        platform=account.platform,
        account=account.name,
        chat_id=chat_of(pushed),
        chat_type="group" if is_group(pushed) else "dm",
        chat_name=clean_name(pushed.group_name) or None,
        user_id=pushed.sender,
        user_name=clean_name(pushed.nickname) or None,
        message_id=pushed.message_id,
    )


def _said(bot_id: str, elements: tuple[Element, ...]) -> tuple[bool, str]:
    """Whether the bot is named, and the words without its name."""
    mentioned, parts = False, []
    for element in elements:
        if element.kind == "TIMTextElem":
            parts.append(str(element.content.get("text") or ""))
        elif element.kind == "TIMFaceElem":
            parts.append(f"[{_json(element).get('name') or 'sticker'}]")
        elif element.kind == "TIMCustomElem":
            custom = _json(element)
            if custom.get("elem_type") == _MENTION and custom.get("user_id") == bot_id:
                mentioned = True
            else:
                parts.append(_custom(custom))
    return mentioned, "".join(parts).strip()


def _custom(custom: dict[str, Any]) -> str:
    match custom.get("elem_type"):
        case 1002:
            return f"{custom.get('text') or ''} "
        case kind if kind in _LINKS:
            words = [str(custom[name]) for name in ("title", "desc", "link", "url") if custom.get(name)]
            return f"[link: {' – '.join(words)}]" if words else "[link]"
        case kind if kind == _FORWARDED:
            return f"[forwarded chat] {custom.get('text') or custom.get('desc') or ''}".rstrip()
        case _:
            return ""


def _file(element: Element) -> Attachment:
    content = element.content
    name, size = content.get("file_name"), content.get("file_size")
    return Attachment(
        name=str(name) if name else None,
        media_type=_FILES[element.kind],
        size=int(size) if size else None,
        ref=_address(element),
    )


def _address(element: Element) -> str:
    """Where a file is; of a picture's sizes the largest."""
    pictures = element.content.get("image_info_array") or []
    best: dict[str, Any] = max(pictures, key=lambda one: int(one.get("size") or 0), default={})
    return str(best.get("url") or element.content.get("url") or "")


def _quote(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text).get("quote") if text else None
    except (ValueError, AttributeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(element: Element) -> dict[str, Any]:
    try:
        found = json.loads(element.content.get("data") or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
