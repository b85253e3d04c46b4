"""Checks of single values: names of variables, addresses, placeholders."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from serai.config.section import Section

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_PLAIN_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*").fullmatch
_PLACEHOLDER = re.compile(
    r"<.*>|\$?\{.*\}|x{3,}|\*{3,}|\.{3,}|your[-_ ].*|.*[-_ ]here|(change|replace)[-_ ]?(me|this)"
).fullmatch
_EMPTY_WORDS: Final = frozenset({"placeholder", "todo", "tbd", "none", "null", "undefined"})


def is_variable(text: str) -> bool:
    """Whether an environment variable may have that name."""
    return _VARIABLE(text) is not None


def named(variable: str) -> str:
    """A variable's name for use in a sentence.

    Someone may have put the key itself where its name belongs; a name in capitals is surely a name, and only that
    is repeated.
    """
    return f"`{variable}`" if _PLAIN_VARIABLE(variable) else "the variable named here"


def is_placeholder(text: str) -> bool:
    """Whether a value was left from an example: `changeme`, `your-token-here`, `<token>`, `xxx` (SPEC 14)."""
    word = text.strip().lower()
    return word in _EMPTY_WORDS or _PLACEHOLDER(word) is not None


def read_variable(section: Section, key: str) -> str | None:
    """The name of a variable that holds a secret; the value itself is refused, and never repeated."""
    name = section.text(key)
    if name is None or is_variable(name):
        return name
    section.report.add(
        section.place_of(key), "must be the NAME of a variable (letters, digits, _), never the secret itself"
    )
    return None


def read_address(section: Section, key: str, example: str = "http://127.0.0.1:8000/v1") -> str | None:
    """An http or https address such as `example`, without user, query and fragment; a slash at its end is dropped."""
    text = section.text(key)
    if text is None:
        return None
    fault = _address_fault(text, example)
    if fault is None:
        return text.rstrip("/")
    section.report.add(section.place_of(key), fault)
    return None


def _address_fault(text: str, example: str) -> str | None:
    usual = f"must be an address such as {example}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return usual
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s<>{}]", text):
        return usual
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if "?" in text or "#" in text:
        return "must be an address without `?` and `#`"
    return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
