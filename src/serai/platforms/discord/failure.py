"""What went wrong, as the gateway's errors.

The library repeats limited and failed requests by itself and sleeps meanwhile. Waiting is the outbox's affair, which
knows the order of a chat and tells people; so such answers are turned into errors before the library sees them.
Errors are not chained: theirs may tell an address with an interaction's token, or a text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Final

import aiohttp
import discord
import msgspec

from serai.core.error import CredentialsRefused, SendPermanent, SendTemporary, SendUnknown, Shut

_LIMITED_SECONDS: Final = 60.0
"""The wait where a limit names none: then it is the network's in front of Discord, which is strict."""

_REASONS: Final = {
    10003: "there is no such channel (any more)",
    10008: "there is no such message (any more)",
    40005: "the file is larger than this server takes",
    50001: "the bot may not see that channel",
    50005: "the message is somebody else's",
    50007: "this person takes no direct messages from the bot",
    50013: "the bot may not do that in this channel",
    50083: "the thread is archived",
}
"""By Discord's own codes (their documentation, Opcodes and Status Codes, JSON)."""

_INTENTS: Final = (
    "Discord refuses the Message Content Intent: switch it on, on the page Bot of the application at "
    "https://discord.com/developers/applications, or set `message_content: false`"
)
_TOKEN: Final = (
    "Discord refuses the bot's token: make a new one (Reset Token, on the page Bot of the application at "
    "https://discord.com/developers/applications) and put it into the variable that `token_env` names"
)


class _Limit(msgspec.Struct):
    """The body of a 429 as far as it matters."""

    retry_after: float


def impatience() -> aiohttp.TraceConfig:
    """A trace that ends a request as soon as its answer says "later" or "broken"."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_look)
    return trace


async def _look(_: aiohttp.ClientSession, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
    response = ended.response
    if response.status == 429:
        wait = await _wait(response)
        response.release()
        raise SendTemporary("Discord limits the rate", wait)
    if response.status >= 500:
        response.release()
        raise SendTemporary(f"Discord answered {response.status}")


async def _wait(response: aiohttp.ClientResponse) -> float:
    """What a 429 asks for: its document is exact, its header rounds up."""
    try:
        return max(0.0, msgspec.json.decode(await response.read(), type=_Limit).retry_after)
    except (msgspec.MsgspecError, aiohttp.ClientError):
        header = response.headers.get("Retry-After", "")
    return float(header[:9]) if header.isascii() and header.isdigit() else _LIMITED_SECONDS


@contextmanager
def told() -> Iterator[None]:
    """Has what the library raises inside the block come out as SendTemporary, SendPermanent or SendUnknown."""
    try:
        yield
    except discord.HTTPException as error:
        raise _refusal(error) from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise SendTemporary(f"no connection to Discord ({type(error).__name__})") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SendUnknown(f"Discord was asked and gave no answer ({type(error).__name__})") from None


def _refusal(error: discord.HTTPException) -> SendTemporary | SendPermanent:
    if error.status in (401, 408, 409, 429):
        return SendTemporary(f"Discord answered {error.status}")
    reason = _REASONS.get(error.code)
    return SendPermanent(reason or f"Discord refuses it ({error.status}, code {error.code})")


def why_ended(error: BaseException) -> Exception:
    """Why a connection ended: Shut where it must not be made again, else ConnectionError."""
    if isinstance(error, discord.LoginFailure):
        return CredentialsRefused(_TOKEN)
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return CredentialsRefused(_INTENTS)
    if isinstance(error, discord.ConnectionClosed):
        return _closed(error.code)
    if isinstance(error, discord.HTTPException):
        return ConnectionError(f"Discord answered {error.status}")
    if isinstance(error, SendTemporary):
        return ConnectionError(str(error))
    return ConnectionError(f"no connection to Discord ({type(error).__name__})")


def _closed(code: int | None) -> Exception:
    """By Discord's close codes (their documentation, Opcodes and Status Codes, Gateway)."""
    if code == 4004:
        return CredentialsRefused(_TOKEN)
    if code == 4014:
        return CredentialsRefused(_INTENTS)
    if code == 4011:
        return Shut("this bot is on more servers than one connection may serve (2,500); sharding is not supported")
    if code in (4010, 4012, 4013):
        return Shut(f"Discord refuses the connection as invalid (code {code}): a newer version of Serai is needed")
    return ConnectionError(f"Discord closed the connection (code {code})")
