"""Every request's way through the API: find, guard, handle, and turn whatever happens into an answer."""

import asyncio
from email.utils import formatdate
from typing import Final

import structlog
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from serai.api.error import ApiError, internal, translated
from serai.api.guard.gate import Gate
from serai.api.guard.origin import ASKED_METHOD, ORIGIN, preflight
from serai.api.guard.turnstile import Turnstile
from serai.api.path import NOBODY, Area, Call, Handler, Paths, Resource
from serai.api.reply import ClientGone, Reply, header_lines
from serai.api.services import Services
from serai.api.sse import failure
from serai.core.error import SeraiError
from serai.core.principal import Principal
from serai.core.snapshot import ApiSettings
from serai.ports.secrets import Secrets

_log = structlog.get_logger("api")

_AT_ONCE: Final = 100
"""Requests that are begun in one round of the event loop: some 5 ms of work."""


class Dispatch:
    """The request handler of the HTTP server."""

    def __init__(self, services: Services, paths: Paths) -> None:
        self._services = services
        self._paths = paths
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._gate: Gate | None = None
        self._gate_of: tuple[ApiSettings, Secrets] | None = None
        self._stamp = (0, b"")
        self._turnstile = Turnstile(_AT_ONCE)

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        self._active += 1
        self._idle.clear()
        try:
            return await self._answered(request)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()

    async def _answered(self, request: BaseRequest) -> StreamResponse:
        if not self._turnstile.try_pass():
            await self._turnstile.wait()
        call = Call(request, self._services.snapshot(), NOBODY, (), self.common(), self._services.redactor)
        reply = await self._supervised(call)
        if isinstance(reply, Reply):
            reply.common, reply.redactor = call.common, call.redactor()
        return reply

    async def idle(self, grace: float) -> bool:
        """Waits up to `grace` seconds until no request is being handled; whether that came true."""
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def common(self) -> bytes:
        """The header lines of every answer."""
        now = int(self._services.clock.now())
        if self._stamp[0] != now:
            self._stamp = (now, f"Date: {formatdate(now, usegmt=True)}\r\nServer: serai\r\n".encode())
        return self._stamp[1]

    def gate(self, call: Call) -> Gate:
        """The gate of the configuration that the call sees."""
        settings, secrets = call.snapshot.api, self._services.secrets()
        if self._gate is None or self._gate_of is None or self._gate_of != (settings, secrets):
            self._gate = Gate.of(settings, secrets, self._services.local_token)
            self._gate_of = (settings, secrets)
        return self._gate

    async def _supervised(self, call: Call) -> StreamResponse:
        try:
            return await self._handle(call)
        except SeraiError as error:
            answer = translated(error)
            if answer.status == 500 and not isinstance(error, ApiError):
                _log.exception("request failed", path=call.request.path)
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the supervisor of all requests: one failure is one 500, never the process
            _log.exception("request failed", path=call.request.path)
            answer = internal()
        stream = call.stream
        if stream is None or not stream.started:
            return Reply(answer.status, answer.body(), lines=answer.lines)
        await stream.end(failure(answer.body()), broken=True)
        return stream

    async def _handle(self, call: Call) -> StreamResponse:
        request = call.request
        found = self._paths.find(request)
        while isinstance(found, Area):
            await self._paths.make(found)
            found = self._paths.find(request)
        if found is None:
            call.common += _readable(self.gate(call), request)
            raise ApiError(404, "not_found", "There is nothing at this path.")
        resource, call.parts = found
        if request.method == "OPTIONS" and resource.guard in ("none", "probe"):
            return _options(resource, request)
        if resource.guard == "none":
            return await _allowed(resource, request)(call)
        gate = self.gate(call)
        if resource.guard == "probe":
            call.principal = _recognised(gate, request)
            return await _allowed(resource, request)(call)
        if lines := gate.visit(request):
            call.common += header_lines(lines)
        if request.method == "OPTIONS":
            return _options(resource, request)
        handler = _allowed(resource, request)
        call.gate = gate
        if resource.guard == "key":
            call.principal = gate.principal(request)
        elif resource.guard == "page":
            call.principal = gate.visitor(request, self._services.clock.now())
        return await handler(call)


def _allowed(resource: Resource, request: BaseRequest) -> Handler:
    handler = resource.handler(request.method)
    if handler is None:
        text = f"{request.method} is not allowed here; {resource.allowed} are."
        raise ApiError(405, "method_not_allowed", text, lines=(("Allow", resource.allowed),))
    return handler


def _readable(gate: Gate, request: BaseRequest) -> bytes:
    """The header lines by which a listed page may read even that there is nothing."""
    try:
        return header_lines(gate.visit(request))
    except ApiError:
        return b""


def _recognised(gate: Gate, request: BaseRequest) -> Principal:
    try:
        gate.visit(request)
        return gate.principal(request)
    except ApiError:
        return NOBODY


def _options(resource: Resource, request: BaseRequest) -> Reply:
    if ORIGIN in request.headers and ASKED_METHOD in request.headers:
        return Reply(204, b"", lines=preflight(request.headers, resource.allowed))
    return Reply(204, b"", lines=(("Allow", resource.allowed),))
