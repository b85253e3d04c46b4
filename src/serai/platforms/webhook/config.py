"""Settings of a webhook account (SPEC 13.1). The keys that all accounts share are added by the configuration."""

import re
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_url(text: str) -> str:
    """An absolute http or https address without user and password, as it was. Raises ValueError."""
    try:
        parts: SplitResult = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if not text.isprintable() or " " in text:
        raise ValueError("must not hold blanks or control characters")
    return text


def _check_name(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the NAME of a variable (letters, digits, `_`), never the secret itself")
    return text


class WebhookConfig(BaseModel):
    """`secret_env` names the variable with the signing secret; answers are POSTed to `callback_url`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    secret_env: Annotated[str, AfterValidator(_check_name)]
    callback_url: Annotated[str, AfterValidator(check_url), Field(repr=False)]
