"""Every platform driver obeys the contract; one without a rig fails.

A rig is `rig()` in `tests/platforms/<name>/rig.py`; a `LOOP` beside it is the kind of event loop that its peer needs,
where that is not one of virtual time.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

import serai.platforms
from serai.app.platforms import BUILT_IN
from serai.testing.clock import VirtualTimeLoop
from serai.testing.platform.contract import PlatformContract
from serai.testing.platform.rig import PlatformRig

DRIVERS = sorted(module.name for module in pkgutil.iter_modules(serai.platforms.__path__))
RIGS = ["fake", *DRIVERS, "web"]
"""The driver of the web chat is no folder of the platforms, and obeys all the same."""


def rig_of(name: str) -> Callable[[], AbstractAsyncContextManager[PlatformRig]]:
    """The rig in `tests/platforms/<name>/rig.py`. Raises ImportError or AttributeError where there is none."""
    made: Callable[[], AbstractAsyncContextManager[PlatformRig]]
    made = importlib.import_module(f"{__package__}.{name}.rig").rig
    return made


def loop_of(name: str) -> type[asyncio.AbstractEventLoop]:
    """On what kind of loop the contract is run."""
    loop: type[asyncio.AbstractEventLoop]
    loop = getattr(importlib.import_module(f"{__package__}.{name}.rig"), "LOOP", VirtualTimeLoop)
    return loop


def test_every_driver_is_built_in() -> None:
    assert sorted(BUILT_IN) == DRIVERS


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
    def choose(self, driver: str, request: pytest.FixtureRequest) -> None:
        request.node.user_properties.append(("contract", (request.function.__name__, driver)))
        self.driver = driver
        type(self).loop_factory = loop_of(driver)

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return rig_of(self.driver)()
