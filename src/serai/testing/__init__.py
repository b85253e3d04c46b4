"""Fakes and contract suites for users' own tests."""

from serai.testing.clock import ManualClock, SeededEntropy, VirtualClock, VirtualTimeLoop, virtual_time
from serai.testing.model import Fail, ScriptedModel
from serai.testing.platform.contract import PlatformContract
from serai.testing.platform.fake import FakePlatform
from serai.testing.platform.rig import PlatformRig

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
