"""Who may come in: host, origin and key of one configuration (SPEC 11.1)."""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs
from aiohttp.web_request import BaseRequest
from multidict import istr

from serai.api.error import ApiError
from serai.api.guard import cookie
from serai.api.guard.keyring import KeyRing
from serai.api.guard.origin import Lines, Origins
from serai.api.guard.peer import Proxies
from serai.api.header import only
from serai.core.principal import LOCAL, Principal
from serai.core.snapshot import ApiSettings
from serai.ports.secrets import Secrets

AUTHORIZATION: Final = istr(hdrs.AUTHORIZATION)

_CHALLENGE: Final = (("WWW-Authenticate", 'Bearer realm="serai"'),)


@dataclass(frozen=True, slots=True)
class Gate:
    """Checks requests; made anew for every configuration."""

    keys: KeyRing
    origins: Origins
    proxies: Proxies
    open: bool

    @classmethod
    def of(cls, settings: ApiSettings, secrets: Secrets, local_token: str) -> "Gate":
        """From the settings. Without any configured key the gate is open, for this machine alone."""
        keys = KeyRing(settings.keys, secrets, local_token)
        return cls(keys, Origins(settings), Proxies.named(settings.trusted_proxies), open=not settings.keys)

    def visit(self, request: BaseRequest) -> Lines:
        """Checks Host and Origin; the header lines that the answer needs for a page of another, listed, site.

        Raises ApiError 400 or 403.
        """
        host = self.proxies.host(request.headers, request.remote)
        self.origins.check_host(host, _arrived_at(request))
        return self.origins.cors(request.headers, host)

    def visitor(self, request: BaseRequest, now: float) -> Principal:
        """Who asks from a page of our own, where a sign-in counts as well as a key. Raises as `principal` does."""
        shown = cookie.read(request)
        known = cookie.holder(shown, self.keys, now) if shown and AUTHORIZATION not in request.headers else None
        return known or self.principal(request)

    def principal(self, request: BaseRequest) -> Principal:
        """Who asks. Raises ApiError 401 for a stranger and 400 for two Authorization headers."""
        token = _token(only(request.headers, AUTHORIZATION))
        known = self.keys.find(token) if token else None
        if known is not None:
            return known
        if not self.open:
            text = "This key is not known." if token else "Send a key of `api_server.keys` as a bearer token."
            raise ApiError(401, "invalid_api_key", text, lines=_CHALLENGE)
        if not self.proxies.is_local(request.headers, request.remote):
            text = "No key is configured, so the API is open on the gateway's own machine only."
            raise ApiError(401, "local_only", text, lines=_CHALLENGE)
        return LOCAL


def _token(authorization: str | None) -> str:
    """The bearer token; empty where there is none that could be one."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip(" ")
    return token if scheme.lower() == "bearer" and token.isascii() else ""


def _arrived_at(request: BaseRequest) -> str:
    """The local address of the request's connection."""
    name = request.protocol.sockname
    return name[0] if isinstance(name, tuple) else ""
