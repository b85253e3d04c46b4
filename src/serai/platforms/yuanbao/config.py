"""Settings of a Yuanbao account (SPEC 13). The keys that all accounts share are added by the configuration."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DEFAULT_API: Final = "https://bot.yuanbao.tencent.com"
DEFAULT_SOCKET: Final = "wss://bot-wss.yuanbao.tencent.com/wss/connection"


def _check_api(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("must be an https:// address")
    return text.rstrip("/")


def _check_socket(text: str) -> str:
    if not text.startswith(("wss://", "ws://")):
        raise ValueError("must be a wss:// address")
    return text


class YuanbaoConfig(BaseModel):
    """`api_url` and `socket_url` are for a test's own peer, or a relay of one's own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    app_key_env: Annotated[str, Field(description="the variable that holds the bot's app key")]
    app_secret_env: Annotated[str, Field(description="the variable that holds the bot's app secret")]
    api_url: Annotated[str, AfterValidator(_check_api)] = DEFAULT_API
    socket_url: Annotated[str, AfterValidator(_check_socket)] = DEFAULT_SOCKET
