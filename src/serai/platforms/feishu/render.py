"""Markdown as the platform's own: posts (`md`) and cards have no headings' signs, pictures by address, or tables that
are sure to be taken. Pure."""

import re
from typing import Final

import msgspec

from serai.core.fence import fences

_HEADING: Final = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_PICTURE: Final = re.compile(r"!(?=\[[^\]\n]*\]\([^)\n]*\))")
_TABLE: Final = re.compile(
    r"^[ ]{0,3}\|?[^\n|]*\|[^\n]*\n[ ]{0,3}\|?[ :]*-{2,}[-| :]*(?:\n[^\n]*\|[^\n]*)*", re.MULTILINE
)
_MENTION: Final = re.compile(r"<(?=\s*/?\s*(?:at|person)\b)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BOLD: Final = re.compile(r"\*\*|__")


def render(text: str) -> str:
    """The text for a post's `md` tag or a card's `markdown` element. Nobody is mentioned by it (SPEC 14): tags that
    would are broken by an invisible sign."""
    parts, index = [], 0
    for fence in fences(text):
        parts += [_prose(text[index : fence.start]), text[fence.start : fence.end]]
        index = fence.end
    parts.append(_prose(text[index:]))
    return plain("".join(parts))


def plain(text: str) -> str:
    """The same text as it is written, for messages without Markdown; as harmless."""
    return _MENTION.sub("<\u200b", _CONTROL.sub("", text))


def post(text: str) -> str:
    """The content of a post."""
    return msgspec.json.encode({"zh_cn": {"content": [[{"tag": "md", "text": text}]]}}).decode()


def picture_post(text: str, image_key: str) -> str:
    """The content of a post that has a picture under its text."""
    content = [[{"tag": "md", "text": text}], [{"tag": "img", "image_key": image_key}]]
    return msgspec.json.encode({"zh_cn": {"content": content}}).decode()


def _prose(text: str) -> str:
    tables = _TABLE.sub(lambda table: f"```\n{table.group()}\n```", text)
    parts = re.split(r"(^```\n.*?\n```$)", tables, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if number % 2 else _line_by_line(part) for number, part in enumerate(parts))


def _line_by_line(text: str) -> str:
    bold = _HEADING.sub(lambda heading: f"**{_BOLD.sub('', heading.group(1))}**", text)
    return _PICTURE.sub("", bold)
