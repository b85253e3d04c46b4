"""What `serai setup` and `serai doctor` ask the server."""

from collections.abc import Sequence

from serai.core.error import Shut, Startup
from serai.platforms import Check, Surroundings
from serai_irc.config import IrcConfig
from serai_irc.connection import Connection
from serai_irc.driver import Irc
from serai_irc.login import log_in


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Logs in and leaves; nothing is said to anybody. A running gateway has the nick: then another one is tried."""
    Irc.configured(surroundings)  # a password that cannot be one is refused as at the start
    config = IrcConfig.model_validate(surroundings.settings.settings)
    name = config.password_env
    try:
        connection = await Connection.opened(config)
    except (ConnectionError, Startup) as error:
        return [Check(False, str(error), "mend `server`, `port`, `tls` or `ca_file`")]
    try:
        nick = await log_in(connection, config, surroundings.secrets.get(None, name) if name is not None else None)
    except (ConnectionError, Shut) as error:
        return [Check(False, str(error))]
    finally:
        connection.close("only looking")
    return [Check(True, f"the server takes the bot as {nick}")]
