"""Files in and out: what came with a turn's messages is kept before the model is asked (SPEC 6.8)."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from serai.core.error import FetchFailed, SendFailed
from serai.core.ids import InputId
from serai.core.inbox import PICTURE_MOST, PICTURES, kept_path, kind, readable
from serai.core.message import Attachment, Image
from serai.core.profile import AgentProfile
from serai.core.turn import Input
from serai.gateway.delivery.outbox import Connections
from serai.gateway.state import State
from serai.ports.inbox import Fetch, Inbox
from serai.ports.platform import Fetching

_log = structlog.get_logger("inbox")

_AGAIN_SECONDS: Final = (2.0, 8.0, 20.0)
"""Waits before a file is fetched again that could not be had: a connection may only be on its way."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages with what came with them. `refusal` is the answer where there was nothing else, and it failed."""

    inputs: Sequence[Input]
    refusal: str | None = None


class Enclosed:
    """Takes what came with messages."""

    def __init__(self, state: State, connections: Connections, inbox: Inbox, fetch: Fetch) -> None:
        self._state = state
        self._connections = connections
        self._inbox = inbox
        self._fetch = fetch

    async def take(self, profile: AgentProfile, inputs: Sequence[Input]) -> Taken:
        """Keeps every file in the agent's workspace, where it is not kept already; pictures are shown to the model.
        What cannot be taken is told to the model, with the reason."""
        taken, failures, kept = [], list[str](), False
        for one in inputs:
            notes, images = list[str](), list[Image]()
            for n, attachment in enumerate(one.body.attachments):
                try:
                    data = await self._kept(profile, one, n, attachment)
                except FetchFailed as error:
                    notes.append(f"{_named(attachment)}: {error}")
                    continue
                kept = True
                if attachment.media_type in PICTURES and len(data) <= PICTURE_MOST:
                    images.append(Image(_address(attachment, data)))
            failures += notes
            taken.append(_with(one, images, notes) if images or notes else one)
        said = kept or any(one.body.message.text or one.body.message.images for one in inputs)
        refusal = f"I could not take {'; '.join(failures)}." if failures and not said else None
        return Taken(taken, refusal)

    async def _kept(self, profile: AgentProfile, one: Input, n: int, attachment: Attachment) -> bytes:
        limit = self._limit(one)
        if attachment.size is not None and attachment.size > limit:
            raise FetchFailed(f"it is larger than {readable(limit)}")
        path = kept_path(InputId(one.id), n, attachment)
        data = await self._inbox.read(profile, path, limit)
        if data is None:
            data = await self._had(one, attachment, limit)
            await self._inbox.keep(profile, path, data)
        return data

    def _limit(self, one: Input) -> int:
        target = one.reply_to
        account = self._state.account(target.connection) if target is not None else None
        return account.file_limit if account is not None else 0

    async def _had(self, one: Input, attachment: Attachment, limit: int) -> bytes:
        """The bytes, after as many tries as it is worth. Raises FetchFailed."""
        for wait in (*_AGAIN_SECONDS, None):
            try:
                return await self._fetched(one, attachment, limit)
            except (ConnectionError, TimeoutError, SendFailed) as error:
                _log.info("a file could not be fetched", run=one.id, reason=str(error))
                if wait is None:
                    raise FetchFailed(str(error) or "it cannot be reached") from error
            except FetchFailed:
                raise
            except Exception:  # noqa: BLE001  the drivers' supervisor: one's fault must not cost the turn
                _log.exception("the driver failed", run=one.id)
                raise FetchFailed("the connection to its platform failed") from None
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _fetched(self, one: Input, attachment: Attachment, limit: int) -> bytes:
        if attachment.url:
            return await self._fetch(attachment.url, limit)
        if attachment.ref is None or one.reply_to is None:
            raise FetchFailed("this kind is not supported")
        platform = self._connections(one.reply_to.connection)
        if platform is None:
            raise ConnectionError("its account is not connected")
        if not isinstance(platform, Fetching):
            raise FetchFailed("this kind is not supported")
        data = await platform.fetch(attachment, limit)
        if len(data) > limit:
            raise FetchFailed(f"it is larger than {readable(limit)}")
        return data


def _named(attachment: Attachment) -> str:
    return f"the {kind(attachment)}" + (f" `{attachment.name}`" if attachment.name else "")


def _address(attachment: Attachment, data: bytes) -> str:
    return f"data:{attachment.media_type};base64,{b64encode(data).decode()}"


def _with(one: Input, images: Sequence[Image], notes: Sequence[str]) -> Input:
    message = one.body.message
    lines = [message.text] if message.text else []
    lines += [f"[{note[:1].upper()}{note[1:]}. It was not taken; tell the person so.]" for note in notes]
    shown = replace(message, text="\n".join(lines), images=(*message.images, *images))
    return replace(one, body=replace(one.body, message=shown))
