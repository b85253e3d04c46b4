"""What became of one test of the contract on one platform."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Literal

from serai.core.error import SendFailed
from serai.testing.platform.ability import PlatformAbilityContract
from serai.testing.platform.contract import PlatformContract
from serai.testing.platform.disorder import PlatformDisorderContract
from serai.testing.platform.live import PlatformLiveContract
from serai.testing.platform.rig import PlatformRig
from serai.testing.platform.staged import Undeclared
from tests.platforms.test_contract import loop_of, rig_of

PARTS: Final = (PlatformContract, PlatformLiveContract, PlatformAbilityContract, PlatformDisorderContract)
TESTS: Final = [name for part in PARTS for name in vars(part) if name.startswith("test_")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`text` is the ability that is not declared, or why the test failed."""

    state: Literal["passed", "absent", "failed"]
    text: str = ""


class Trial(PlatformContract):
    """The contract for one platform, outside of a test runner."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self.loop_factory = loop_of(platform)  # type: ignore[misc]

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return rig_of(self._platform)()

    def outcome(self, test: str) -> Outcome:
        """Runs a test by its name."""
        try:
            getattr(self, test)()
        except Undeclared as absence:
            return Outcome("absent", absence.ability)
        except (AssertionError, SendFailed, asyncio.CancelledError) as error:
            return Outcome("failed", repr(error))
        return Outcome("passed")


def title(test: str) -> str:
    """A test's name as a sentence."""
    return test.removeprefix("test_").replace("_", " ")
