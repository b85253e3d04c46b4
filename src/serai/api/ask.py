"""From a request to what the gateway is asked: source, key, session, idempotency (SPEC 11.2, 11.7)."""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Final

from serai.api.header import CHAT, IDEMPOTENCY, SESSION, THREAD, USER, identifier, text
from serai.api.models import stamp
from serai.api.path import Call
from serai.core.ids import AgentId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import InputBody
from serai.core.source import Source
from serai.gateway.request.run import Ask
from serai.ports.record import NewRecord
from serai.ports.store.arrival import IDEMPOTENCY_SECONDS, Idempotency

PLATFORM: Final = "api_server"


def asked(
    call: Call,
    body: bytes,
    question: InputBody,
    *,
    model: str | None,
    session: str | None = None,
    agent: AgentId | None = None,
    record: NewRecord | None = None,
    follows: InputId | None = None,
    conversation: str | None = None,
    place: LaneAddress | None = None,
) -> Ask:
    """The call as the gateway takes it.

    `body` is the request's, for telling a repeat from another request; `agent` is that of a stored object, which
    fixes it. Raises ApiError for a wrong header or model.
    """
    headers = call.request.headers
    chat, user, thread = text(headers, CHAT), text(headers, USER), text(headers, THREAD)
    key = identifier(headers, IDEMPOTENCY)
    source = _source(chat, user, thread, agent or stamp(model, call.principal, call.snapshot))
    name = SessionId(session) if session is not None else None
    made = Ask(
        *(source, question, call.principal, name),
        record=record,
        follows=follows,
        conversation=conversation,
        place=place,
    )
    if key is None:
        return made
    digest = _digest(call.request.path, chat, user, thread, session, model)
    return replace(made, idempotency_key=key, route_digest=digest, body_digest=sha256(body).hexdigest())


def repeatable(call: Call, body: bytes, now: float) -> Idempotency | None:
    """What a call without routing has promised by its Idempotency-Key, if it has one: that whatever comes with that
    key is the same call. `body` is the request's. Raises ApiError for a wrong header."""
    key = identifier(call.request.headers, IDEMPOTENCY)
    if key is None:
        return None
    digests = _digest(call.request.path), sha256(body).hexdigest()
    return Idempotency(call.principal.name, key, *digests, now + IDEMPOTENCY_SECONDS)


def session_of(call: Call) -> str | None:
    """The session that the client names in its header. Raises ApiError 400 for what can be no id."""
    return identifier(call.request.headers, SESSION, empty_is_absent=True)


def _digest(*route: str | None) -> str:
    return sha256("\0".join([part or "" for part in route]).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _source(chat: str | None, user: str | None, thread: str | None, agent: AgentId | None) -> Source:
    """Remembered, because making this value costs more than all the reading before it."""
    return Source(PLATFORM, chat_id=chat, user_id=user, thread_id=thread, agent_id=agent)
