"""The built-in platforms, by name: adding one means one folder and one word here."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import resolve_name
from typing import Final

import aiohttp
from pydantic import BaseModel

from serai.core.snapshot import AccountSettings
from serai.ports.clock import Clock
from serai.ports.platform import Platform
from serai.ports.secrets import Secrets

BUILT_IN: Final = ("webhook",)


def schemas() -> Mapping[str, type[BaseModel]]:
    """The settings of every platform's accounts. Imports no platform's library."""
    return {name: resolve_name(import_module(f"serai.platforms.{name}").SETTINGS) for name in BUILT_IN}


def make(settings: AccountSettings, secrets: Secrets, session: aiohttp.ClientSession, clock: Clock) -> Platform:
    """The driver of a configured account; only now is its library imported. Raises Startup, SecretMissing."""
    driver: type[Platform] = resolve_name(import_module(f"serai.platforms.{settings.account.platform}").DRIVER)
    platform: Platform = driver.configured(settings, secrets, session, clock)  # type: ignore[attr-defined]
    return platform
