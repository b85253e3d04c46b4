"""Slack's Web API: its client, and its errors in our words."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from serai.core.error import CredentialsRefused, SendPermanent, SendTemporary, SendUnknown

PATIENCE_S: Final = 30.0

_QUIET: Final = logging.Logger("slack", level=logging.CRITICAL + 1)
"""The client's own log prints tokens and texts when it is asked to be detailed."""

_SHUT: Final = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
_AGAIN: Final = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org"}
)


def client(token: str, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client that tries nothing twice: that is for those who know what may be repeated."""
    return AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[], logger=_QUIET)


async def ask(web: AsyncWebClient, method: str, **fields: Any) -> dict[str, Any]:
    """A call of the connection itself. Raises CredentialsRefused, ConnectionError."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return _data(await web.api_call(method, json=fields))
    except SlackApiError as error:
        code = _code(error)
        if code in _SHUT:
            raise CredentialsRefused(
                f"Slack does not take the credentials ({method}: {code}); look the tokens up at api.slack.com/apps"
            ) from None
        raise ConnectionError(f"Slack answered {method} with {code}") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"no connection to Slack ({type(error).__name__})") from None


async def say(web: AsyncWebClient, method: str, **fields: Any) -> dict[str, Any]:
    """A call that sends something; fields that are None are left out. Raises as `called`."""
    wanted = {name: value for name, value in fields.items() if value is not None}
    return await called(web.api_call(method, json=wanted))


async def called(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """What a call was answered. Raises SendTemporary, SendPermanent, SendUnknown."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return _data(await call)
    except SlackApiError as error:
        raise failure(error) from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise SendTemporary(f"no connection to Slack ({type(error).__name__})") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SendUnknown(f"Slack did not answer ({type(error).__name__})") from None


def failure(error: SlackApiError) -> SendTemporary | SendPermanent:
    """An answer that is an error. Of a call that Slack has answered so, nothing was done."""
    code, status = _code(error), error.response.status_code
    if status == 429 or code == "ratelimited":
        return SendTemporary("Slack limits the rate", _seconds(error.response.headers.get("Retry-After")))
    if status >= 500 or code in _AGAIN or code in _SHUT:
        return SendTemporary(f"Slack answered {code}")
    return SendPermanent(f"Slack answered {code}")


def _data(response: Any) -> dict[str, Any]:
    found = response.data
    return found if isinstance(found, dict) else {}


def _code(error: SlackApiError) -> str:
    """Slack's word for what was wrong, or the status where it said none."""
    data = error.response.data
    word = data.get("error") if isinstance(data, dict) else None
    return word if isinstance(word, str) and len(word) < 80 else f"status {error.response.status_code}"


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None
