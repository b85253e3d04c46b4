"""The driver obeys Serai's contract of platforms."""

from contextlib import AbstractAsyncContextManager

from rig import rig

from serai.testing import PlatformContract, PlatformRig


class TestIrc(PlatformContract):
    """The tests of the contract; those of what IRC does not have are skipped."""

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return rig()
