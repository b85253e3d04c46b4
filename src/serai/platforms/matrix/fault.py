"""What a homeserver's refusals and a broken connection mean."""

from typing import Final

import aiohttp
from nio import ErrorResponse

from serai.core.error import CredentialsRefused, SendFailed, SendPermanent, SendTemporary, SendUnknown

_REFUSED_CODES: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"})

Broken = (aiohttp.ClientError, TimeoutError, OSError)
"""What a request raises when no answer came."""


class KeysRefused(aiohttp.ClientError):
    """The homeserver refused what encryption needs; the text is the HTTP status."""


class NotShared(Exception):
    """An encrypted room's key has not reached all who must read it, so nothing was sent with it."""


def status_of(response: ErrorResponse) -> int:
    """The HTTP status; 0 where an answer that should have been fine was not."""
    transport = response.transport_response
    return 0 if transport is None or transport.status < 400 else int(transport.status)


def retry_after(response: ErrorResponse) -> float | None:
    """Seconds that a homeserver asks to wait: of its document, else of the header."""
    if response.retry_after_ms:
        return float(response.retry_after_ms) / 1000
    header = response.transport_response.headers.get("Retry-After", "") if response.transport_response else ""
    return float(header[:9]) if header.isascii() and header.isdigit() else None


def send_failed(response: ErrorResponse) -> SendFailed:
    """Why an event or a file was not taken. The homeserver's own words are left out: they may quote ours."""
    status, code = status_of(response), response.status_code or "no code"
    if status == 429 or code == "M_LIMIT_EXCEEDED":
        return SendTemporary("the homeserver limits the rate", retry_after(response))
    if status in (401, 408) or status >= 500:
        return SendTemporary(f"the homeserver answered with {status} ({code})")
    if status == 0:
        return SendUnknown("the homeserver's answer could not be read")
    return SendPermanent(f"the homeserver refused it with {status} ({code})")


def send_broken(error: BaseException) -> SendFailed:
    """A send that got no answer: surely not sent where there was no connection."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return SendTemporary(f"no connection to the homeserver ({type(error).__name__})")
    return SendUnknown(f"the homeserver got it and did not answer ({type(error).__name__})")


def lost(response: ErrorResponse) -> ConnectionError | CredentialsRefused:
    """Why the connection cannot go on."""
    status, code = status_of(response), response.status_code or "no code"
    if status == 401 or code in _REFUSED_CODES:
        return CredentialsRefused(
            f"the homeserver refuses the access token ({code}); log in as the bot again and put the new token into "
            "the variable that `access_token_env` names"
        )
    return ConnectionError(f"the homeserver answered with {status or 'something unreadable'} ({code})")
