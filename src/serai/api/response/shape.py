"""The shapes of responses' lists, events and queries, for the description of the API (SPEC 11.4)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from serai.api.response.item import AnyItem


class ResponseEvent(Struct):
    """An event of a streamed response; what else it holds follows from its type, as in the OpenAI API reference."""

    type: Annotated[str, Meta(pattern="^response\\.|^error$")]
    sequence_number: Annotated[int, Meta(ge=0)]


class ResponseDeleted(Struct, tag_field="object", tag="response.deleted"):
    """What was deleted."""

    id: str
    deleted: bool = True


class ItemPage(Struct, tag_field="object", tag="list"):
    """A page of items."""

    data: list[AnyItem]
    first_id: str
    last_id: str
    has_more: bool
    next: str | None


class ResponseQuery(Struct):
    """How a response is read: whole, or as its events behind a number."""

    stream: bool | None = None
    starting_after: Annotated[int, Meta(ge=-1, lt=10**8)] | None = None


class ItemQuery(Struct):
    """Which items, newest first unless `order` says otherwise."""

    order: Literal["asc", "desc"] | None = None
    after: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] | None = None
