"""Making calls in tests: secrets by agent, requests, and a client with short patience."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from serai.core.ids import AgentId
from serai.core.message import Message
from serai.core.profile import Endpoint
from serai.models.openai_chat import OpenAIChat, Timeouts, make_session
from serai.ports.model import ModelReply, ModelRequest
from serai.ports.secrets import SecretMissing
from tests.patience import PATIENCE_S

OPS = AgentId("ops")
KEY = "fake-key-ops-0123456789"
PATIENT = Timeouts(connect=PATIENCE_S, first_byte=PATIENCE_S, between_chunks=PATIENCE_S)
HASTY = Timeouts(connect=PATIENCE_S, first_byte=0.15, between_chunks=PATIENCE_S)
RESTLESS = Timeouts(connect=PATIENCE_S, first_byte=PATIENCE_S, between_chunks=0.1)
HELLO = (Message("system", "You are ops."), Message("user", "Hello?"))


@dataclass
class Safe:
    """Secrets by (agent, name)."""

    held: Mapping[tuple[AgentId | None, str], str] = field(default_factory=lambda: {(OPS, "OPS_KEY"): KEY})

    def get(self, reader: AgentId | None, name: str) -> str:
        try:
            return self.held[reader, name]
        except KeyError:
            raise SecretMissing(f"{reader} may not see {name}") from None

    def values(self) -> Iterable[str]:
        return self.held.values()


def request(base_url: str, *messages: Message, agent: AgentId = OPS, **more: Any) -> ModelRequest:
    """A request for `stub-model` at `base_url` with the key OPS_KEY."""
    endpoint = Endpoint("stub-model", base_url, key_name=more.pop("key_name", "OPS_KEY"), origin=agent)
    if name := more.pop("model", None):
        endpoint = replace(endpoint, name=name)
    return ModelRequest(agent, endpoint, messages or HELLO, **more)


@asynccontextmanager
async def client(timeouts: Timeouts = PATIENT, safe: Safe | None = None, **more: Any) -> AsyncIterator[OpenAIChat]:
    """A client with a session of its own."""
    secrets = safe or Safe()
    async with make_session() as session:
        yield OpenAIChat(session, lambda: secrets, timeouts, **more)


async def ask(asked: ModelRequest, timeouts: Timeouts = PATIENT, safe: Safe | None = None) -> ModelReply:
    """One call with a client of its own."""
    async with client(timeouts, safe) as chat:
        return await chat.complete(asked)
