"""Settings of a WeCom account (SPEC 13). The keys that all accounts share are added by the configuration."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DEFAULT_URL: Final = "wss://openws.work.weixin.qq.com"


def _check_url(text: str) -> str:
    if not text.startswith(("wss://", "ws://")):
        raise ValueError("must be a wss:// address")
    return text


class WecomConfig(BaseModel):
    """`url` is for a test's own peer, or a relay of one's own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    bot_id_env: Annotated[str, Field(description="the variable that holds the bot's id")]
    secret_env: Annotated[str, Field(description="the variable that holds the bot's secret")]
    url: Annotated[str, AfterValidator(_check_url)] = DEFAULT_URL
