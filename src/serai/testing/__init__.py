"""Fakes and contract suites for users' own tests."""

from serai.testing.clock import ManualClock, SeededEntropy, VirtualClock, VirtualTimeLoop, virtual_time
from serai.testing.model import Fail, ScriptedModel
from serai.testing.platform import FakePlatform
from serai.testing.platform_contract import PlatformContract
from serai.testing.platform_rig import PlatformRig

__all__ = [
    "Fail",
    "FakePlatform",
    "ManualClock",
    "PlatformContract",
    "PlatformRig",
    "ScriptedModel",
    "SeededEntropy",
    "VirtualClock",
    "VirtualTimeLoop",
    "virtual_time",
]
