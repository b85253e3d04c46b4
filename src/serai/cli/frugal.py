"""Code imported at little cost: the gateway's, and the log's (docs/decisions/start-time.md)."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def gateway() -> ModuleType:
    """`serai.app.up`, for a process that is nothing but the gateway.

    Python does not look for garbage in cycles from now on: what is imported stays. Once the gateway is built,
    `app.garbage` takes the collector over.
    """
    gc.disable()
    import_log()
    from serai.app import up

    return up


def import_log() -> None:
    """structlog alone: it would import rich for pretty tracebacks, which are never printed."""
    with _hidden("rich"):
        import structlog  # noqa: F401 - for those who import it later


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """As if a package were not installed, unless it is imported already."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment] # Python's own way to say that an import fails
    try:
        yield
    finally:
        del sys.modules[package]
