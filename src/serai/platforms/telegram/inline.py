"""Markdown inside a line as Telegram's HTML (Bot API, "HTML style"). Pure."""

import re
from html import escape
from typing import Final

_SPAN: Final = re.compile(
    r"""
      \\(?P<escaped>[!-/:-@\[-`{-~])
    | (?P<ticks>`+)(?P<code>[^\n]+?)(?<!`)(?P=ticks)(?!`)
    | !?\[(?P<label>[^\[\]\n]+)\]\((?P<url>(?:[^()\s]|\([^()\s]*\))+)(?:[ ]+"[^"\n]*")?\)
    | <(?P<auto>https?://[^<>\s]+)>
    | \*\*\*(?P<both>(?=\S)[^\n*]+(?<=\S))\*\*\*
    | \*\*(?P<bold>(?=\S)(?:[^\n*]|\*(?!\*))+(?<=\S))\*\*
    | (?<!\w)__(?P<bold2>(?=\S)(?:[^\n_]|_(?!_))+(?<=\S))__(?!\w|\(|\.\w)
    | ~~(?P<strike>(?=\S)[^\n~]+(?<=\S))~~
    | (?<![\w*])\*(?P<italic>(?=\S)[^\n*]+(?<=\S))\*(?![\w*])
    | (?<!\w)_(?P<italic2>(?=\S)[^\n_]+(?<=\S))_(?!\w)
    """,
    re.VERBOSE,
)
_TAGS: Final = {
    "both": "<b><i>{}</i></b>",
    "bold": "<b>{}</b>",
    "bold2": "<b>{}</b>",
    "strike": "<s>{}</s>",
    "italic": "<i>{}</i>",
    "italic2": "<i>{}</i>",
}
_LINKED: Final = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
"""Addresses that may become links. `tg://user?id=…` would call somebody by name."""


def inline(text: str) -> str:
    """A line, or several, of Markdown as HTML. What is no markup is text, and stays as it is."""
    parts, end = [], 0
    for match in _SPAN.finditer(text):
        parts += [escape(text[end : match.start()], quote=False), _span(match)]
        end = match.end()
    return "".join([*parts, escape(text[end:], quote=False)])


def _span(match: re.Match[str]) -> str:
    found = {name: part for name, part in match.groupdict().items() if part is not None}
    if "escaped" in found:
        return escape(found["escaped"], quote=False)
    if "code" in found:
        code = found["code"]
        padded = code[:1] == code[-1:] == " " and code.strip()
        return f"<code>{escape(code[1:-1] if padded else code, quote=False)}</code>"
    if "label" in found:
        return _link(found["label"], found["url"])
    if "auto" in found:
        return escape(found["auto"], quote=False)
    name = next(name for name in _TAGS if name in found)
    return _TAGS[name].format(inline(found[name]))


def _link(label: str, url: str) -> str:
    if not _LINKED.match(url):
        return f"{inline(label)} ({escape(url, quote=False)})"
    return f'<a href="{escape(url)}">{inline(label)}</a>'
