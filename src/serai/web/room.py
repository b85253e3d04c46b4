"""A chat with something going on: its drafts, and who waits for news."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from serai.web.draft import Draft


@dataclass(slots=True)
class Cursor:
    """How far one reader has come: a revision of the chat, an edition of its drafts, and pieces of each draft."""

    revision: int = 0
    edition: int = -1
    pieces: dict[str, int] = field(default_factory=dict)


class Room:
    """Readers keep a cursor and look for what is new, so a slow one costs no memory. One event loop."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._edition = 0
        self.readers = 0
        self.news = asyncio.Event()
        """Set, and replaced by a fresh one, when something has changed."""

    @property
    def empty(self) -> bool:
        return not self._drafts and not self.readers

    def begin(self, draft: Draft) -> None:
        self._drafts[draft.post] = draft
        self.redraw()

    def end(self, draft: Draft) -> None:
        if self._drafts.get(draft.post) is draft:
            del self._drafts[draft.post]
            self.redraw()

    def redraw(self) -> None:
        """More has changed than that text was added."""
        self._edition += 1
        self.tell()

    def tell(self) -> None:
        """Wakes the readers."""
        self.news.set()
        self.news = asyncio.Event()

    def shown(self) -> Sequence[Draft]:
        """Of each agent the answer that it writes now: the others wait their turn in its lane."""
        drafts = sorted(self._drafts.values(), key=lambda draft: draft.n)
        first: dict[str, Draft] = {}
        for draft in drafts:
            first.setdefault(draft.agent, draft)
        return list(first.values())

    def since(self, cursor: Cursor) -> list[tuple[str, Any]]:
        """The events about drafts that a reader has not seen; its cursor moves on."""
        shown = self.shown()
        if cursor.edition != self._edition:
            cursor.edition = self._edition
            cursor.pieces = {draft.post: draft.size for draft in shown}
            return [("drafts", [_document(draft) for draft in shown])]
        events: list[tuple[str, Any]] = []
        for draft in shown:
            seen = cursor.pieces[draft.post]
            if seen < draft.size:
                at, text = draft.since(seen)
                events.append(("delta", {"answers": draft.post, "at": at, "text": text}))
                cursor.pieces[draft.post] = draft.size
        return events


def _document(draft: Draft) -> dict[str, Any]:
    tools = [{"name": name, "state": state} for name, state in draft.tools.values()]
    return {"answers": draft.post, "agent": draft.agent, "text": draft.since(0)[1], "tools": tools}
