"""The latest messages of busy sessions, kept in memory so that a long session costs no more per turn."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from serai.core.ids import LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Message
from serai.core.redact import Redactor
from serai.core.redact_message import clean_message
from serai.core.turn import Claim

_MESSAGES_MOST: Final = 200_000
"""Messages kept over all sessions; about 400 bytes each beside their text."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The beginning of a session's history, as this process last saw it: without the secrets that `redactor` knows.

    Right as long as history only grows; else it is forgotten.
    """

    lane: LaneId
    session: SessionId
    messages: tuple[Message, ...]
    redactor: Redactor


def past(claim: Claim, remembered: Remembered | None, redactor: Redactor) -> tuple[Message, ...]:
    """The session's history as its model sees it: the part that was in memory when the claim was made, and what the
    claim brought. What is in memory is not looked at again, unless there are new secrets since."""
    brought = [clean_message(redactor, one) for one in claim.history]
    if not claim.history_from or remembered is None:
        return tuple(brought)
    known = remembered.messages[: claim.history_from]
    if remembered.redactor is not redactor:
        known = tuple(clean_message(redactor, one) for one in known)
    return (*known, *brought)


class History:
    """A bounded cache, found by a lane's address or its number."""

    def __init__(self, most: int = _MESSAGES_MOST) -> None:
        self._most = most
        self._count = 0
        self._lanes: OrderedDict[LaneAddress, Remembered] = OrderedDict()
        self._addresses: dict[LaneId, LaneAddress] = {}

    def get(self, address: LaneAddress) -> Remembered | None:
        return self._lanes.get(address)

    def of_lane(self, lane: LaneId) -> Remembered | None:
        address = self._addresses.get(lane)
        return None if address is None else self._lanes.get(address)

    def put(self, address: LaneAddress, remembered: Remembered) -> None:
        self._drop(address)
        self._lanes[address] = remembered
        self._addresses[remembered.lane] = address
        self._count += len(remembered.messages)
        while self._count > self._most and self._lanes:
            self._drop(next(iter(self._lanes)))

    def forget(self, address: LaneAddress) -> None:
        """A part of the history was taken out."""
        self._drop(address)

    def _drop(self, address: LaneAddress) -> None:
        gone = self._lanes.pop(address, None)
        if gone is not None:
            del self._addresses[gone.lane]
            self._count -= len(gone.messages)
