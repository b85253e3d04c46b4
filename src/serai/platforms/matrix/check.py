"""A look at an account's credentials: whose token it is, and whether the keys on disk are of its device."""

from collections.abc import Sequence

import aiohttp

from serai.core.error import CredentialsRefused
from serai.platforms import Check, Surroundings
from serai.platforms.matrix.client import Client
from serai.platforms.matrix.fault import Broken

_TOKEN_MEND = "log in as the bot, and put the session's access token into the variable that `access_token_env` names"


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Asks the homeserver who the token belongs to (`whoami`); sends nothing to anybody. Raises SecretMissing."""
    own = surroundings.settings.settings
    token = surroundings.secrets.get(None, str(own["access_token_env"])).strip()
    if not token:
        return [Check(False, "the access token is blank", _TOKEN_MEND)]
    homeserver, wanted = str(own["homeserver"]), own.get("device_id")
    client = Client(homeserver, token, surroundings.folder, surroundings.session)
    try:
        user_id, device_id = await client.whose()
    except CredentialsRefused as error:
        return [Check(False, str(error), _TOKEN_MEND)]
    except aiohttp.ClientConnectorError:
        return [
            Check(False, f"there is no connection to {homeserver}", "correct `homeserver`, or start the homeserver")
        ]
    except Broken as error:
        return [
            Check(False, f"{homeserver} did not answer as a homeserver does ({_said(error)})", "correct `homeserver`")
        ]
    if wanted not in (None, device_id):
        return [
            Check(
                False,
                f"the token belongs to the session (device) {device_id}, not to {wanted}",
                "correct `device_id`, or take it out",
            )
        ]
    return [Check(True, f"logged in as {user_id}, session {device_id}")]


def _said(error: BaseException) -> str:
    return str(error) if type(error) is ConnectionError else type(error).__name__
