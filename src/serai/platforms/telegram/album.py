"""Albums: pictures that people send as one message come as several updates. Pure."""

from collections.abc import Sequence
from typing import Final

from serai.platforms.telegram.wire import Update

_MOST: Final = 10
"""Telegram's bound of an album."""


def grouped(updates: Sequence[Update]) -> list[list[Update]]:
    """The updates of one chat, in order, those of an album together."""
    groups: list[list[Update]] = []
    for update in updates:
        if groups and (name := album(update)) is not None and name == album(groups[-1][0]):
            groups[-1].append(update)
        else:
            groups.append([update])
    return groups


def album(update: Update) -> str | None:
    """The album that an update is a piece of."""
    return update.said.media_group_id if update.said is not None else None


class Albums:
    """Albums that may not be complete yet: a poll may end within one. Each is left unconfirmed, so that the next poll
    brings it again, until that has brought no more of it."""

    def __init__(self) -> None:
        self._pieces: dict[str, int] = {}

    def complete(self, groups: list[list[Update]]) -> list[list[Update]]:
        """The groups without the last one, where that is an album which may go on."""
        name = album(groups[-1][0]) if groups else None
        if name is None:
            return groups
        pieces = len(groups[-1])
        if pieces >= _MOST or self._pieces.pop(name, None) == pieces:
            return groups
        self._pieces[name] = pieces
        return groups[:-1]
