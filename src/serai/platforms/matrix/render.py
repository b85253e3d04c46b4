"""From an answer's Markdown to the content of a Matrix event. Pure.

`body` is the Markdown itself, for clients that show plain text; `formatted_body` is HTML of the tags that Matrix
allows (client-server API, "m.room.message msgtypes"). An event has 65 536 bytes at most, of which encryption and its
base64 take a quarter; what would be too large is sent without its HTML, never cut.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from markdown_it import MarkdownIt

from serai.core.delivery import Target

TEXT_LIMIT: Final = 15_000
"""Bytes of an answer's text. JSON escapes triple them at worst (an emoji's 4 bytes are 12)."""

_ROOM: Final = 46_500
"""Bytes of content, escaped, that fit into any event, an encrypted one included."""

_AUTOMATED: Final = {"org.matrix.msc1767.automated": True}
"""The mark by which other bots know ours without the dimmed look of `m.notice`."""

Content = dict[str, Any]


def html(text: str) -> str | None:
    """The text as HTML, None where it has no markup. HTML in it is shown, not obeyed; pictures become links."""
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    rendered = str(markdown.disable("image").render(text)).strip()
    bare = rendered.removeprefix("<p>").removesuffix("</p>")
    return None if not _has_markup(bare) else rendered


def message(text: str, target: Target) -> Content:
    """The content of a new message: in its thread, and as a reply in groups."""
    place = _relation(target)
    return _fitting([{**body, **place} for body in _bodies(text, mentions(target))])


def edit(text: str, target: Target, event_id: str) -> Content:
    """The content that makes `text` the whole text of the message `event_id`. Clients that cannot edit show
    the beginning."""
    first_line = text.lstrip().partition("\n")[0][:60]
    return _fitting(
        [
            {
                "msgtype": "m.text",
                "body": f"* {first_line}",
                "m.mentions": {},
                **_AUTOMATED,
                "m.new_content": body,
                "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
            }
            for body in _bodies(text, mentions(target))
        ]
    )


def file(name: str, media_type: str, size: int, where: Mapping[str, Any], text: str, target: Target) -> Content:
    """The content of a message with a file. `where` is its `url`, or its `file` in an encrypted room."""
    kind = media_type.partition("/")[0]
    content: Content = {
        "msgtype": f"m.{kind}" if kind in ("image", "audio", "video") else "m.file",
        "body": text or name,
        "filename": name,
        "info": {"mimetype": media_type, "size": size},
        "m.mentions": mentions(target),
        **_AUTOMATED,
        **where,
        **_relation(target),
    }
    formatted = html(text)
    rich = {**content, "format": "org.matrix.custom.html", "formatted_body": formatted}
    return _fitting([rich, content] if formatted else [content])


def notice(text: str) -> Content:
    """What the driver itself has to say; no bot answers it."""
    return {"msgtype": "m.notice", "body": text, "m.mentions": {}}


def mentions(target: Target) -> dict[str, Any]:
    """Who is told: in a group, whoever is answered. That there is always one keeps names and `@room` in an answer's
    text from ringing."""
    answered = target.chat_type != "dm" and target.reply_to and target.user_id
    return {"user_ids": [target.user_id]} if answered else {}


def _bodies(text: str, mentioned: Mapping[str, Any]) -> Sequence[Content]:
    """The best content first."""
    plain: Content = {"msgtype": "m.text", "body": text, "m.mentions": mentioned, **_AUTOMATED}
    formatted = html(text)
    if formatted is None:
        return [plain]
    return [{**plain, "format": "org.matrix.custom.html", "formatted_body": formatted}, plain]


def _relation(target: Target) -> Content:
    answered = target.reply_to[-1] if target.reply_to else None
    if target.thread_id:
        thread = {"rel_type": "m.thread", "event_id": target.thread_id, "is_falling_back": True}
        return {"m.relates_to": {**thread, "m.in_reply_to": {"event_id": answered or target.thread_id}}}
    if answered and target.chat_type != "dm":
        return {"m.relates_to": {"m.in_reply_to": {"event_id": answered}}}
    return {}


def _fitting(contents: Sequence[Content]) -> Content:
    """The first that is small enough, else the last and smallest."""
    return next((content for content in contents if len(json.dumps(content)) <= _ROOM), contents[-1])


def _has_markup(rendered: str) -> bool:
    return "<" in rendered.replace("<br />", "")
