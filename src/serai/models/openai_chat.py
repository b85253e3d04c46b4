"""Any OpenAI-compatible endpoint, spoken natively (SPEC 7.2, 11.8; OpenAI API reference, "Chat")."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec
from multidict import CIMultiDict

from serai.core.error import ModelError, NoModel
from serai.models.address import Address, AddressBook
from serai.models.answer import AnswerReader, read_error
from serai.models.body import Body, BodyWriter
from serai.models.deadline import Deadline
from serai.models.draft import Draft
from serai.models.fault import Upstream, retry_after
from serai.models.session import make_session, watch_opening
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta
from serai.ports.secrets import SecretMissing, Secrets

__all__ = ["OpenAIChat", "Timeouts", "make_session"]

_HISTORIES_MOST: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for a connection; from the start of a call for the first byte of the answer;
    and for each further piece of it."""

    connect: float = 10.0
    first_byte: float = 120.0
    between_chunks: float = 60.0


class OpenAIChat(Model):
    """Calls chat-completions endpoints over one shared session, which should come from `make_session`.

    `secrets` gives the secrets that are in force at the moment of a call. `now` (seconds since the epoch) is asked
    for Retry-After dates only. `hide` takes out of foreign texts what must not be told. Encoded histories of long
    sessions take up to `histories` bytes.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        secrets: Callable[[], Secrets],
        timeouts: Timeouts,
        *,
        now: Callable[[], float] = time.time,
        hide: Callable[[str], str] = str,
        histories: int = _HISTORIES_MOST,
    ) -> None:
        self._session = session
        self._secrets = secrets
        self._timeouts = timeouts
        self._now = now
        self._hide = hide
        self._addresses = AddressBook()
        self._bodies = BodyWriter(histories)
        self._connecting = aiohttp.ClientTimeout(total=None, connect=timeouts.connect)

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        """One call, always streamed. Raises a ModelError of the right kind; NoModel where the key is missing.

        A cancelled call closes its connection.
        """
        address = self._addresses.find(request.endpoint.base_url)
        key = self._key(request)
        hidden = address.hidden if key is None else (key, *address.hidden)
        upstream = Upstream(request.endpoint.name, address.place, hidden, self._hide)
        body = self._bodies.write(request)
        draft = Draft(upstream)
        headers = address.headers(key)
        try:
            with Deadline(self._timeouts.first_byte) as deadline:
                response = await self._send(address, headers, body)
                try:
                    if not 200 <= response.status < 300:
                        raise await self._refusal(upstream, response)
                    reader = AnswerReader(response.content, draft, upstream, deadline, self._timeouts.between_chunks)
                    await reader.read(on_delta)
                finally:
                    if not response.closed:
                        response.close()
        except aiohttp.ConnectionTimeoutError:
            raise upstream.late(f"could not be connected to within {self._timeouts.connect:g} s") from None
        except TimeoutError:
            if not draft.complete:
                raise self._late(upstream, draft) from None
        except (aiohttp.ClientError, OSError) as error:
            if not draft.complete:
                raise upstream.lost(error) from None
        return draft.reply()

    async def _send(self, address: Address, headers: CIMultiDict[str], body: bytes) -> aiohttp.ClientResponse:
        """Posts. A kept connection that the server had closed in the meantime is replaced, once."""
        opened = watch_opening()
        try:
            return await self._post(address, headers, body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if opened or not _was_silent(error):
                raise
        return await self._post(address, headers, body)

    async def _post(self, address: Address, headers: CIMultiDict[str], body: bytes) -> aiohttp.ClientResponse:
        return await self._session.post(
            address.url, data=Body(body), headers=headers, timeout=self._connecting, allow_redirects=False
        )

    def _key(self, request: ModelRequest) -> str | None:
        name = request.endpoint.key_name
        if name is None:
            return None
        try:
            key = self._secrets().get(request.agent, name)
        except SecretMissing:
            raise NoModel(
                f"the model `{request.endpoint.name}` needs the key {name}, which is not set for agent "
                f"`{request.agent}`; put {name}=... into the .env file"
            ) from None
        if not key.isprintable():
            raise NoModel(f"the key {name} holds a line break or another control character; correct it in .env")
        return key

    async def _refusal(self, upstream: Upstream, response: aiohttp.ClientResponse) -> ModelError:
        """The error for a status that is not 2xx."""
        wait = retry_after(response.headers, self._now)
        try:
            body = await read_error(response.content)
        except aiohttp.ClientError:
            body = b""
        return upstream.refused(response.status, _said(body), wait)

    def _late(self, upstream: Upstream, draft: Draft) -> ModelError:
        if draft.begun:
            return upstream.late(f"sent nothing more for {self._timeouts.between_chunks:g} s")
        return upstream.late(f"did not answer within {self._timeouts.first_byte:g} s")


def _was_silent(error: Exception) -> bool:
    """Whether no byte of a response had come. aiohttp hands over the response where one had begun, else a text."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)
    return not isinstance(error, aiohttp.ClientConnectorError)


def _said(body: bytes) -> Any:
    """An error's body: the JSON value; plain text as it is; nothing of a web page."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
