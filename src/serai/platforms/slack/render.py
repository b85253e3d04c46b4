"""Answers as Slack takes them: Markdown, which Slack turns into its own (parameter `markdown_text`). Pure."""

import re
from collections.abc import Sequence
from typing import Any, Final

from serai.core.delivery import Button

LIMIT: Final = 11_500
"""Characters of an answer; Slack takes 12,000, and names that must not be called take one more each."""

_HARD_LIMIT: Final = 12_000
_CALLS: Final = re.compile(r"<(?=[!@#])")
_BREAK: Final = "<\u200b"


def markdown(text: str) -> str | None:
    """The text for `markdown_text`, in which nobody is called (`<!channel>`); None where it became too long."""
    made = _CALLS.sub(_BREAK, text)
    return made if len(made) <= _HARD_LIMIT else None


def plain(text: str) -> str:
    """The text for `text`, where Slack does not take the Markdown: shown as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def choice(text: str, buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """A text with a row of buttons below."""
    elements = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": button.label},
            "action_id": f"serai-{number}",
            "value": button.value,
        }
        for number, button in enumerate(buttons)
    ]
    said = markdown(text)
    return [{"type": "markdown", "text": said or plain(text)}, {"type": "actions", "elements": elements}]
