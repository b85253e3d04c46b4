"""Asking an endpoint which models it serves: costs nothing, and tells whether address and key are right."""

from typing import Final

import aiohttp
import msgspec

from serai.core.error import ModelRejected
from serai.core.profile import Endpoint
from serai.models.address import AddressBook
from serai.models.answer import read_error
from serai.models.fault import Upstream

_WAIT: Final = aiohttp.ClientTimeout(total=10.0)
_LIST_MOST: Final = 2**23
_ASKED: Final = "/chat/completions"


class KeyRefused(ModelRejected):
    """The endpoint does not accept the key, or wants one."""


class _Listed(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Listed]


_decode = msgspec.json.Decoder(_List).decode


async def listed(session: aiohttp.ClientSession, endpoint: Endpoint, key: str | None) -> list[str] | None:
    """The names of the models at an endpoint (OpenAI API reference, "Models"); None where it does not tell them.

    Raises KeyRefused, another ModelError where it cannot be reached or fails, NoModel for a base_url that is none.
    """
    address = AddressBook().find(endpoint.base_url)
    upstream = Upstream(endpoint.name, address.place, address.hidden if key is None else (key, *address.hidden))
    url = address.url.with_path(address.url.raw_path.removesuffix(_ASKED) + "/models", encoded=True, keep_query=True)
    try:
        async with session.get(url, headers=address.headers(key), timeout=_WAIT, allow_redirects=False) as response:
            if response.status in (401, 403):
                raise KeyRefused(str(upstream.refused(response.status, None)))
            if response.status >= 500:
                raise upstream.refused(response.status, (await read_error(response.content)).decode(errors="replace"))
            body = await _body(response.content) if response.status == 200 else b""
    except TimeoutError:
        raise upstream.late(f"did not answer within {_WAIT.total:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise upstream.lost(error) from None
    try:
        return [model.id for model in _decode(body).data]
    except ValueError:
        return None


async def _body(content: aiohttp.StreamReader) -> bytes:
    """The body, as far as a list of models could be long."""
    body = b""
    while len(body) < _LIST_MOST and (data := await content.readany()):
        body += data
    return body
