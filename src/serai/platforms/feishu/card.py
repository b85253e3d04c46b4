"""Cards as JSON 2.0: one text, and buttons under it. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from serai.core.delivery import Button, Target
from serai.platforms.feishu.render import plain

ANSWER: Final = "answer"
"""The element whose text grows."""

_LONGEST_LABEL: Final = 100
_SUMMARY: Final = 60


def growing_card(text: str) -> str:
    """A card whose text is shown as it is written."""
    return _card({"streaming_mode": True, "update_multi": True, "summary": {"content": summary(text)}}, text)


def settled_card(text: str) -> str:
    """The same card once its text is complete."""
    return _card({"streaming_mode": False, "update_multi": True, "summary": {"content": summary(text)}}, text)


def button_card(text: str, buttons: Sequence[Button], target: Target) -> str:
    """A text with buttons, in one row as far as they fit. Pressing one brings its value back, and the place."""
    config = {"update_multi": True, "summary": {"content": summary(text)}}
    columns = [
        {"tag": "column", "width": "auto", "elements": [_button(button, target, first=not number)]}
        for number, button in enumerate(buttons)
    ]
    row = {"tag": "column_set", "flex_mode": "flow", "columns": columns}
    return _card(config, text, [row] if columns else [])


def summary(text: str) -> str:
    """What the list of chats shows of a text: the beginning of its first line."""
    line = text.strip().partition("\n")[0].strip("#*_`> ")
    return line[:_SUMMARY] or "…"


def _card(config: dict[str, object], text: str, more: Sequence[object] = ()) -> str:
    elements = [{"tag": "markdown", "element_id": ANSWER, "content": text}, *more]
    return msgspec.json.encode({"schema": "2.0", "config": config, "body": {"elements": elements}}).decode()


def _button(button: Button, target: Target, *, first: bool) -> dict[str, object]:
    value: dict[str, object] = {"value": button.value, "chat_type": target.chat_type}
    if target.thread_id is not None:
        value["thread_id"] = target.thread_id
    return {
        "tag": "button",
        "type": "primary" if first else "default",
        "text": {"tag": "plain_text", "content": plain(button.label)[:_LONGEST_LABEL]},
        "behaviors": [{"type": "callback", "value": value}],
    }
