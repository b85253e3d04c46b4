"""Telegram's HTML as the Bot API takes it: what people read of it, or why it is refused."""

from html.parser import HTMLParser
from typing import Final

_TAGS: Final = {
    "b": set(),
    "i": set(),
    "s": set(),
    "u": set(),
    "a": {"href"},
    "code": {"class"},
    "pre": set(),
    "blockquote": {"expandable"},
    "tg-spoiler": set(),
}


class Unparsable(ValueError):
    """Markup that is refused."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise Unparsable(f'unsupported start tag "{tag}"')
        if unknown := {name for name, _ in attrs} - _TAGS[tag]:
            raise Unparsable(f"unknown attribute {unknown}")
        if {"pre", "code"} & set(self.open) and not (tag == "code" and self.open[-1] == "pre"):
            raise Unparsable(f'"{tag}" inside of code')
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Unparsable(f'unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise Unparsable("a comment")

    def handle_decl(self, decl: str) -> None:
        raise Unparsable("a declaration")

    def handle_pi(self, data: str) -> None:
        raise Unparsable("an instruction")


def read(html: str) -> str:
    """What people see. Raises Unparsable."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if reader.open:
        raise Unparsable(f"can't find end tag of {reader.open}")
    return "".join(reader.text)
