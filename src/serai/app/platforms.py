"""The platforms that there are: the built-in ones, where adding one means one folder and one word here, and those
that enabled plugins bring (SPEC 8.2, 13)."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final

import structlog

from serai.core.error import Startup
from serai.core.snapshot import Problem, Snapshot
from serai.platforms import Surroundings
from serai.plugins.load import is_there, load_plugins
from serai.ports.platform import Platform

if TYPE_CHECKING:
    from pydantic import BaseModel

_log = structlog.get_logger("platforms")

BUILT_IN: Final = ("discord", "feishu", "matrix", "slack", "telegram", "webhook", "wecom", "yuanbao")

_BROUGHT: Final = "PLATFORMS"
"""What a plugin that brings platforms has: the names of their manifests' modules."""


@dataclass(frozen=True, slots=True)
class Brought:
    """The manifests that plugins have brought, by their platforms; and by plugin why one has brought none."""

    manifests: Mapping[str, Any]
    failed: Mapping[str, str]


class Manifests(Mapping[str, Any]):
    """Manifests by the names of their platforms (`serai.platforms` says what stands in one).

    Only one that is looked at is imported, and plugins only for a name that is not built in.
    """

    def __init__(self, folder: Path | None = None, enabled: Sequence[str] = ()) -> None:
        """`folder` is where folder plugins lie, `enabled` are the plugins that may bring platforms."""
        self._folder = folder
        self._enabled = tuple(enabled)
        self._brought: Brought | None = None

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

    def why_not(self, name: str) -> str:
        """What plugins have to do with there being no platform of that name; "" for nothing."""
        failed = self._bring().failed
        if name in failed:
            return failed[name]
        if self._folder is not None and name not in self._enabled and is_there(name, self._folder):
            return f"the plugin `{name}` is there, but not enabled; name it in `plugins.enabled`"
        return "; ".join(failed.values())

    def _plugins(self) -> Mapping[str, Any]:
        return self._bring().manifests

    def _bring(self) -> "Brought":
        if self._brought is None:
            self._brought = _brought(self._folder, self._enabled) if self._folder else Brought({}, {})
        return self._brought


class Schemas(Mapping[str, "type[BaseModel]"]):
    """The settings of every platform's accounts. Only one that is looked at is imported, and pydantic with it."""

    def __init__(self, folder: Path | None = None, enabled: Sequence[str] = ()) -> None:
        self._folder = folder
        self._manifests = Manifests(folder, enabled)

    def having(self, plugins: Sequence[str]) -> "Schemas":
        """The same with the platforms of these plugins (`serai.config.schema.Extensible`)."""
        return Schemas(self._folder, plugins)

    def why_not(self, name: str) -> str:
        """As `Manifests.why_not`."""
        return self._manifests.why_not(name)

    def chat_form(self, name: str) -> str | None:
        """What its chat ids look like where they hold colons; most platforms' hold none."""
        form: str | None = getattr(self._manifests[name], "CHAT_FORM", None)
        return form

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


def lacking(manifests: Manifests, snapshot: Snapshot) -> Iterator[Problem]:
    """What the loading of a configuration does not see: libraries that are missing, one problem for each platform."""
    accounts = {account.platform: account for account, one in snapshot.accounts.items() if one.refusal is None}
    for name, account in accounts.items():
        try:
            driver_of(manifests, name)
        except Startup as error:
            yield Problem("account", str(error), f"platforms.{name}", subject=str(account))


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


def _brought(folder: Path, enabled: Sequence[str]) -> Brought:
    """The platforms of plugins. One that cannot be loaded brings none, and is told."""
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for plugin in enabled:
        try:
            ((_, loaded),) = load_plugins([plugin], folder)
            for name in getattr(loaded, _BROUGHT, ()):
                manifest = sys.modules.get(name) or import_module(name)
                if manifest.NAME in BUILT_IN or manifest.NAME in found:
                    raise Startup(
                        f"the plugin `{plugin}` brings a platform `{manifest.NAME}`, which is there already"
                    )
                found[manifest.NAME] = manifest
        except Startup as error:
            failed[plugin] = str(error)
        except (ImportError, AttributeError, TypeError) as error:
            failed[plugin] = f"the plugin `{plugin}` brings no platform: {type(error).__name__}: {error}"
        if plugin in failed:
            _log.warning("a plugin brings no platform", plugin=plugin, reason=failed[plugin])
    return Brought(found, failed)
