"""What a test may put around the parts of a gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serai.ports.clock import Clock
from serai.ports.jobs import JobFiles
from serai.ports.model import Model
from serai.ports.platform import Platform
from serai.ports.slots import Slots
from serai.ports.store import Store
from serai.ports.tool import Toolbox


def _unchanged(part: Any) -> Any:
    return part


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Puts something of a test's own around a part: a crash point, a recorder."""

    clock: Callable[[Clock], Clock] = _unchanged
    store: Callable[[Store], Store] = _unchanged
    model: Callable[[Model], Model] = _unchanged
    toolbox: Callable[[Toolbox], Toolbox] = _unchanged
    platform: Callable[[Platform], Platform] = _unchanged
    files: Callable[[JobFiles], JobFiles] = _unchanged
    slots: Callable[[Slots], Slots] = _unchanged
