"""What a method of a resource takes and gives, declared beside its handler; `openapi.py` makes the document of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aiohttp.web_response import StreamResponse

_NAME: Final = "__operation__"

H = TypeVar("H", bound=Callable[..., Awaitable[StreamResponse]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`answer`, `body` and `query` are the types of the documents (`query`: a Struct, one field a parameter; `body`
    None: none is read); `media` is the answer's type where it is no JSON. `optional`: the body may be left out.
    `stream` is what the events of a streamed answer hold. `headers` are those that the method reads. `errors` are the
    codes that it may answer with, besides those of every call of its kind (`code.py`). `also` are further answers
    that are no errors, by their status; None for one without a body.
    """

    summary: str
    answer: Any = None
    status: int = 200
    body: Any = None
    optional: bool = False
    query: Any = None
    stream: Any = None
    media: str | None = None
    headers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    also: dict[int, Any] = field(default_factory=dict)

    def __call__(self, handler: H) -> H:
        """Declares that a handler is this."""
        setattr(handler, _NAME, self)
        return handler


def declared(handler: Callable[..., Awaitable[StreamResponse]]) -> Operation | None:
    """What was declared for a handler."""
    found: Operation | None = getattr(handler, _NAME, None)
    return found
