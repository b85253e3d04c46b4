"""One call of the chosen model, so that a wrong key or name shows now and not in the first conversation."""

import asyncio
from typing import TYPE_CHECKING

from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.setup.model import Chosen
from serai.core.ids import MAIN, AgentId
from serai.core.message import Message
from serai.core.profile import Endpoint
from serai.ports.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUESTION = "Answer with one word: ready."
_FIRST_BYTE_S = 60.0


class _OneKey:
    """`ports.Secrets` with a single value."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def get(self, reader: AgentId | None, name: str) -> str:  # noqa: ARG002 - there is but one
        if self._key is None:
            raise SecretMissing(f"there is no value for {name}")
        return self._key

    def values(self) -> "Iterable[str]":
        return () if self._key is None else (self._key,)


def answer(place: Place, chosen: Chosen) -> str:
    """What the model says. Raises a ModelError, NoModel, or EmbeddedModelError."""
    if chosen.endpoint is not None:
        return asyncio.run(_call(chosen.endpoint, chosen.key))
    return asyncio.run(_call_embedded(place))


async def _call(endpoint: Endpoint, key: str | None) -> str:
    from serai.models.openai_chat import OpenAIChat, Timeouts, make_session
    from serai.ports.model import ModelRequest

    async with make_session() as session:
        model = OpenAIChat(session, lambda: _OneKey(key), Timeouts(first_byte=_FIRST_BYTE_S))
        reply = await model.complete(ModelRequest(MAIN, endpoint, (Message("user", _QUESTION),)))
    return reply.message.text


async def _call_embedded(place: Place) -> str:
    from serai.models.embedded import EmbeddedModel
    from serai.models.weights import find

    weights = find(place.home)
    if weights is None:
        raise Failed("The embedded model's weights are not there; get them with `serai model pull`.")
    embedded = EmbeddedModel(weights)
    await embedded.start()
    try:
        endpoint = Endpoint(embedded.name, embedded.base_url, key_name="the embedded model's own")
        return await _call(endpoint, embedded.api_key)
    finally:
        await embedded.stop()
