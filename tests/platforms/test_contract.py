"""Every platform driver obeys the contract; one without a rig fails."""

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

import serai.platforms
from serai.testing.platform_contract import PlatformContract
from serai.testing.platform_rig import PlatformRig

DRIVERS = sorted(module.name for module in pkgutil.iter_modules(serai.platforms.__path__))
RIGS = ["fake", *DRIVERS]


def rig_of(name: str) -> Callable[[], AbstractAsyncContextManager[PlatformRig]]:
    """The rig in `tests/platforms/<name>/rig.py`. Raises ImportError or AttributeError where there is none."""
    made: Callable[[], AbstractAsyncContextManager[PlatformRig]]
    made = importlib.import_module(f"{__package__}.{name}.rig").rig
    return made


@pytest.mark.parametrize("name", RIGS)
def test_every_platform_has_a_rig(name: str) -> None:
    assert callable(rig_of(name))


def test_a_platform_without_a_rig_is_noticed() -> None:
    with pytest.raises(ImportError):
        rig_of("telepathy")


@pytest.mark.parametrize("driver", RIGS, scope="class")
class TestPlatform(PlatformContract):
    """The contract, once for each rig."""

    @pytest.fixture(autouse=True)
    def choose(self, driver: str) -> None:
        self.driver = driver

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return rig_of(self.driver)()
