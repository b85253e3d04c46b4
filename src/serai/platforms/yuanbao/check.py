"""Whether Yuanbao takes an account's key and secret: a token is signed for, and no connection is made."""

from collections.abc import Sequence

from serai.core.error import CredentialsRefused, SeraiError
from serai.platforms import Check, Surroundings
from serai.platforms.yuanbao.token import Tokens


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Asks for a token."""
    own, secrets = surroundings.settings.settings, surroundings.secrets
    try:
        tokens = Tokens(
            secrets.get(None, str(own["app_key_env"])),
            secrets.get(None, str(own["app_secret_env"])),
            str(own["api_url"]),
            surroundings.session,
            surroundings.clock,
            surroundings.entropy,
        )
        credential = await tokens.get()
    except CredentialsRefused as error:
        return [Check(False, str(error), "look up the bot's app key and secret in Yuanbao's app")]
    except (SeraiError, OSError) as error:
        return [Check(False, str(error), f"is `{own['api_url']}` reachable from here?")]
    return [Check(True, f"Yuanbao takes the key and secret of bot {credential.bot_id}")]
