"""What went wrong with an upstream, as an error of the right kind with a sentence for people (SPEC 11.8, 14)."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from serai.core.error import (
    ModelError,
    ModelFailed,
    ModelGarbled,
    ModelLimited,
    ModelRejected,
    ModelTimeout,
    ModelUnreachable,
)
from serai.core.redact import MARK

DETAIL_MOST: Final = 300
_SHOWN_FROM: Final = 4096
"""How many characters of a foreign text are looked at."""

_SECRET_FROM: Final = 4
"""Shorter keys are placeholders; hiding them would only garble sentences."""

_REASONS: Final = {
    401: "did not accept the key",
    403: "does not allow this",
    404: "does not know this model or address",
    408: "gave up waiting",
    429: "has reached a limit of its use",
}

_STATUS_OF: Final = {
    "authentication_error": 401,
    "billing_error": 402,
    "content_filter": 400,
    "content_policy_violation": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "requests": 429,
    "tokens": 429,
}
"""The status that goes with the `code` or `type` of an error told inside an answer; any other is a failure (500)."""


@dataclass(slots=True)
class Upstream:
    """The model that is being called, as errors name it, and what they must not say: what is `hidden`, and what
    `hide` takes out of a text."""

    name: str
    place: str
    hidden: tuple[str, ...] = ()
    hide: Callable[[str], str] = str

    def __str__(self) -> str:
        return f"the model `{self.name}` at {self.place}"

    def garbled(self, text: str) -> ModelGarbled:
        return ModelGarbled(f"{self} {text}")

    def late(self, text: str) -> ModelTimeout:
        return ModelTimeout(f"{self} {text}")

    def refused(self, status: int, told: Any = None, retry_after: float | None = None) -> ModelError:
        """The error for an HTTP status, with what the upstream said about it (any JSON value, or text)."""
        return self._error(status, f"{_reason(status)} (status {status})", told, retry_after)

    def told(self, told: Any) -> ModelError:
        """The error for an error object inside an answer that had begun well."""
        return self._error(_status(told), "reported an error", told)

    def _error(self, status: int, verb: str, told: Any, retry_after: float | None = None) -> ModelError:
        detail = self.shown(_message(told))
        return _kind(status)(f"{self} {verb}: {detail}" if detail else f"{self} {verb}", retry_after)

    def lost(self, error: Exception) -> ModelError:
        """The error for a connection that could not be made, or broke."""
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ModelUnreachable(f"{self} cannot be reached: its name is not known")
        if isinstance(error, aiohttp.ClientSSLError):
            return ModelUnreachable(f"{self} cannot be reached: the TLS connection failed{_certificate(error)}")
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
            return ModelUnreachable(f"{self} cannot be reached: {reason}")
        if isinstance(error, aiohttp.ClientResponseError):
            return self.garbled("answered with something that is not HTTP")
        return self.garbled("closed the connection before its answer was complete")

    def shown(self, text: str) -> str:
        """Foreign text made fit for a sentence: secrets hidden, one line, at most 300 characters."""
        for secret in self.hidden:
            if len(secret) >= _SECRET_FROM:
                text = text.replace(secret, MARK)
        text = self.hide(text)
        printable = "".join(c if c.isprintable() else " " for c in text[:_SHOWN_FROM])
        line = " ".join(printable.split())
        return line if len(line) <= DETAIL_MOST else line[: DETAIL_MOST - 1] + "…"


def _reason(status: int) -> str:
    if 300 <= status < 400:
        return "redirects elsewhere; base_url must name the final address"
    return _REASONS.get(status) or ("failed" if status >= 500 else "refused the call")


def _kind(status: int) -> type[ModelError]:
    if status == 429:
        return ModelLimited
    if status == 408:
        return ModelTimeout
    return ModelFailed if status >= 500 else ModelRejected


def _certificate(error: aiohttp.ClientSSLError) -> str:
    reason = getattr(error.os_error, "verify_message", None)
    return f" ({reason})" if reason else ""


def _status(told: Any) -> int:
    """The status that an error object stands for: its own number, else that of its code or type, else 500."""
    if not isinstance(told, Mapping):
        return 500
    words = [told.get(key) for key in ("code", "status", "type")]
    numbers = [int(word) for word in words if isinstance(word, int | str) and str(word).isdecimal()]
    named = [_STATUS_OF[word] for word in words if isinstance(word, str) and word in _STATUS_OF]
    return next((number for number in numbers + named if 400 <= number <= 599), 500)


def _message(told: Any, depth: int = 4) -> str:
    """The words in an error body, in any of the shapes that servers use."""
    if isinstance(told, str):
        return told
    if depth == 0:
        return ""
    if isinstance(told, list):
        return "; ".join(filter(None, (_message(item, depth - 1) for item in told[:3])))
    if isinstance(told, Mapping):
        parts = (_message(told.get(key), depth - 1) for key in ("error", "message", "detail", "msg"))
        return next(filter(None, parts), "")
    return ""


def retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Seconds to wait as the response's headers say (RFC 9110, 10.2.3; `retry-after-ms` as OpenAI sends it).

    A date is measured against the response's own Date, where it has one, else against `now` (seconds since the
    epoch). None where nothing usable is said.
    """
    seconds = _seconds(headers.get("retry-after-ms"), 1000.0)
    if seconds is None:
        seconds = _seconds(headers.get("Retry-After"), 1.0)
    if seconds is None and (until := _instant(headers.get("Retry-After"))) is not None:
        here = _instant(headers.get("Date"))
        seconds = max(0.0, until - (now() if here is None else here))
    return seconds


def _seconds(text: str | None, unit: float) -> float | None:
    try:
        seconds = float(text or "") / unit
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _instant(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
