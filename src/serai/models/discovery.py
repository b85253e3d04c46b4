"""Model servers on this machine that were found without being configured (SPEC 7.2)."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final, Literal

import aiohttp
import msgspec

from serai.core.profile import Endpoint

OLLAMA: Final = 11434
LLAMA_CPP: Final = 8080
VLLM: Final = 8000
LM_STUDIO: Final = 1234
DEFAULT: Final = (OLLAMA, LLAMA_CPP, VLLM, LM_STUDIO)
"""The ports at which these servers listen by default, in the order of preference."""

_LIST_MOST: Final = 2**20
_SECONDS: Final = 0.3
"""For which a server is waited for: one on this machine is quick, or busy with something else."""

_OWN: Final = "serai"
"""What a gateway's own list of agents says in `owned_by`: agents are no models to run agents on."""


class _Listed(msgspec.Struct):
    id: str
    object: Literal["model"]
    owned_by: str | None = None

    @property
    def chats(self) -> bool:
        return bool(self.id.strip()) and "embed" not in self.id.lower() and self.owned_by != _OWN


class _List(msgspec.Struct):
    """The answer to GET /v1/models (OpenAI API reference, "Models"). Nothing of it may be missing."""

    object: Literal["list"]
    data: list[_Listed]


_decode = msgspec.json.Decoder(_List).decode


async def find_local(
    session: aiohttp.ClientSession,
    ports: Sequence[int] = DEFAULT,
    *,
    own: Collection[int] = (),
    seconds: float = _SECONDS,
) -> Endpoint | None:
    """The first chat model of the first of `ports` on 127.0.0.1 where a model server answers; None where none does.

    All are asked at once and have `seconds` to answer. `own` are ports of this gateway, which are not asked. Never
    raises.
    """
    wait = aiohttp.ClientTimeout(total=seconds)
    asked = [asyncio.create_task(_ask(session, port, wait)) for port in ports if port not in own]
    try:
        for task in asked:
            if (endpoint := await task) is not None:
                return endpoint
        return None
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _ask(session: aiohttp.ClientSession, port: int, wait: aiohttp.ClientTimeout) -> Endpoint | None:
    """The first chat model that is served at a port. Whatever else listens there is not taken for one."""
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        async with session.get(f"{base_url}/models", timeout=wait, allow_redirects=False) as response:
            if response.status != 200:
                return None
            listed = _decode(await _body(response.content)).data
    except (aiohttp.ClientError, OSError, ValueError, RecursionError):
        return None
    name = next((model.id for model in listed if model.chats), None)
    return Endpoint(name, base_url) if name is not None else None


async def _body(content: aiohttp.StreamReader) -> bytes:
    """The whole body. Raises ValueError where it is longer than any list of models."""
    parts: list[bytes] = []
    size = 0
    while data := await content.readany():
        parts.append(data)
        size += len(data)
        if size > _LIST_MOST:
            raise ValueError("too long")
    return b"".join(parts)
