"""What a method of a resource takes and gives, declared beside its handler; `openapi.py` makes the document of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiohttp import web

_NAME: Final = "__operation__"

H = TypeVar("H", bound=Callable[..., Awaitable[web.StreamResponse]])


@dataclass(frozen=True, slots=True)
class Operation:
    """`answer`, `body` and `query` are the types of the documents (`query`: a Struct, one field a parameter; `body`
    None: none is read); `media` is the answer's type where it is no JSON. `stream` is what the events of a streamed
    answer hold. `headers` are those that the method reads. `errors` are the codes that it may answer with, besides
    those of every call (`code.py`)."""

    summary: str
    answer: Any = None
    status: int = 200
    body: Any = None
    query: Any = None
    stream: Any = None
    media: str | None = None
    headers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def operation(
    summary: str,
    answer: Any = None,
    *,
    status: int = 200,
    body: Any = None,
    query: Any = None,
    stream: Any = None,
    media: str | None = None,
    headers: tuple[str, ...] = (),
    errors: tuple[str, ...] = (),
) -> Callable[[H], H]:
    """Declares what a handler takes and gives."""

    def declare(handler: H) -> H:
        setattr(handler, _NAME, Operation(summary, answer, status, body, query, stream, media, headers, errors))
        return handler

    return declare


def declared(handler: Callable[..., Awaitable[web.StreamResponse]]) -> Operation | None:
    """What was declared for a handler."""
    found: Operation | None = getattr(handler, _NAME, None)
    return found
