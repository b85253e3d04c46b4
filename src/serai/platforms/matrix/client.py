"""nio's client as a driver needs it: over the process's session, without repeats of its own, its keys in a folder."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import structlog
from nio import (
    AsyncClient,
    AsyncClientConfig,
    ErrorResponse,
    MegolmEvent,
    WhoamiResponse,
)
from nio.exceptions import EncryptionError
from nio.responses import EmptyResponse
from nio.store import SqliteStore
from yarl import URL

from serai.core.error import CredentialsRefused
from serai.platforms.matrix.fault import KeysRefused, NotShared, lost
from serai.platforms.matrix.sieve import ODD, sift

_log = structlog.get_logger("matrix")

_CONNECT_S: Final = 10.0
_REQUEST_S: Final = 30.0
_FIRST_SYNC_S: Final = 300.0
"""A homeserver may need minutes for the state of thousands of rooms."""

_FILTER: Final = {
    "presence": {"not_types": ["*"]},
    "account_data": {"types": ["m.direct"]},
    "room": {
        "ephemeral": {"not_types": ["*"]},
        "account_data": {"not_types": ["*"]},
        "timeline": {"limit": 50, "lazy_load_members": True},
        "state": {"lazy_load_members": True},
    },
}
_SYNC: Final = "/_matrix/client/v3/sync?"
_OTHER_KEYS: Final = (
    "the homeserver has other encryption keys for this session (device): its key file was lost, or another program "
    "uses the session; log in as the bot again, and put the new token into the variable that `access_token_env` names"
)
_KEY_PATHS: Final = ("/keys/upload", "/keys/query", "/keys/claim", "/sendToDevice/")
POLL_S: Final = 30.0
"""Seconds for which the homeserver may hold a poll open."""

_CONFIG: Final = AsyncClientConfig(
    max_limit_exceeded=0,
    max_timeouts=0,
    request_timeout=_REQUEST_S,
    store=SqliteStore,
    store_name="keys.db",
    store_sync_tokens=False,
)


class Client(AsyncClient):  # type: ignore[misc]  # nio is not typed
    """One account's client. Refusals are answers (`ErrorResponse`); a broken connection raises `fault.Broken`."""

    def __init__(self, homeserver: str, token: str, folder: Path, session: aiohttp.ClientSession) -> None:
        _mute()
        super().__init__(homeserver, config=_CONFIG, store_path=str(folder.absolute()))
        self.access_token = token
        self._session = session
        self._sharing = asyncio.Lock()
        self._sifts = False

    async def send(
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: dict[str, str] | None = None,
        trace_context: Any = None,  # noqa: ARG002  nio's progress of uploads, which is not used
        timeout: float | None = None,
    ) -> aiohttp.ClientResponse:
        """The one place where requests leave. `timeout` in seconds; 0 is nio's word for "as long as it takes"."""
        limits = aiohttp.ClientTimeout(
            total=_REQUEST_S if timeout is None else timeout or _FIRST_SYNC_S, connect=_CONNECT_S
        )
        url = URL(self.homeserver + path, encoded=True)
        once = (_once,) if path.startswith(_SYNC) else ()
        response = await self._session.request(
            method, url, data=data, headers=headers, timeout=limits, allow_redirects=False, middlewares=once
        )
        # nio reads these refusals wrongly: as a logout, or not at all.
        if response.status >= 400 and any(part in path for part in _KEY_PATHS):
            response.release()
            if "/keys/upload" in path and response.status == 400:
                raise CredentialsRefused(_OTHER_KEYS)
            raise KeysRefused(str(response.status))
        return response

    async def parse_body(self, transport_response: aiohttp.ClientResponse) -> Any:
        """An answer's document; without what nio cannot read, where it has failed over the whole."""
        body = await super().parse_body(transport_response)
        if self._sifts and isinstance(body, dict):
            sift(body)
        return body

    async def close(self) -> None:
        """Closes the keys' file; the session is the process's."""
        if self.store is not None:
            self.store.database.close()

    async def identify(self) -> None:
        """Learns whose token it is, and loads the keys. Raises CredentialsRefused, ConnectionError, `Broken`."""
        self.user_id, self.device_id = await self.whose()
        self._open_store()

    async def whose(self) -> tuple[str, str]:
        """The user and the device that the token belongs to. Raises CredentialsRefused, ConnectionError, `Broken`."""
        response = await self.whoami()
        if not isinstance(response, WhoamiResponse):
            raise lost(response)
        if not response.device_id:
            raise ConnectionError("the access token belongs to no session (device), so there can be no encryption")
        return response.user_id, response.device_id

    async def state(self, since: str | None) -> Any:
        """A sync answer with the state of all rooms, and what came since a position."""
        return await self._synced(timeout=0, since=since, full_state=True)

    async def poll(self, since: str | None, *, at_once: bool) -> Any:
        """The next sync answer; waits for news, unless the answer is wanted `at_once`."""
        # A millisecond, for nio takes 0 for "no limit" of the request's own time.
        return await self._synced(timeout=1 if at_once else int(POLL_S * 1000), since=since)

    async def _synced(self, **asked: Any) -> Any:
        """Over one odd event, nio fails the whole answer: then the same is asked for again, and sifted.
        Raises ConnectionError, `Broken`."""
        try:
            return await self.sync(sync_filter=_FILTER, **asked)
        except ODD:
            self._sifts = True
        try:
            return await self.sync(sync_filter=_FILTER, **asked)
        except ODD as error:
            raise ConnectionError(f"the homeserver's answer could not be read ({type(error).__name__})") from None
        finally:
            self._sifts = False

    async def tend(self) -> None:
        """Does what encryption owes the homeserver after each sync. Raises `Broken`."""
        if self.should_upload_keys:
            await self.keys_upload()
        if self.should_query_keys:
            await self.keys_query()
        if self.should_claim_keys:
            await self.keys_claim(self.get_users_for_key_claiming())
        await self.send_to_device_messages()

    async def prepare(self, room_id: str) -> None:
        """Sees to it that everybody in an encrypted room can read what is sent next: to all devices of its members,
        verified or not. Raises NotShared, ConnectionError, `Broken`."""
        room = self.rooms[room_id]
        if not room.encrypted or self.olm is None:
            return
        async with self._sharing:
            if not room.members_synced:
                members = await self.joined_members(room_id)
                if isinstance(members, ErrorResponse):
                    raise lost(members)
            if self.should_query_keys:
                await self.keys_query()
            if self.olm.should_share_group_session(room_id):
                try:
                    await self.share_group_session(room_id, ignore_unverified_devices=True)
                finally:
                    self.sharing_session.pop(room_id, None)  # nio leaves it behind where keys could not be claimed
                self._check_shared(room_id)

    async def put_direct(self, direct: dict[str, list[str]]) -> Any:
        """Notes in the account's own data which rooms are direct chats."""
        path = f"/_matrix/client/v3/user/{quote(self.user_id, safe='')}/account_data/m.direct"
        return await self._send(EmptyResponse, "PUT", path, json.dumps(direct))

    def opened(self, event: Any) -> Any:
        """An event, decrypted where it is encrypted and there is a key for it, else as it was."""
        if not isinstance(event, MegolmEvent) or self.olm is None:
            return event
        try:
            return self.decrypt_event(event)
        except (EncryptionError, *ODD):
            return event

    # What a sender has put into an encrypted event or letter is seen by no homeserver. nio fails over some of it;
    # that must not end the sync, which would bring the same thing again.

    def _handle_timeline_event(self, event: Any, *rest: Any) -> Any:
        try:
            return super()._handle_timeline_event(event, *rest)
        except ODD as error:
            _log.warning("an event could not be read", user=self.user_id, reason=type(error).__name__)
            return None

    def _handle_decrypt_to_device(self, to_device_event: Any) -> Any:
        try:
            return super()._handle_decrypt_to_device(to_device_event)
        except ODD as error:
            _log.warning("a letter to the session could not be read", user=self.user_id, reason=type(error).__name__)
            return None

    def _open_store(self) -> None:
        Path(self.store_path).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.load_store()

    def _check_shared(self, room_id: str) -> None:
        """nio takes a key for shared even where the homeserver refused to pass it on."""
        assert self.olm is not None
        session = self.olm.outbound_group_sessions[room_id]
        reached = session.users_shared_with | session.users_ignored
        for user in self.rooms[room_id].users:
            for device in self.device_store.active_user_devices(user):
                if self.olm.session_store.get(device.curve25519) and (user, device.id) not in reached:
                    session.shared = False
                    raise NotShared("the room's key has not reached everybody")


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from repeating a poll by itself: that a connection has ended is to be known."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if isinstance(error, aiohttp.ClientConnectorError):
            raise
        raise aiohttp.ClientConnectionError(type(error).__name__) from None


def _mute() -> None:
    """nio's loggers print whole responses, and with them texts: the driver says itself what matters."""
    logger = logging.getLogger("nio")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
