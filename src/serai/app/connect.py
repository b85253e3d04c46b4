"""The accounts' drivers: made from a configuration, and exchanged when another one comes into force (SPEC 2.6)."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import structlog

from serai.app import platforms
from serai.config.layout import Layout
from serai.config.platform_key import SECRET_SUFFIX
from serai.core.error import SeraiError, Startup
from serai.core.ids import Account
from serai.core.snapshot import AccountSettings, Problem, Snapshot
from serai.gateway.connection.switchboard import Owes, Switchboard
from serai.platforms import Surroundings
from serai.ports.clock import Clock, Entropy
from serai.ports.platform import Platform
from serai.ports.secrets import Secrets

_log = structlog.get_logger("connect")

Drivers = Mapping[Account, Platform | str]
"""For each account its driver, or why it has none."""


class Connector:
    """Makes drivers and puts them on the switchboard."""

    def __init__(
        self,
        switchboard: Switchboard,
        session: aiohttp.ClientSession,
        clock: Clock,
        entropy: Entropy,
        layout: Layout,
        wrap: Callable[[Platform], Platform],
    ) -> None:
        self._switchboard = switchboard
        self._session = session
        self._clock = clock
        self._entropy = entropy
        self._layout = layout
        self._wrap = wrap

    def make(self, snapshot: Snapshot, secrets: Secrets, wanted: Collection[Account]) -> Drivers:
        """Drivers of the wanted accounts. None of them connects before it is put on the switchboard."""
        manifests = self._manifests(snapshot)
        return {account: self._driver(manifests, snapshot.accounts[account], secrets) for account in wanted}

    async def load(self, snapshot: Snapshot, wanted: Collection[Account]) -> None:
        """Imports the libraries of the wanted accounts beside the event loop, so that nobody waits for that."""
        manifests = self._manifests(snapshot)
        for name in {account.platform for account in wanted if snapshot.accounts[account].refusal is None}:
            with suppress(Startup):  # `make` says so
                await asyncio.to_thread(platforms.driver_of, manifests, name)

    def _manifests(self, snapshot: Snapshot) -> platforms.Manifests:
        return platforms.Manifests(self._layout.plugins, snapshot.plugins)

    def _driver(self, manifests: platforms.Manifests, settings: AccountSettings, secrets: Secrets) -> Platform | str:
        if settings.refusal is not None:
            return settings.refusal
        try:
            return self._wrap(platforms.make(manifests, self._surroundings(settings, secrets)))
        except SeraiError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  the drivers' supervisor: one's fault must not stop the others
            _log.exception("a driver could not be made", account=str(settings.account))
            return f"its driver failed ({type(error).__name__}); the log says where"

    def _surroundings(self, settings: AccountSettings, secrets: Secrets) -> Surroundings:
        folder = self._layout.account(*settings.account)
        return Surroundings(settings, secrets, self._session, self._clock, self._entropy, folder)

    def problems(self, snapshot: Snapshot, drivers: Drivers) -> list[Problem]:
        """What the making of drivers has shown and the loading could not, unless it has been so before."""
        found = []
        for account, driver in drivers.items():
            if isinstance(driver, str) and snapshot.accounts[account].refusal is None:
                before = self._switchboard.connection(account)
                if before is None or before.reason != driver:
                    found.append(Problem("account", driver, f"platforms.{account.platform}", subject=str(account)))
        return found

    def connect(self, drivers: Drivers) -> None:
        """Takes up the accounts; those without a driver are noted with the reason."""
        for account, driver in drivers.items():
            if isinstance(driver, str):
                self._switchboard.disable(account, driver)
            else:
                self._switchboard.add(driver)

    async def exchange(self, drivers: Drivers, removed: Collection[Account], owes: Owes) -> None:
        """Takes up added and changed accounts, these in the place of their old connections, lets removed ones finish,
        and tries again those that were shut."""
        for account in removed:
            self._switchboard.drain(account, owes)
        await asyncio.gather(*(self._switchboard.close(account) for account in drivers))
        self._switchboard.try_again()
        self.connect(drivers)


def touched(old: Snapshot, new: Snapshot, renewed: Collection[tuple[Any, str]]) -> frozenset[Account]:
    """The accounts that need another driver. Who may write is asked for each message, so it needs none."""
    return frozenset(
        account
        for account, settings in new.accounts.items()
        if account not in old.accounts
        or _made_of(old.accounts[account]) != _made_of(settings)
        or any((None, name) in renewed for name in _secret_names(settings))
    )


def _made_of(settings: AccountSettings) -> tuple[object, ...]:
    return settings.settings, settings.refusal


def _secret_names(settings: AccountSettings) -> list[str]:
    return [str(value) for key, value in settings.settings.items() if key.endswith(SECRET_SUFFIX)]
