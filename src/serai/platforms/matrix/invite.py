"""Invitations: whose are taken (SPEC 6.7)."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog
from nio import InviteMemberEvent, JoinResponse

from serai.core.ids import Account
from serai.core.snapshot import Access
from serai.platforms.matrix.client import Client
from serai.platforms.matrix.fault import Broken, retry_after, status_of
from serai.platforms.matrix.people import Directory

_log = structlog.get_logger("matrix")

_TRIES: Final = 3
_LONGEST_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who has asked the bot into a room, and whether for a direct chat."""

    room_id: str
    inviter: str
    direct: bool


def invitation(room_id: str, me: str, state: list[Any]) -> Invitation | None:
    """Reads an invitation from the stripped state that comes with it."""
    for event in state:
        mine = isinstance(event, InviteMemberEvent) and event.state_key == me
        if mine and event.membership == "invite":
            return Invitation(room_id, str(event.sender), event.content.get("is_direct") is True)
    return None


def is_welcome(access: Access, invited: Invitation) -> bool:
    """Whether to join: the inviter may talk to the bot in that room, or, where the account pairs, wants to have a
    direct chat, in which they get a code."""
    if access.admits(invited.inviter, None, invited.room_id):
        return True
    return access.pairing and invited.direct


class Doorman:
    """Joins the rooms to which the bot is invited by those who may. Other invitations stay unanswered."""

    def __init__(self, account: Account, access: Access, client: Client, directory: Directory) -> None:
        self._account = account
        self._access = access
        self._client = client
        self._directory = directory

    async def answer(self, room_id: str, state: list[Any]) -> None:
        """One invitation. A join that fails is logged, for one broken room must not end the connection."""
        invited = invitation(room_id, self._client.user_id, state)
        if invited is None:
            return
        if not is_welcome(self._access, invited):
            _log.warning("an invitation is not taken", account=str(self._account), room=room_id, user=invited.inviter)
            return
        if await self._join(invited) and invited.direct:
            await self._note_direct(invited)

    async def _join(self, invited: Invitation) -> bool:
        for _ in range(_TRIES):
            try:
                response = await self._client.join(invited.room_id)
            except Broken as error:
                return self._failed(invited, type(error).__name__)
            if isinstance(response, JoinResponse):
                return True
            if status_of(response) != 429:
                return self._failed(invited, response.status_code or "no code")
            await asyncio.sleep(min(retry_after(response) or 1.0, _LONGEST_WAIT_S))
        return self._failed(invited, "M_LIMIT_EXCEEDED")

    async def _note_direct(self, invited: Invitation) -> None:
        rooms = self._directory.direct.setdefault(invited.inviter, [])
        if invited.room_id not in rooms:
            rooms.append(invited.room_id)
            try:
                await self._client.put_direct(self._directory.direct)
            except Broken as error:
                self._failed(invited, type(error).__name__)

    def _failed(self, invited: Invitation, reason: str) -> bool:
        _log.warning("a room could not be joined", account=str(self._account), room=invited.room_id, reason=reason)
        return False
