"""Settings of a Discord account. The keys that all accounts share are added by the configuration."""

import re
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _check_name(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the NAME of a variable (letters, digits, `_`), never the token itself")
    return text


def _check_address(text: str, schemes: tuple[str, str]) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a valid address") from None
    if parts.scheme not in schemes or not host or not text.isprintable() or " " in text:
        raise ValueError(f"must be a {schemes[0]}:// or {schemes[1]}:// address")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user, password, query or fragment")
    return text.rstrip("/")


def _check_base(text: str) -> str:
    return _check_address(text, ("https", "http"))


def _check_gateway(text: str) -> str:
    return _check_address(text, ("wss", "ws"))


class DiscordConfig(BaseModel):
    """`token_env` names the variable with the bot's token."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    token_env: Annotated[str, AfterValidator(_check_name), Field(description="the bot's token")]
    message_content: Annotated[
        bool,
        Field(description="ask for the Message Content Intent; without it only mentions and direct chats are read"),
    ] = True
    base_url: Annotated[
        str | None, AfterValidator(lambda text: text and _check_base(text)), Field(description="another REST server")
    ] = None
    gateway_url: Annotated[
        str | None, AfterValidator(lambda text: text and _check_gateway(text)), Field(description="another gateway")
    ] = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.base_url is None) != (self.gateway_url is None):
            raise ValueError("`base_url` and `gateway_url` belong together: set both or none")
        return self
