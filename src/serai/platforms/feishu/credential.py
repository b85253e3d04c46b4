"""The app's access token (`tenant_access_token`), renewed before it ends."""

import asyncio
from typing import Final

import msgspec

from serai.core.error import CredentialsRefused, SendFailed, SendTemporary
from serai.platforms.feishu.fault import Rejected, checked
from serai.platforms.feishu.http import Http, Request

_PATH: Final = "/open-apis/auth/v3/tenant_access_token/internal"
_EARLY_SECONDS: Final = 600.0
"""A new token is given out once the old one has less than 30 minutes left; both are good until then."""

_SHORTEST_SECONDS: Final = 30.0
_FIRST_CODE: Final = 1000
"""The platform's own codes begin above HTTP's, which something on the way may have answered with."""


class Token(msgspec.Struct, frozen=True):
    """A token and for how many seconds it is good."""

    tenant_access_token: str
    expire: float


class Credential:
    """The app id and secret of one account."""

    __slots__ = ("_lock", "_renew_at", "_secret", "_token", "app_id", "hint")

    def __init__(self, app_id: str, secret: str, hint: str) -> None:
        """`hint` ends the sentence about refused credentials: what to set."""
        self.app_id = app_id
        self.hint = hint
        self._secret = secret
        self._token = ""
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    def login(self) -> bytes:
        """What the long connection's address is asked for with."""
        return msgspec.json.encode({"AppID": self.app_id, "AppSecret": self._secret})

    async def token(self, http: Http) -> str:
        """A token that is good for a while. One request at a time.

        Raises CredentialsRefused, or SendTemporary where none can be had now.
        """
        async with self._lock:
            if not self._token or asyncio.get_running_loop().time() >= self._renew_at:
                await self._renew(http)
            return self._token

    def forget(self, token: str) -> None:
        """This token was not taken; the next one is a new one."""
        if self._token == token:
            self._token = ""

    async def _renew(self, http: Http) -> None:
        body = msgspec.json.encode({"app_id": self.app_id, "app_secret": self._secret})
        try:
            reply = checked(await http.ask(Request("POST", _PATH, body=body)))
            token = msgspec.json.decode(reply, type=Token)
        except Rejected as error:
            if error.code < _FIRST_CODE:
                raise SendTemporary(f"no access token: {error}") from None
            raise CredentialsRefused(f"{error}: the app id or secret is wrong or was renewed; {self.hint}") from None
        except SendTemporary:
            raise
        except (SendFailed, msgspec.DecodeError) as error:
            raise SendTemporary(f"no access token: {error}") from None
        lasts = max(_SHORTEST_SECONDS, token.expire - _EARLY_SECONDS)
        self._token, self._renew_at = token.tenant_access_token, asyncio.get_running_loop().time() + lasts
