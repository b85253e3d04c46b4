"""The token with which a bot logs in: signed for, kept until shortly before it ends (Yuanbao's sign-token call)."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import aiohttp
import msgspec

from serai import __version__
from serai.core.error import CredentialsRefused
from serai.ports.clock import Clock, Entropy

_PATH: Final = "/api/v5/robotLogic/sign-token"
_BEIJING: Final = timezone(timedelta(hours=8))
_EARLY_S: Final = 300.0
_AGAIN: Final = 10099
_TRIES: Final = 3
_PAUSE_S: Final = 1.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, connect=10)

INSTANCE: Final = "16"
"""What kind of client we are; the number of the vendor's own plugin."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token and whose it is. `until` in seconds since the epoch."""

    token: str
    bot_id: str
    source: str
    until: float

    def headers(self) -> Mapping[str, str]:
        """Of every other HTTP call."""
        return {"X-ID": self.bot_id, "X-Token": self.token, "X-Source": self.source}


class _Data(msgspec.Struct):
    token: str
    bot_id: str
    duration: float = 3600
    product: str = ""
    source: str = "bot"


class _Reply(msgspec.Struct):
    code: int
    msg: str = ""
    data: _Data | None = None


class Tokens:
    """One bot's token; whoever asks while one is fetched gets the same."""

    def __init__(
        self, key: str, secret: str, api_url: str, session: aiohttp.ClientSession, clock: Clock, entropy: Entropy
    ) -> None:
        self._key = key
        self._secret = secret
        self._url = api_url + _PATH
        self._session = session
        self._clock = clock
        self._entropy = entropy
        self._held: Credential | None = None
        self._one = asyncio.Lock()

    async def get(self) -> Credential:
        """A token that is good for a while. Raises CredentialsRefused, ConnectionError."""
        async with self._one:
            if self._held is None or self._clock.now() > self._held.until - _EARLY_S:
                self._held = await self._fetched()
            return self._held

    def forget(self) -> None:
        """The token is no longer taken."""
        self._held = None

    async def _fetched(self) -> Credential:
        for _ in range(_TRIES):
            reply = await self._ask()
            if reply.code != _AGAIN:
                break
            await asyncio.sleep(_PAUSE_S)
        if reply.code == _AGAIN:
            raise ConnectionError("Yuanbao gives no token now")
        if reply.code or reply.data is None:
            raise CredentialsRefused(
                f"Yuanbao does not take the app key and secret (code {reply.code}); look them up in its app"
            )
        data = reply.data
        return Credential(data.token, data.bot_id, data.source, self._clock.now() + data.duration)

    async def _ask(self) -> _Reply:
        headers = {
            "X-AppVersion": __version__,
            "X-OperationSystem": "linux",
            "X-Instance-Id": INSTANCE,
            "X-Bot-Version": __version__,
        }
        try:
            async with self._session.post(
                self._url, json=self._signed(), headers=headers, timeout=_TIMEOUT
            ) as response:
                if response.status >= 500:
                    raise ConnectionError(f"Yuanbao's token service answered {response.status}")
                return msgspec.json.decode(await response.read(), type=_Reply)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(f"no connection to Yuanbao's token service ({type(error).__name__})") from None
        except msgspec.DecodeError:
            raise ConnectionError("Yuanbao's token service answered something else") from None

    def _signed(self) -> dict[str, Any]:
        nonce = (self._entropy.token() + self._entropy.token())[:32]
        at = datetime.fromtimestamp(self._clock.now(), UTC).astimezone(_BEIJING).isoformat(timespec="seconds")
        plain = nonce + at + self._key + self._secret
        signature = hmac.new(self._secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
        return {"app_key": self._key, "nonce": nonce, "timestamp": at, "signature": signature}
