"""Whether Slack takes an account's tokens, and what they may do. No socket is opened."""

from collections.abc import Sequence
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError

from serai.core.error import SeraiError
from serai.platforms import Check, Surroundings
from serai.platforms.slack.web import ask, client

_SCOPES: Final = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "mpim:history",
    "users:read",
)


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Asks Slack who the bot is, which scopes it has, and whether the app may open a socket."""
    own, secrets = surroundings.settings.settings, surroundings.secrets
    base_url, session = str(own["base_url"]), surroundings.session
    try:
        bot_token, app_token = (secrets.get(None, str(own[name])) for name in ("bot_token_env", "app_token_env"))
    except SeraiError as error:
        return [Check(False, str(error), "set the variables that `bot_token_env` and `app_token_env` name")]
    return [*await _bot(bot_token, base_url, session), await _socket(app_token, base_url, session)]


async def _bot(token: str, base_url: str, session: aiohttp.ClientSession) -> list[Check]:
    try:
        me = await client(token, base_url, session).auth_test()
    except SlackApiError as error:
        word = error.response.get("error", "an error")
        return [
            Check(False, f"Slack does not take the bot token ({word})", "reinstall the app and copy its bot token")
        ]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [Check(False, f"no connection to Slack ({type(error).__name__})", "try again")]
    found = [Check(True, f"the bot token is that of {me.get('user')} in {me.get('team')}")]
    scopes = {word.strip() for word in me.headers.get("x-oauth-scopes", "").split(",")}
    missing = [scope for scope in _SCOPES if scope not in scopes]
    if missing and scopes != {""}:
        mend = "add them under OAuth & Permissions and install the app again"
        found.append(Check(False, f"the bot lacks the scopes {', '.join(missing)}", mend))
    return found


async def _socket(token: str, base_url: str, session: aiohttp.ClientSession) -> Check:
    try:
        await ask(client(token, base_url, session), "apps.connections.open")
    except (SeraiError, OSError) as error:
        return Check(False, str(error), "turn Socket Mode on and copy the app-level token (scope connections:write)")
    return Check(True, "the app token opens sockets")
