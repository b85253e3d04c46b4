"""POST /<platform>/<account>: platforms that receive over the gateway's own port (SPEC 13.1, 16.3).

They prove who sends by their own means, so neither a key nor a Host is looked at.
"""

from collections.abc import Callable
from typing import Any

from serai.api.body import read
from serai.api.error import ApiError
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.ports.platform import HttpEndpoint, HttpRequest


class Platforms:
    """Hands requests to the accounts' endpoints."""

    def __init__(self, endpoint: Callable[[str, str], HttpEndpoint | None]) -> None:
        self._endpoint = endpoint

    def known(self, account: tuple[str, ...]) -> bool:
        """Whether an account (platform, name) receives here."""
        platform, name = account
        return self._endpoint(platform, name) is not None

    @Operation(
        summary="What a chat's platform sends; it proves by its own means who it is",
        answer=dict[str, Any],
        status=202,
        body=dict[str, Any],
        errors=(
            "invalid_signature",
            "invalid_request",
            "unauthorised",
            "agent_refused",
            "message_dropped",
            "not_found",
            "busy",
            "account_disabled",
            "not_connected",
            "storage_failed",
        ),
    )
    async def receive(self, call: Call) -> Reply:
        """POST /<platform>/<account>. Raises ApiError as the endpoint answers."""
        platform, name = call.parts
        endpoint = self._endpoint(platform, name)
        if endpoint is None:
            raise ApiError(404, "not_found", "No account receives at this path.")
        reply = await endpoint.handle(HttpRequest(_headers(call), await read(call.request)))
        if reply.document is None and reply.status >= 400:
            raise ApiError(reply.status, reply.code or "refused", reply.text, retry_after=reply.retry_after)
        return document(reply.status, reply.document or {})


def _headers(call: Call) -> dict[str, str]:
    """Names in lower case; a header that came twice is joined with a comma, as HTTP has it (RFC 9110 5.3)."""
    headers: dict[str, str] = {}
    for name, value in call.request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
