"""The accounts' connections: kept up with back-off, taken up and given up while running (SPEC 2.6, 13.2)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from serai.core.error import Busy, Refused, SeraiError, Shut
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.gateway.connection.courtesy import Courtesy
from serai.gateway.connection.link import CLOSE_SECONDS, run_watched
from serai.ports.clock import Entropy
from serai.ports.platform import Platform, Receipt

_log = structlog.get_logger("switchboard")

_BACK_OFF_FIRST: Final = 1.0
_BACK_OFF_MOST: Final = 60.0
_STABLE_SECONDS: Final = 60.0
"""A connection that lasted this long starts again with the shortest back-off."""

DRAIN_SECONDS: Final = 30.0
"""For which a removed account stays connected while there is something to be sent through it (SPEC 2.6)."""

_LOOK_SECONDS: Final = 0.25

ConnectionState = Literal["connecting", "running", "waiting", "draining", "shut", "disabled"]
Receive = Callable[[Inbound | Revision | Press], Awaitable[Receipt]]
Owes = Callable[[Account], Awaitable[bool]]
"""Whether something is still to be answered or sent through an account. Raises StorageFailed."""


@dataclass(slots=True)
class Connection:
    """A supervised connection and how it is. `reason` says why it is not running; `identity` is who it is logged in
    as, since `up_at` by the loop's time."""

    account: Account
    platform: Platform | None
    state: ConnectionState
    reason: str | None = None
    failures: int = 0
    identity: str = ""
    up_at: float | None = None
    task: asyncio.Task[None] | None = None

    def __str__(self) -> str:
        """How it is, for people."""
        if self.reason is not None:
            return f"{self.state}: {self.reason}"
        return f"{self.state} as {self.identity}" if self.state == "running" and self.identity else self.state


class Switchboard:
    """All connections of the process, each with its own supervisor, none delaying another."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._courtesy = Courtesy(entropy)
        self._connections: dict[Account, Connection] = {}
        self._start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]] | None = None
        self._receive: Receive | None = None

    def add(self, platform: Platform) -> None:
        """Takes up a connection. While `run` runs, it connects at once."""
        connection = Connection(platform.account, platform, "connecting")
        self._connections[platform.account] = connection
        self._connect(connection)

    def disable(self, account: Account, reason: str) -> None:
        """Notes an account that must not connect, and why."""
        self._connections[account] = Connection(account, None, "disabled", reason)

    async def close(self, account: Account) -> None:
        """Disconnects at once, for something else to take the account's place."""
        connection = self._connections.pop(account, None)
        if connection is not None and connection.task is not None:
            connection.task.cancel()
            await asyncio.wait([connection.task], timeout=CLOSE_SECONDS)

    def drain(self, account: Account, owes: Owes) -> None:
        """Disconnects an account that was removed, as soon as nothing is owed through it, or after 30 s."""
        connection = self._connections.get(account)
        if connection is None or connection.platform is None or self._start is None:
            self._connections.pop(account, None)
            return
        connection.state, connection.reason = "draining", "the account was removed"
        self._start(self._drained(connection, owes))

    def platform(self, account: Account) -> Platform | None:
        connection = self._connections.get(account)
        return None if connection is None else connection.platform

    def connection(self, account: Account) -> Connection | None:
        return self._connections.get(account)

    def connections(self) -> Iterable[Connection]:
        return self._connections.values()

    async def run(self, receive: Receive) -> None:
        """Runs all connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._start, self._receive = group.create_task, receive
            try:
                for connection in self._connections.values():
                    self._connect(connection)
                await asyncio.Event().wait()
            finally:
                self._start = self._receive = None

    def _connect(self, connection: Connection) -> None:
        if self._start is not None and self._receive is not None and connection.platform is not None:
            connection.task = self._start(self._keep(connection, connection.platform, self._receive))

    def try_again(self) -> None:
        """Connects what is shut: whoever asks for this has changed something."""
        for connection in self._connections.values():
            if connection.state == "shut":
                connection.failures = 0
                self._connect(connection)

    async def _keep(self, connection: Connection, platform: Platform, receive: Receive) -> None:
        """One connection, started again whenever it ends, however it ended."""
        while connection.state != "draining":
            connection.state, connection.reason, connection.up_at = "connecting", None, None
            try:
                await run_watched(platform, _Link(connection, platform, receive, self._courtesy))
                reason = "the connection ended"
            except Shut as error:
                _log.error("connection shut", account=str(connection.account), reason=str(error))
                connection.state, connection.reason = "shut", str(error)
                return
            except Exception as error:  # noqa: BLE001  the connection's supervisor: it must outlive any fault
                reason = str(error) if isinstance(error, SeraiError | OSError) else type(error).__name__
            _count_failure(connection)
            _log.warning("connection failed", account=str(connection.account), reason=reason)
            await self._pause(connection, reason)

    async def _pause(self, connection: Connection, reason: str) -> None:
        if connection.state != "draining":
            connection.state, connection.reason = "waiting", reason
        longest = min(_BACK_OFF_FIRST * 2 ** min(connection.failures - 1, 10), _BACK_OFF_MOST)
        await asyncio.sleep(self._entropy.between(longest / 2, longest))

    async def _drained(self, connection: Connection, owes: Owes) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while await _owes(owes, connection.account):
                    await asyncio.sleep(_LOOK_SECONDS)
        if self._connections.get(connection.account) is connection:
            await self.close(connection.account)
            _log.info("a removed account is disconnected", account=str(connection.account))


class _Link:
    """What a driver tells while it runs: a `ports.platform.Link`."""

    def __init__(self, connection: Connection, platform: Platform, receive: Receive, courtesy: Courtesy) -> None:
        self._connection = connection
        self._platform = platform
        self._receive = receive
        self._courtesy = courtesy

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        try:
            return await self._receive(event)
        except (Refused, Busy) as error:
            if isinstance(event, Inbound):
                self._courtesy.tell(self._platform, event, error)
            raise

    def up(self, identity: str = "") -> None:
        connection = self._connection
        if connection.state == "connecting":
            connection.state = "running"
        if connection.up_at is None:
            connection.up_at = asyncio.get_running_loop().time()
        if identity != connection.identity:
            _log.info("logged in", account=str(connection.account), identity=identity)
        connection.identity = identity

    def alive(self) -> None: ...


def _count_failure(connection: Connection) -> None:
    """A connection that was up long enough begins to count anew."""
    since = connection.up_at
    if since is not None and asyncio.get_running_loop().time() - since > _STABLE_SECONDS:
        connection.failures = 0
    connection.failures += 1


async def _owes(owes: Owes, account: Account) -> bool:
    """A store that cannot be asked owes: there is time to ask again."""
    try:
        return await owes(account)
    except SeraiError:
        return True
