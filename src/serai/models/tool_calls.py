"""Tool calls put together from the pieces in which servers send them."""

from dataclasses import dataclass, field
from uuid import uuid4

import msgspec

from serai.core.message import ToolCall
from serai.models.wire import CallDelta, Function


@dataclass(slots=True)
class _Draft:
    """One call as far as it is known."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCalls:
    """The calls of one answer.

    By the protocol a piece names its call by `index`, and the first piece has id and name. Servers leave out either,
    give all calls the same index, repeat the id or name in each piece, or send calls whole. So a piece begins a new
    call when its id is a new one, or, having none, when it brings a name that its place's call does not have.
    """

    __slots__ = ("_drafts", "_places")

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._places: dict[int | None, _Draft] = {}

    def add(self, piece: CallDelta) -> None:
        """Takes a piece. Raises ValueError where its arguments are not UTF-8."""
        function = piece.function or Function()
        draft = self._draft(piece, function.name or "")
        draft.id = draft.id or piece.id or ""
        draft.name = draft.name or function.name or ""
        if text := _text(function.arguments):
            draft.arguments.append(text)

    def _draft(self, piece: CallDelta, name: str) -> _Draft:
        known = self._places.get(piece.index)
        if known is None and piece.index is None and self._drafts:
            known = self._drafts[-1]
        if known is None or self._is_new(known, piece, name):
            known = _Draft()
            self._drafts.append(known)
        self._places[piece.index] = known
        return known

    @staticmethod
    def _is_new(known: _Draft, piece: CallDelta, name: str) -> bool:
        if piece.id:
            return bool(known.id) and known.id != piece.id
        if not name or not known.name:
            return False
        return name != known.name or (piece.index is None and not known.id)

    def finish(self) -> tuple[ToolCall, ...]:
        """All calls, each with an id of its own and arguments. Raises ValueError for a call without a name."""
        calls: dict[str, ToolCall] = {}
        for draft in self._drafts:
            if not draft.name:
                raise ValueError("a tool call without a name")
            call_id = draft.id if draft.id and draft.id not in calls else _new_id()
            calls[call_id] = ToolCall(call_id, draft.name, "".join(draft.arguments) or "{}")
        return tuple(calls.values())


def _new_id() -> str:
    """An id for a call that came without: nine letters and digits, the narrowest form that a server insists on."""
    return uuid4().hex[:9]


def _text(arguments: msgspec.Raw) -> str:
    """The arguments' JSON text: of a string its value, of an object the object as it was written."""
    raw = bytes(arguments)
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str)
    return "" if raw in (b"", b"null") else raw.decode()
