"""Conversations: made first, then filled and read item by item (SPEC 11.4; OpenAI API reference, "Conversations")."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from serai.api.body import decode, read
from serai.api.error import ApiError
from serai.api.models import stamp
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.api.response.convert import check_calls, messages_of
from serai.api.response.echo import usual_echo
from serai.api.response.item import AnyItem, CallItem, CallOutputItem, MessageItem, inputs
from serai.api.response.item_list import page
from serai.api.response.object import About
from serai.api.response.shape import ItemPage, ItemQuery
from serai.api.response.wire import Item, Metadata
from serai.api.services import Lasting
from serai.core.call_id import own_ids, parted
from serai.core.ids import MAIN, InputId
from serai.core.message import Message
from serai.ports.clock import Clock, Entropy
from serai.ports.conversation import ConversationRow, Conversations, Entry, Kept

Items = Annotated[list[Item], Meta(max_length=20)]


class NewConversation(Struct, forbid_unknown_fields=True):
    """What a conversation begins with."""

    items: Items | None = None
    metadata: Metadata | None = None


class ConversationUpdate(Struct, forbid_unknown_fields=True):
    """What can be changed."""

    metadata: Metadata


class NewItems(Struct, forbid_unknown_fields=True):
    """What is put to the end."""

    items: Annotated[list[Item], Meta(min_length=1, max_length=20)]


class ConversationObject(Struct, tag_field="object", tag="conversation"):
    """A conversation. `created_at` is in seconds since the epoch."""

    id: str
    created_at: int
    metadata: dict[str, str]


class ConversationDeleted(Struct, tag_field="object", tag="conversation.deleted"):
    """What was deleted."""

    id: str
    deleted: bool = True


_ERRORS: Final = ("conversation_not_found", "model_not_found", "storage_failed")
_NEW: Final = msgspec.json.Decoder(NewConversation)
_UPDATE: Final = msgspec.json.Decoder(ConversationUpdate)
_ITEMS: Final = msgspec.json.Decoder(NewItems)
_KEPT: Final = msgspec.json.Decoder(list[MessageItem | CallItem | CallOutputItem])


class ConversationResource:
    """`/v1/conversations` and what lies under it."""

    def __init__(self, conversations: Conversations, lasting: Lasting, clock: Clock, entropy: Entropy) -> None:
        self._conversations = conversations
        self._lasting = lasting
        self._clock = clock
        self._entropy = entropy
        self._changing = asyncio.Lock()

    @Operation(
        summary="Makes a conversation",
        answer=ConversationObject,
        body=NewConversation,
        optional=True,
        errors=("storage_failed", "unsupported_parameter"),
    )
    async def create(self, call: Call) -> Reply:
        """POST /v1/conversations."""
        wanted = decode(_NEW, await read(call.request) or b"{}")
        row = ConversationRow(
            f"conv_{self._entropy.token()}",
            call.principal.name,
            msgspec.json.encode(wanted.metadata or {}),
            self._clock.now(),
        )
        await self._conversations.create(row, self._kept(wanted.items or []))
        return document(200, _object(row))

    @Operation(summary="One conversation", answer=ConversationObject, errors=_ERRORS)
    async def one(self, call: Call) -> Reply:
        """GET /v1/conversations/{id}."""
        return document(200, _object(await self.find(call, call.parts[0])))

    @Operation(summary="Changes a conversation", answer=ConversationObject, body=ConversationUpdate, errors=_ERRORS)
    async def update(self, call: Call) -> Reply:
        """POST /v1/conversations/{id}."""
        row = await self.find(call, call.parts[0])
        metadata = msgspec.json.encode(decode(_UPDATE, await read(call.request)).metadata)
        await self._conversations.update(row.id, metadata)
        return document(200, _object(replace(row, metadata=metadata)))

    @Operation(
        summary="Deletes a conversation, with all that was said",
        answer=ConversationDeleted,
        errors=(*_ERRORS, "conversation_busy"),
    )
    async def delete(self, call: Call) -> Reply:
        """DELETE /v1/conversations/{id}, with all that was said. Raises ConversationBusy."""
        row = await self.find(call, call.parts[0])
        await self._conversations.drop(row.id)
        self._lasting.forget_history(row)
        return document(200, ConversationDeleted(row.id))

    @Operation(summary="What was said in a conversation", answer=ItemPage, query=ItemQuery, errors=_ERRORS)
    async def items(self, call: Call) -> Reply:
        """GET /v1/conversations/{id}/items."""
        row = await self.find(call, call.parts[0])
        found = [item for items in (await self._shown(row)).values() for item in items]
        return document(200, page(call.request.rel_url.query, found))

    @Operation(
        summary="Puts items to the end of a conversation",
        answer=ItemPage,
        body=NewItems,
        errors=(*_ERRORS, "conversation_busy", "unsupported_parameter"),
    )
    async def add(self, call: Call) -> Reply:
        """POST /v1/conversations/{id}/items. Raises ConversationBusy."""
        row = await self.find(call, call.parts[0])
        kept = self._kept(decode(_ITEMS, await read(call.request)).items)
        await self._conversations.add(row.id, kept, self._clock.now())
        added = [item for _, items in kept for item in _KEPT.decode(items)]
        return document(200, page({"order": "asc", "limit": "100"}, added))

    @Operation(summary="One item of a conversation", answer=AnyItem, errors=(*_ERRORS, "item_not_found"))
    async def item(self, call: Call) -> Reply:
        """GET /v1/conversations/{id}/items/{item}."""
        row = await self.find(call, call.parts[0])
        for items in (await self._shown(row)).values():
            for item in items:
                if item.id == call.parts[1]:
                    return document(200, item)
        raise _no_item(call.parts[1])

    @Operation(
        summary="Takes an item out of a conversation",
        answer=ConversationObject,
        errors=(*_ERRORS, "item_not_found", "conversation_busy"),
    )
    async def remove(self, call: Call) -> Reply:
        """DELETE /v1/conversations/{id}/items/{item}. A call goes together with its output, and the other way round,
        because models refuse the one without the other. Raises ConversationBusy."""
        row = await self.find(call, call.parts[0])
        async with self._changing:
            shown = await self._shown_now(row)
            gone = _together([item for items in shown.values() for item in items], call.parts[1])
            entries = {entry.n: entry.message for entry in await self._conversations.entries(row.id)}
            changes = {
                n: _without(entries[n], items, gone)
                for n, items in shown.items()
                if any(item.id in gone for item in items)
            }
            await self._conversations.change(row.id, changes)
            self._lasting.forget_history(row)
        return document(200, _object(row))

    async def find(self, call: Call, name: str, model: str | None = None) -> ConversationRow:
        """The conversation, where it is this key's and of an agent that it may use, and that `model` does not
        contradict. Raises ApiError 404."""
        row = await self._conversations.find(name)
        named = stamp(model, call.principal, call.snapshot)
        if row is None or row.owner != call.principal.name or not _fits(call, row, named):
            raise ApiError(404, "conversation_not_found", f"There is no conversation `{name}`.")
        return row

    def _kept(self, items: Sequence[Item]) -> list[Kept]:
        messages = messages_of(items, "items")
        check_calls(messages, continued=True, param="items")
        batch = InputId(f"run_{self._entropy.token()}")
        return _kept(batch, messages)

    async def _shown(self, row: ConversationRow) -> Mapping[int, Sequence[AnyItem]]:
        """The items of each message by its number. Those that were never shown get their ids now, for good."""
        async with self._changing:
            return await self._shown_now(row)

    async def _shown_now(self, row: ConversationRow) -> Mapping[int, Sequence[AnyItem]]:
        entries = await self._conversations.entries(row.id)
        turns: dict[int, list[Entry]] = {}
        for entry in entries:
            if entry.items is None:
                turns.setdefault(entry.turn, []).append(entry)
        made: dict[int, Sequence[AnyItem]] = {}
        for turn in turns.values():
            made.update(await self._made(row, turn))
        if made:
            await self._conversations.keep(row.id, {n: msgspec.json.encode(items) for n, items in made.items()})
        return {entry.n: made[entry.n] if entry.items is None else _KEPT.decode(entry.items) for entry in entries}

    async def _made(self, row: ConversationRow, turn: Sequence[Entry]) -> dict[int, Sequence[AnyItem]]:
        """The items of one turn: what the client sent under the ids that it has in the response, what the agent said,
        and its calls for the client. What the agent did with its own tools is no item."""
        run = turn[0].run or InputId(f"run_{turn[0].turn:024x}")
        exchange = await self._lasting.said(run, row.owner, row.agent) if row.agent is not None else None
        asked = len(turn) - len(exchange.answered()) if exchange is not None else 1
        said = (*exchange.body.before, exchange.body.message) if exchange is not None else (turn[0].message,)
        made: dict[int, Sequence[AnyItem]] = {entry.n: () for entry in turn}
        for entry, items in zip(turn[asked - len(said) : asked], _by_message(run, said), strict=False):
            made[entry.n] = items
        results = {entry.message.tool_call_id for entry in turn[asked:]}
        about = About(run, row.agent or MAIN, row.created_at, usual_echo())
        place = 0
        for entry in turn[asked:]:
            if entry.message.role != "assistant":
                continue
            items = [about.message(place, entry.message.text)] if entry.message.text else []
            calls = [one for one in entry.message.tool_calls if one.id not in results]
            made[entry.n] = [*items, *(about.call(place + len(items) + n, one) for n, one in enumerate(calls))]
            place += len(made[entry.n])
        return made


def _fits(call: Call, row: ConversationRow, named: str | None) -> bool:
    return row.agent is None or (call.principal.may_use(row.agent) and named in (None, row.agent))


def _kept(batch: InputId, messages: Sequence[Message]) -> list[Kept]:
    """Messages as the history has them, with their items as the client has them."""
    return [
        (own_ids(message), msgspec.json.encode(items))
        for message, items in zip(messages, _by_message(batch, messages), strict=True)
    ]


def _by_message(run: InputId, messages: Sequence[Message]) -> list[list[AnyItem]]:
    """`inputs`, with the items of each message for itself."""
    left = inputs(run, messages)
    found = []
    for one in messages:
        count = len(inputs(run, [one]))
        found.append(left[:count])
        left = left[count:]
    return found


def _together(items: Sequence[AnyItem], name: str) -> set[str]:
    """The ids that go with an item. Raises ApiError 404 where there is none of that id."""
    wanted = next((item for item in items if item.id == name), None)
    if wanted is None:
        raise _no_item(name)
    if isinstance(wanted, MessageItem):
        return {name}
    call = wanted.call_id
    return {item.id for item in items if not isinstance(item, MessageItem) and item.call_id == call}


def _without(message: Message, items: Sequence[AnyItem], gone: set[str]) -> Kept | None:
    """What is left of a message; None for nothing."""
    left = [item for item in items if item.id not in gone]
    calls = {parted(item.call_id)[1] for item in items if isinstance(item, CallItem) and item.id in gone}
    kept = tuple(call for call in message.tool_calls if call.id not in calls)
    text = any(isinstance(item, MessageItem) for item in left)
    if not text and not kept:
        return None
    changed = replace(message, tool_calls=kept) if text else Message(message.role, tool_calls=kept)
    return changed, msgspec.json.encode(left)


def _object(row: ConversationRow) -> ConversationObject:
    return ConversationObject(row.id, int(row.created_at), msgspec.json.decode(row.metadata))


def _no_item(name: str) -> ApiError:
    return ApiError(404, "item_not_found", f"There is no item `{name}` in this conversation.")
