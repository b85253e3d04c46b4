"""Lists of items, page by page, as the OpenAI API has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from serai.api.error import invalid
from serai.api.response.item import AnyItem

_PAGE, _PAGE_MOST = 20, 100


def page(query: Mapping[str, str], items: Sequence[AnyItem]) -> dict[str, Any]:
    """The page that the query wants: `order`, newest first unless it is `asc`; `after`, an item's id; `limit`, 20 of
    them unless it says otherwise, 100 at most. Raises ApiError 400."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid("order", "`order` is `asc` or `desc`.")
    limit = query.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= _PAGE_MOST):
        raise invalid("limit", f"`limit` is a number from 1 to {_PAGE_MOST}.")
    sorted_items = list(items) if order == "asc" else list(reversed(items))
    after = query.get("after")
    if after is not None:
        place = next((n for n, item in enumerate(sorted_items) if item.id == after), None)
        if place is None:
            raise invalid("after", "There is no item of that id.")
        sorted_items = sorted_items[place + 1 :]
    shown = sorted_items[: int(limit)]
    more = len(sorted_items) > len(shown)
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0].id if shown else "",
        "last_id": shown[-1].id if shown else "",
        "has_more": more,
        "next": shown[-1].id if more else None,
    }
