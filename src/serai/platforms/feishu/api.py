"""Calls of the platform's API in the app's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from serai.core.error import CredentialsRefused, SendTemporary, SendUnknown
from serai.platforms.feishu.credential import Credential
from serai.platforms.feishu.fault import Outcome, TokenInvalid, checked
from serai.platforms.feishu.http import Http, Reply, Request

T = TypeVar("T", bound=msgspec.Struct)
_ENCODER: Final = msgspec.json.Encoder()


def path(*parts: str) -> str:
    """A path below /open-apis, its parts quoted: an id may hold any sign.

    >>> path("im", "v1", "messages", "a/b")
    '/open-apis/im/v1/messages/a%2Fb'
    """
    return "/open-apis/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True)
class Api:
    """One app's calls. Each raises SendTemporary, SendUnknown or Rejected."""

    http: Http
    credential: Credential

    async def get(self, where: str, shape: type[T], query: Mapping[str, str] | None = None) -> T:
        """Reads something."""
        return await self._call(Request("GET", where, query), shape)

    async def post(self, where: str, body: object, shape: type[T], query: Mapping[str, str] | None = None) -> T:
        """Makes something."""
        return await self._call(Request("POST", where, query, _encoded(body)), shape)

    async def change(self, method: str, where: str, body: object | None = None) -> None:
        """Changes or deletes something (PUT, PATCH, DELETE)."""
        await self._call(Request(method, where, body=None if body is None else _encoded(body)), Outcome)

    async def upload(self, where: str, form: Callable[[], aiohttp.FormData], shape: type[T]) -> T:
        """Uploads the parts that `form` makes."""
        return await self._call(Request("POST", where, form=form), shape)

    async def download(self, where: str, limit: int, query: Mapping[str, str]) -> Reply:
        """Bytes, of which at most one more than `limit` is read."""
        return await self._authorised(Request("GET", where, query), limit)

    async def _call(self, request: Request, shape: type[T]) -> T:
        body = checked(await self._authorised(request))
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.DecodeError:
            raise SendUnknown("Feishu's answer is not what its documentation says") from None

    async def _authorised(self, request: Request, limit: int | None = None) -> Reply:
        """The answer; with a new token where the first was not taken."""
        for last in (False, True):
            token = await self._token()
            reply = await self.http.ask(request, token, limit=limit)
            try:
                if reply.status != 200 or limit is None:
                    checked(reply)
            except TokenInvalid:
                self.credential.forget(token)
                if last:
                    raise
                continue
            return reply
        raise AssertionError("unreachable")

    async def _token(self) -> str:
        try:
            return await self.credential.token(self.http)
        except CredentialsRefused as error:
            raise SendTemporary(str(error)) from None


def _encoded(body: object) -> bytes:
    return _ENCODER.encode(body)
