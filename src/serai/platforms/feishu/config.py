"""Settings of a Feishu or Lark account. The keys that all accounts share are added by the configuration."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_HOSTS: Final = {"feishu": "https://open.feishu.cn", "lark": "https://open.larksuite.com"}


def address_of(domain: str) -> str:
    """The address that a `domain` stands for, without a slash at its end. Raises ValueError for an unusable one.

    >>> address_of("lark")
    'https://open.larksuite.com'
    """
    address = _HOSTS.get(domain.strip().casefold(), domain.strip())
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be feishu, lark, or an address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be feishu, lark, or an address such as https://open.feishu.example")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must be a plain address, without user, password, query or fragment")
    if not address.isprintable() or " " in address:
        raise ValueError("must not hold blanks or control characters")
    return address.rstrip("/")


def _check_domain(text: str) -> str:
    address_of(text)
    return text


def _check_app_id(text: str) -> str:
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise ValueError("must be the App ID as the console shows it (cli_ and 16 signs)")
    return text


class FeishuConfig(BaseModel):
    """One app (bot)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    app_id: Annotated[str, AfterValidator(_check_app_id), Field(description="The app's App ID, cli_…")]
    app_secret_env: Annotated[str, Field(description="The variable with the app's App Secret")]
    domain: Annotated[
        str,
        AfterValidator(_check_domain),
        Field(description="feishu (China), lark (international), or the address of a private installation"),
    ] = "feishu"
