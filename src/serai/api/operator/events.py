"""GET /api/events: what happens in the gateway, as server-sent events (SPEC 11.6).

Admin keys see everything, others the turns and deliveries of their own agents, and the ids of their own things alone
(SPEC 11.7). A reader is a number, so a slow one costs no memory; one that missed something is told `events.lost`.
"""

import asyncio
from typing import Any, Final

import msgspec
from aiohttp.web_response import StreamResponse
from msgspec import Struct

from serai.api.error import ApiError, invalid
from serai.api.header import LAST_EVENT, only
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import EVENTS, ClientGone, EventStream, Reply
from serai.api.sse import KEEP_ALIVE, PATIENCE_S
from serai.core.activity import (
    Configured,
    Happening,
    Misconfigured,
    Settled,
    Switched,
    TurnBegan,
    TurnOver,
)
from serai.core.principal import Principal
from serai.core.turn import TurnEnd
from serai.gateway.activity import Activity

_LIFETIME_S: Final = 600.0
"""After which a reader must come back, and show again who it is."""

_SLOW_S: Final = 30.0
"""For which a reader may leave what it was sent unread."""

_RETRY: Final = b"retry: 1000\n\n"

_encode: Final = msgspec.json.Encoder().encode


class TurnStartedEvent(Struct, tag_field="type", tag="turn.started"):
    """A turn began; `attempt` above 1: it goes on after an interruption. `run` and `session` are null where they
    belong to another key."""

    agent: str
    platform: str
    session: str | None
    run: str | None
    attempt: int


class TurnEndedEvent(Struct, tag_field="type", tag="turn.ended"):
    """A turn ended after `seconds`; `error` says why it has no answer."""

    agent: str
    platform: str
    session: str | None
    run: str | None
    state: TurnEnd
    seconds: float
    model: str
    input_tokens: int
    output_tokens: int
    error: str | None


class DeliveryEvent(Struct, tag_field="type", tag="delivery"):
    """An attempt to deliver something ended; `new` will be tried again. `id`, `chat` and `error` are for admin keys,
    null for others."""

    agent: str
    platform: str
    account: str
    id: str | None
    chat: str | None
    state: str
    error: str | None


class ConfigurationEvent(Struct, tag_field="type", tag="configuration.changed"):
    """Another configuration is in force. For admin keys."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


class RefusedEvent(Struct, tag_field="type", tag="configuration.refused"):
    """A changed configuration has problems, and the earlier one stays in force. For admin keys."""

    problems: tuple[str, ...]


class AgentEvent(Struct, tag_field="type", tag="agent.switched"):
    """Somebody stopped an agent, or let it answer again."""

    agent: str
    stopped: bool


class LostEvent(Struct, tag_field="type", tag="events.lost"):
    """Something happened that is no longer known here."""


Event = TurnStartedEvent | TurnEndedEvent | DeliveryEvent | ConfigurationEvent | RefusedEvent | AgentEvent | LostEvent


class Events:
    """Tells what happens."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    @Operation(
        summary="What happens in the gateway",
        stream=Event,
        headers=(LAST_EVENT,),
        errors=("invalid_value", "stopping"),
    )
    async def stream(self, call: Call) -> StreamResponse:
        """GET /api/events, from the header Last-Event-ID on, else from now. Raises ClientGone."""
        seen = _last(only(call.request.headers, LAST_EVENT), self._activity.last)
        if call.request.method == "HEAD":
            return Reply(200, b"", kind=EVENTS)
        if self._activity.closed:
            raise ApiError(503, "stopping", "The gateway is stopping.", retry_after=5)
        out = call.stream = EventStream(call.request, call.common, ())
        loop = asyncio.get_running_loop()
        end = loop.time() + _LIFETIME_S
        await _send(call, out, _RETRY)
        while loop.time() < end and not self._activity.closed:
            if not await self._activity.news(seen, PATIENCE_S):
                await _send(call, out, KEEP_ALIVE)
                continue
            happened, lost = self._activity.since(seen)
            told = [_line(LostEvent(), None)] if lost else []
            for seen, happening in happened:
                if (one := event(happening, call.principal)) is not None:
                    told.append(_line(one, seen))
            if told:
                await _send(call, out, b"".join(told))
        await out.end(b"")
        return out


def event(happening: Happening, principal: Principal) -> Event | None:
    """What a key is told of a happening; None for nothing."""
    match happening:
        case Configured(changed, needs_restart):
            return ConfigurationEvent(changed, needs_restart) if principal.admin else None
        case Misconfigured(problems):
            return RefusedEvent(problems) if principal.admin else None
        case _ if not principal.may_use(happening.agent):
            return None
        case Switched(agent, stopped):
            return AgentEvent(agent, stopped)
        case Settled():
            return _delivery(happening, principal)
        case TurnBegan() | TurnOver():
            return _turn(happening, principal)


def _delivery(one: Settled, principal: Principal) -> DeliveryEvent:
    private = (one.delivery, one.chat, one.error) if principal.admin else (None, None, None)
    name, chat, error = private
    return DeliveryEvent(one.agent, one.platform, one.account, name, chat, one.state, error)


def _turn(one: TurnBegan | TurnOver, principal: Principal) -> Event:
    own = principal.admin or one.owner == principal.name
    session, run = (one.session, one.run) if own else (None, None)
    if isinstance(one, TurnBegan):
        return TurnStartedEvent(one.agent, one.platform, session, run, one.attempt)
    return TurnEndedEvent(
        one.agent,
        one.platform,
        session,
        run,
        one.state,
        one.seconds,
        one.model,
        one.input_tokens,
        one.output_tokens,
        one.error if own else None,
    )


def _last(header: str | None, now: int) -> int:
    """The number behind which a reader goes on. Raises ApiError 400."""
    if header is None or not header.strip():
        return now
    text = header.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise invalid(LAST_EVENT, "The id of the last event is a number.")
    return min(int(text), now)


def _line(told: Any, number: int | None) -> bytes:
    name = b"" if number is None else b"id: %d\n" % number
    return b"%bevent: %b\ndata: %b\n\n" % (name, str(type(told).__struct_config__.tag).encode(), _encode(told))


async def _send(call: Call, out: EventStream, data: bytes) -> None:
    try:
        async with asyncio.timeout(_SLOW_S):
            await out.send(data)
    except TimeoutError:
        if call.request.transport is not None:
            call.request.transport.abort()
        raise ClientGone("the reader is too slow") from None
