"""The built-in platforms, by name: adding one means one folder and one word here."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

from serai.platforms import Surroundings
from serai.ports.platform import Platform

if TYPE_CHECKING:
    from pydantic import BaseModel

BUILT_IN: Final = ("discord", "feishu", "matrix", "slack", "telegram", "webhook", "wecom", "yuanbao")


class Schemas(Mapping[str, "type[BaseModel]"]):
    """The settings of every platform's accounts. Only one that is looked at is imported, and pydantic with it."""

    def __getitem__(self, name: str) -> "type[BaseModel]":
        if name not in BUILT_IN:
            raise KeyError(name)
        schema: type[BaseModel] = resolve_name(import_module(f"serai.platforms.{name}").SETTINGS)
        return schema

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN

    def __iter__(self) -> Iterator[str]:
        return iter(BUILT_IN)

    def __len__(self) -> int:
        return len(BUILT_IN)


def make(surroundings: Surroundings) -> Platform:
    """The driver of a configured account; only now is its library imported. Raises Startup, SecretMissing."""
    name = surroundings.settings.account.platform
    driver: type[Platform] = resolve_name(import_module(f"serai.platforms.{name}").DRIVER)
    platform: Platform = driver.configured(surroundings)  # type: ignore[attr-defined]
    return platform
