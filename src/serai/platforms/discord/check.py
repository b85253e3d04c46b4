"""What Discord says of an account's token: whose it is, what the bot may read, where it is."""

from collections.abc import Sequence
from typing import Final, TypeVar

import aiohttp
import msgspec

from serai.platforms import Check, Surroundings
from serai.platforms.discord.wire import Application, Me, Server
from serai.ports.secrets import SecretMissing

_ROOT: Final = "https://discord.com"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)
_CONTENT: Final = 1 << 18 | 1 << 19
"""The application's flags for the Message Content Intent: approved, or switched on for fewer than 100 servers."""

_CONSOLE: Final = "on the page Bot of the application at https://discord.com/developers/applications"
_T = TypeVar("_T")


class _Answered(Exception):
    """Discord answered something else than 200, whose number is the text."""


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """Looks at an account's token, intents and servers."""
    own = surroundings.settings.settings
    name = str(own["token_env"])
    try:
        token = surroundings.secrets.get(None, name).strip()
    except SecretMissing:
        return [Check(ok=False, text="there is no token", mend=f"put the bot's token into the variable {name}")]
    asking = _Asking(surroundings.session, f"{own.get('base_url') or _ROOT}/api/v10", token)
    try:
        me = await asking.ask("/users/@me", Me)
        application = await asking.ask("/applications/@me", Application)
        servers = await asking.ask("/users/@me/guilds", list[Server])
    except _Answered as error:
        return [_refused(str(error), name)]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [
            Check(ok=False, text=f"Discord cannot be reached ({type(error).__name__})", mend="look at the network")
        ]
    except msgspec.MsgspecError:
        return [Check(ok=False, text="what answers is not Discord", mend="look at `base_url`")]
    found = [Check(ok=True, text=f"the token is {me.username}'s"), _servers(len(servers))]
    return [*found, *_intents(application, wanted=own.get("message_content") is not False)]


class _Asking:
    def __init__(self, session: aiohttp.ClientSession, root: str, token: str) -> None:
        self._session = session
        self._root = root
        self._headers = {"Authorization": f"Bot {token}"}

    async def ask(self, path: str, kind: type[_T]) -> _T:
        url = self._root + path
        async with self._session.get(url, headers=self._headers, timeout=_TIMEOUT, allow_redirects=False) as answer:
            if answer.status != 200:
                raise _Answered(str(answer.status))
            return msgspec.json.decode(await answer.read(), type=kind)


def _refused(status: str, name: str) -> Check:
    if status == "401":
        mend = f"make a new one (Reset Token, {_CONSOLE}) and put it into the variable {name}"
        return Check(ok=False, text="Discord refuses the token", mend=mend)
    return Check(ok=False, text=f"Discord answered {status}", mend="try again later")


def _servers(count: int) -> Check:
    if count:
        return Check(ok=True, text=f"the bot is on {count} server{'s' if count > 1 else ''}")
    return Check(
        ok=False,
        text="the bot is on no server, so that nobody can write to it",
        mend="invite it: page OAuth2 of the application, URL Generator, scope `bot`",
    )


def _intents(application: Application, *, wanted: bool) -> list[Check]:
    found = []
    if wanted and not application.flags & _CONTENT:
        mend = f"switch it on, {_CONSOLE}, or set `message_content: false`"
        found.append(Check(ok=False, text="the Message Content Intent is off", mend=mend))
    if application.interactions_endpoint_url:
        mend = "take the Interactions Endpoint URL away, on the page General Information of the application"
        found.append(Check(ok=False, text="pressed buttons are told to another address", mend=mend))
    return found
