"""Whether WeCom takes an account's credentials. The bot logs in for a moment, so nothing else may be using it."""

from collections.abc import Sequence
from importlib.util import find_spec

from serai.core.error import CredentialsRefused, SeraiError
from serai.platforms import Check, Surroundings
from serai.platforms.wecom.connection import connect
from serai.platforms.wecom.media import MISSING


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Logs in and out again."""
    own, secrets = surroundings.settings.settings, surroundings.secrets
    try:
        bot_id = secrets.get(None, str(own["bot_id_env"]))
        secret = secrets.get(None, str(own["secret_env"]))
        connection = await connect(surroundings.session, str(own["url"]), surroundings.entropy.token)
        try:
            await connection.log_in(bot_id, secret)
        finally:
            await connection.close()
    except CredentialsRefused as error:
        return [Check(False, str(error), "look up the bot's id and secret in WeCom's console")]
    except (SeraiError, OSError, TimeoutError) as error:
        return [Check(False, str(error) or "WeCom did not answer", f"is `{own['url']}` reachable from here?")]
    found = [Check(True, f"WeCom takes the id and secret of bot {bot_id}")]
    if find_spec("cryptography") is None:
        found.append(Check(False, MISSING, "pip install 'serai[wecom]'"))
    return found
