"""Lists in pages, and the query that asks for them (SPEC 16.3): `{"object": "list", "data", "has_more", "next"}`."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from serai.api.body import misshapen
from serai.api.error import ApiError, invalid
from serai.api.path import Call

S = TypeVar("S", bound=Struct)
T = TypeVar("T")

MOST: Final = 1000
DEFAULT: Final = 50

Limit = Annotated[int, Meta(ge=1, le=MOST, description="How many objects at most.")]
Next = Annotated[str, Meta(max_length=400, description="Go on behind a page whose `next` was this.")]


class ListOf(Struct, Generic[T], tag_field="object", tag="list"):
    """A page of a list. `next` is what to send as `before` (of messages: `after`) for the page behind it."""

    data: list[T]
    has_more: bool = False
    next: str | None = None


def page(data: Iterable[Any], *, after: str | None = None) -> ListOf[Any]:
    """A page; `after` is where the next one begins, where there is one."""
    return ListOf([*data], after is not None, after)


def cut(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """The rows of a page, and the last of them where more follow: `limit + 1` were asked for."""
    rows = found[:limit]
    return rows, rows[-1] if len(found) > limit else None


def query(shape: type[S], call: Call) -> S:
    """The parameters behind the path's `?`. Raises ApiError 400 that names the one which is wrong."""
    asked = call.request.rel_url.query
    for name in asked:
        if len(asked.getall(name)) > 1:
            raise invalid(name[:100], f"The parameter `{name[:100]}` came more than once.")
    try:
        return msgspec.convert(dict(asked), shape, strict=False)
    except msgspec.ValidationError as error:
        raise misshapen(str(error)) from None


def not_found(code: str, name: str) -> ApiError:
    """404 for an object that is not there, or is another's."""
    kind = code.removesuffix("_not_found").replace("_", " ")
    return ApiError(404, code, f"There is no {kind} `{name[:100]}`.")
