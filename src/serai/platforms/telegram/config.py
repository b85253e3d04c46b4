"""Settings of a Telegram account (SPEC 13). The keys that all accounts share are added by the configuration."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PUBLIC_API: Final = "https://api.telegram.org"


def _check_name(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the NAME of a variable (letters, digits, `_`), never the token itself")
    return text


def check_root(text: str) -> str:
    """The root of a Bot API server, without a slash at its end. Raises ValueError."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an http:// or https:// address")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must hold no user, no password, no query and no fragment")
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in " {}"):
        raise ValueError("must not hold blanks, braces or control characters")
    return text.rstrip("/")


class TelegramConfig(BaseModel):
    """`token_env` names the variable with the bot's token; `base_url` is the root of the Bot API server."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    token_env: Annotated[
        str,
        AfterValidator(_check_name),
        Field(description="The token that @BotFather gave for the bot, digits and letters around a colon"),
    ]
    base_url: Annotated[
        str,
        AfterValidator(check_root),
        Field(description="The root of the Bot API server; Telegram's own unless you run one yourself"),
    ] = PUBLIC_API
