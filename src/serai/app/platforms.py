"""The platforms that there are: the built-in ones, where adding one means one folder and one word here, and those
that enabled plugins bring (SPEC 8.2, 13)."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final

import structlog

from serai.core.error import Startup
from serai.platforms import Surroundings
from serai.plugins.load import load_plugins
from serai.ports.platform import Platform

if TYPE_CHECKING:
    from pydantic import BaseModel

_log = structlog.get_logger("platforms")

BUILT_IN: Final = ("discord", "feishu", "matrix", "slack", "telegram", "webhook", "wecom", "yuanbao")

_BROUGHT: Final = "PLATFORMS"
"""What a plugin that brings platforms has: the names of their manifests' modules."""


class Manifests(Mapping[str, Any]):
    """Manifests by the names of their platforms (`serai.platforms` says what stands in one).

    Only one that is looked at is imported, and plugins only for a name that is not built in.
    """

    def __init__(self, folder: Path | None = None, enabled: Sequence[str] = ()) -> None:
        """`folder` is where folder plugins lie, `enabled` are the plugins that may bring platforms."""
        self._folder = folder
        self._enabled = tuple(enabled)
        self._brought: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if name in BUILT_IN:
            return import_module(f"serai.platforms.{name}")
        return self._plugins()[name]

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in self._plugins()

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from self._plugins()

    def __len__(self) -> int:
        return len(BUILT_IN) + len(self._plugins())

    def _plugins(self) -> Mapping[str, Any]:
        if self._brought is None:
            self._brought = _brought(self._folder, self._enabled) if self._folder and self._enabled else {}
        return self._brought


class Schemas(Mapping[str, "type[BaseModel]"]):
    """The settings of every platform's accounts. Only one that is looked at is imported, and pydantic with it."""

    def __init__(self, folder: Path | None = None, enabled: Sequence[str] = ()) -> None:
        self._folder = folder
        self._manifests = Manifests(folder, enabled)

    def having(self, plugins: Sequence[str]) -> "Schemas":
        """The same with the platforms of these plugins (`serai.config.schema.Extensible`)."""
        return Schemas(self._folder, plugins)

    def __getitem__(self, name: str) -> "type[BaseModel]":
        schema: type[BaseModel] = resolve_name(self._manifests[name].SETTINGS)
        return schema

    def __contains__(self, name: object) -> bool:
        return name in self._manifests

    def __iter__(self) -> Iterator[str]:
        return iter(self._manifests)

    def __len__(self) -> int:
        return len(self._manifests)


def make(manifests: Manifests, surroundings: Surroundings) -> Platform:
    """The driver of a configured account; only now is its library imported. Raises Startup, SecretMissing."""
    driver = driver_of(manifests, surroundings.settings.account.platform)
    platform: Platform = driver.configured(surroundings)
    return platform


def driver_of(manifests: Manifests, name: str) -> Any:
    """A platform's driver class. Raises Startup where its library is missing, naming what mends that."""
    manifest = manifests[name]
    return imported(manifest, manifest.DRIVER)


def imported(manifest: Any, place: str) -> Any:
    """What a manifest names as `module:name`. Raises Startup where a library is missing."""
    try:
        return resolve_name(place)
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        extra = getattr(manifest, "EXTRA", "")
        package = f"'serai[{extra}]'" if extra else missing or manifest.NAME
        raise Startup(
            f"platform `{manifest.NAME}` needs a library that is not installed ({missing or error}):"
            f" pip install {package}"
        ) from error


def _brought(folder: Path | None, enabled: Sequence[str]) -> Mapping[str, Any]:
    """The platforms of plugins. One that cannot be loaded brings none; the start of the gateway says why."""
    found: dict[str, Any] = {}
    for plugin in enabled:
        try:
            ((_, loaded),) = load_plugins([plugin], folder or Path())
            for name in getattr(loaded, _BROUGHT, ()):
                manifest = sys.modules.get(name) or import_module(name)
                if manifest.NAME in BUILT_IN or manifest.NAME in found:
                    raise Startup(f"there is a platform `{manifest.NAME}` already")
                found[manifest.NAME] = manifest
        except (Startup, ImportError, AttributeError, TypeError) as error:
            _log.warning("a plugin brings no platform", plugin=plugin, reason=str(error))
    return found
