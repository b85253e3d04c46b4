"""Settings of a Matrix account. The keys that all accounts share are added by the configuration."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_homeserver(text: str) -> str:
    """A homeserver's address without path, query, user and password; as it was, less a last slash. Raises
    ValueError."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an http:// or https:// address, such as https://matrix.example.org")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if parts.path not in ("", "/") or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError("must end after the host and port")
    return text.removesuffix("/")


def _check_name(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the NAME of a variable (letters, digits, `_`), never the token itself")
    return text


class MatrixConfig(BaseModel):
    """Where the bot's account is, and the variable with its access token."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    homeserver: Annotated[
        str,
        AfterValidator(check_homeserver),
        Field(description="The homeserver's address, such as https://matrix.example.org"),
    ]
    access_token_env: Annotated[
        str, AfterValidator(_check_name), Field(description="The variable with the bot's access token")
    ]
    device_id: Annotated[
        str | None,
        Field(
            min_length=1, description="The session (device) that the token must belong to; by default whichever it is"
        ),
    ] = None
