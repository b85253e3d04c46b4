"""Every error of the API in its one shape (SPEC 11.1, 11.8): `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from serai.core.change import BadConfiguration
from serai.core.error import Busy, InvalidTools, ModelError, NoModel, Refused, SeraiError, StorageFailed
from serai.core.event import TurnEnded, TurnFault
from serai.ports.conversation import ConversationBusy
from serai.ports.store.arrival import IdempotencyConflict, SessionTaken

_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
)


class ErrorDetail(Struct):
    """What is wrong. `param` names the field or header, where it is one; `problems` tell each of several."""

    message: str
    type: Literal[
        "invalid_request_error", "authentication_error", "permission_error", "rate_limit_error", "server_error"
    ]
    param: str | None
    code: str
    problems: list[dict[str, Any]] | UnsetType = UNSET


class ErrorDocument(Struct):
    """The one shape of every error."""

    error: ErrorDetail


class ApiError(SeraiError):
    """An answer that is an error: `status`, the `code` for programs, the sentence for people.

    `param` names the field or header that is wrong, `retry_after` is in seconds, `lines` are further header lines,
    `more` further fields of the document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        lines: tuple[tuple[str, str], ...] = (),
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.param = param
        self.lines = lines
        self.more = more
        if retry_after is not None:
            self.lines += (("Retry-After", str(max(1, ceil(retry_after)))),)

    def body(self) -> bytes:
        """The JSON document."""
        return b'{"error":%b}' % self.detail()

    def detail(self) -> bytes:
        """The error object alone."""
        kind = _TYPES.get(self.status) or ("server_error" if self.status >= 500 else "invalid_request_error")
        return msgspec.json.encode(
            {"message": str(self), "type": kind, "param": self.param, "code": self.code, **self.more}
        )


def invalid(param: str, text: str, code: str = "invalid_value") -> ApiError:
    """A field or header whose value is wrong."""
    return ApiError(400, code, text, param=str(param))


def internal() -> ApiError:
    """What a caller is told about an error that nobody foresaw: nothing."""
    return ApiError(500, "internal_error", "The gateway failed to handle this request; its log says why.")


def translated(error: SeraiError) -> ApiError:
    """The answer that an error of the gateway becomes (SPEC 5.8, 5.9, 11.7, 11.8, 16.6, 16.7)."""
    text = str(error)
    match error:
        case ApiError():
            return error
        case ModelError():
            return ApiError(error.status, error.code, text, retry_after=error.retry_after)
        case Refused():
            return ApiError(403, error.code, text)
        case Busy():
            return ApiError(429, "busy", text, retry_after=error.retry_after)
        case StorageFailed():
            return ApiError(503, "storage_failed", text)
        case BadConfiguration():
            return ApiError(422, "invalid_configuration", text, more={"problems": error.problems})
        case NoModel():
            return ApiError(503, "no_model", text)
        case _:
            return _refused(error)


def _refused(error: SeraiError) -> ApiError:
    """The answer to a request that says what does not fit what there is."""
    text = str(error)
    match error:
        case InvalidTools():
            return ApiError(400, "invalid_tools", text, param="tools")
        case SessionTaken():
            return ApiError(404, "session_not_found", text, param="X-Hermes-Session-Id")
        case ConversationBusy():
            return ApiError(409, "conversation_busy", text)
        case IdempotencyConflict():
            once = (("X-Should-Retry", "false"),)
            return ApiError(409, "idempotency_conflict", text, param="Idempotency-Key", lines=once)
        case _:
            return internal()


def unanswered(ended: TurnEnded, lines: tuple[tuple[str, str], ...] = ()) -> ApiError:
    """The answer where a turn ended without one: its fault, or that it was cancelled."""
    if ended.state == "cancelled":
        text = ended.fault.text if ended.fault else "The turn was cancelled before it was answered."
        return ApiError(503, "run_cancelled", text, lines=lines)
    fault = ended.fault or TurnFault("The turn failed.")
    return ApiError(fault.status, fault.code, fault.text, retry_after=fault.retry_after, lines=lines)
