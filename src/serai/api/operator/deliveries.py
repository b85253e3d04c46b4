"""GET and POST /api/deliveries, GET /api/deliveries/{id} and POST …/retry (SPEC 5.5, 10, 11.6).

For admins: they tell of the chats of all agents that the key may use and of what the gateway itself says, and speak.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from serai.api import document as documents
from serai.api.ask import repeatable
from serai.api.body import decode, read
from serai.api.document import DeliveryDocument
from serai.api.error import ApiError, invalid
from serai.api.header import IDEMPOTENCY
from serai.api.operation import Operation
from serai.api.page import DEFAULT, Limit, ListOf, Next, cut, not_found, page, query
from serai.api.path import Call, permit
from serai.api.reply import Reply, document
from serai.core.delivery import Delivery, DeliveryState
from serai.core.ids import GATEWAY, AgentId, DeliveryId
from serai.core.principal import Principal
from serai.gateway.request.sending import Dispatched
from serai.ports.clock import Clock
from serai.ports.store.archive import Archive, DeliveryFilter
from serai.ports.store.arrival import Idempotency

Retry = Callable[[DeliveryId], Awaitable[Delivery | None]]
Send = Callable[[Sequence[str], str, AgentId | None, Idempotency | None], Awaitable[Sequence[Dispatched]]]

TargetText = Annotated[str, Meta(min_length=1, max_length=1000)]


class DeliveryQuery(Struct, forbid_unknown_fields=True):
    """Which deliveries are listed."""

    state: DeliveryState | None = None
    agent: Annotated[str, Meta(max_length=64)] | None = None
    platform: Annotated[str, Meta(max_length=64)] | None = None
    limit: Limit = DEFAULT
    before: Next | None = None


class SendBody(Struct, forbid_unknown_fields=True):
    """What is sent where. `target` is one or several; with `agent`, it is sent as that agent's."""

    target: TargetText | Annotated[list[TargetText], Meta(min_length=1, max_length=100)]
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    agent: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class DispatchedDocument(Struct, tag_field="object", tag="dispatched"):
    """What becomes of one target: the ids of its `deliveries`, several where the text is cut; or the `error` for
    which nothing is sent to it. `agent_id` is null where the gateway itself speaks."""

    target: str
    agent_id: str | None
    deliveries: Sequence[str]
    error: str | None


_DECODER: Final = msgspec.json.Decoder(SendBody)


class Deliveries:
    """What was or will be sent to chats."""

    def __init__(self, archive: Archive, retry: Retry, send: Send, clock: Clock) -> None:
        self._archive = archive
        self._retry = retry
        self._send = send
        self._clock = clock

    @Operation(
        summary="What was or will be sent, the latest first",
        answer=ListOf[DeliveryDocument],
        query=DeliveryQuery,
        errors=("admin_required", "storage_failed"),
    )
    async def list(self, call: Call) -> Reply:
        """GET /api/deliveries."""
        call.admins_only()
        asked = query(DeliveryQuery, call)
        before = await self._place(asked.before)
        wanted = _wanted(asked, call.principal)
        found = await self._archive.deliveries(wanted, limit=asked.limit + 1, before=before)
        rows, last = cut(found, asked.limit)
        return document(200, page(map(documents.delivery, rows), after=last.id if last else None))

    @Operation(
        summary="One delivery",
        answer=DeliveryDocument,
        errors=("admin_required", "delivery_not_found", "storage_failed"),
    )
    async def one(self, call: Call) -> Reply:
        """GET /api/deliveries/{id}."""
        call.admins_only()
        return document(200, documents.delivery(await self._known(call)))

    @Operation(
        summary="Sends a text to chats",
        answer=ListOf[DispatchedDocument],
        status=202,
        body=SendBody,
        headers=(IDEMPOTENCY,),
        errors=("admin_required", "unauthorised", "idempotency_conflict", "storage_failed"),
    )
    async def send(self, call: Call) -> Reply:
        """POST /api/deliveries. What is wrong with one target stands in its result. Raises ApiError 403 for an agent
        that this key may not use, StorageFailed, IdempotencyConflict."""
        call.admins_only()
        body = await read(call.request)
        asked = decode(_DECODER, body)
        if asked.agent is not None:
            permit(call.principal, AgentId(asked.agent))
        if not asked.text.strip():
            raise invalid("text", "The text is blank.")
        targets = [asked.target] if isinstance(asked.target, str) else asked.target
        request = repeatable(call, body, self._clock.now())
        results = await self._send(targets, asked.text, AgentId(asked.agent) if asked.agent else None, request)
        return document(202, page(map(_dispatched, results)))

    @Operation(
        summary="Sends a delivery again whose outcome is unknown, or that was given up",
        answer=DeliveryDocument,
        errors=("admin_required", "delivery_not_found", "not_retriable", "storage_failed"),
    )
    async def again(self, call: Call) -> Reply:
        """POST /api/deliveries/{id}/retry. Raises ApiError 404, and 409 for one in any other state."""
        call.admins_only()
        known = await self._known(call)
        renewed = await self._retry(known.id)
        if renewed is None:
            text = f"Only deliveries that are `unknown` or `dead` are sent again; this one is `{known.state}`."
            raise ApiError(409, "not_retriable", text)
        return document(200, documents.delivery(renewed))

    async def _known(self, call: Call) -> Delivery:
        """The delivery of the path. Raises ApiError 404 where it is not there for this key."""
        name = DeliveryId(call.parts[0])
        found = await self._archive.delivery(name)
        if found is None or not (call.principal.may_use(found.agent) or found.agent == GATEWAY):
            raise not_found("delivery_not_found", name)
        return found

    async def _place(self, before: str | None) -> DeliveryId | None:
        """Behind which delivery the page begins. Raises ApiError 400 where there is none of that id."""
        if before is not None and await self._archive.delivery(DeliveryId(before)) is None:
            raise invalid("before", "`before` is the `next` of an earlier page.")
        return DeliveryId(before) if before is not None else None


def _wanted(asked: DeliveryQuery, principal: Principal) -> DeliveryFilter:
    agents = None if principal.agents is None else principal.agents | {GATEWAY}
    agent = AgentId(asked.agent) if asked.agent else None
    return DeliveryFilter(agent, asked.platform.lower() if asked.platform else None, asked.state, agents)


def _dispatched(result: Dispatched) -> DispatchedDocument:
    return DispatchedDocument(result.target, result.agent, result.deliveries, result.error)
