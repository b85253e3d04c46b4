"""Settings of a Slack account (SPEC 13). The keys that all accounts share are added by the configuration."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DEFAULT_URL: Final = "https://slack.com/api/"


def _check_url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("must be an https:// address")
    return text.rstrip("/") + "/"


class SlackConfig(BaseModel):
    """`base_url` is for a test's own peer, or a relay of one's own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    bot_token_env: Annotated[str, Field(description="the variable that holds the bot token, xoxb-…")]
    app_token_env: Annotated[str, Field(description="the variable that holds the app-level token, xapp-…")]
    base_url: Annotated[str, AfterValidator(_check_url)] = DEFAULT_URL
