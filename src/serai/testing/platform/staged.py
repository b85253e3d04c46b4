"""What the parts of the platform contract have in common: a rig, a loop, a running driver."""

import asyncio
import functools
import unittest
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, ClassVar, Final, TypeVar

from serai.core.error import SeraiError, Shut
from serai.gateway.connection.link import run_watched
from serai.ports.platform import Platform
from serai.testing.clock import VirtualTimeLoop
from serai.testing.platform.rig import PlatformRig
from serai.testing.platform.stage import Gateway, Stage

_LOGIN_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 1.0
"""After which a connection that ended is made again."""

_S = TypeVar("_S", bound="Staged")
T = TypeVar("T")


class Undeclared(unittest.SkipTest):
    """A test is skipped, which test runners understand, for an `ability` that the platform does not declare."""

    def __init__(self, ability: str) -> None:
        super().__init__(f"the platform declares no {ability}")
        self.ability = ability


def on_loop(test: Callable[[_S], Coroutine[Any, Any, None]]) -> Callable[[_S], None]:
    """Runs a test of the contract on a fresh loop."""

    @functools.wraps(test)
    def run(self: _S) -> None:
        with asyncio.Runner(loop_factory=self.loop_factory) as runner:
            runner.run(test(self))

    return run


def played(rig: PlatformRig, part: type[T], *, declared: bool, ability: str) -> T:
    """The rig, if it plays the `part` that a declared ability needs.

    Raises Undeclared where the platform does not have the ability.
    """
    if not declared:
        raise Undeclared(ability)
    assert isinstance(rig, part), f"the platform declares {ability}, but its rig is no {part.__name__}"
    return rig


class Staged:
    """Tests around one driver."""

    loop_factory: ClassVar[type[asyncio.AbstractEventLoop]] = VirtualTimeLoop

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        """A fresh rig."""
        raise NotImplementedError("a contract needs a rig")

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[Stage]:
        """A running driver between its peer and a gateway."""
        gateway = Gateway()
        async with self.rig() as rig, _going(rig.platform.run(gateway), rig):
            yield Stage(rig, gateway)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[Stage]:
        """The same, with a supervisor that runs the driver again whenever its connection has ended."""
        gateway = Gateway()
        async with self.rig() as rig, _going(_keep(rig.platform, gateway), rig):
            yield Stage(rig, gateway)


async def _keep(platform: Platform, gateway: Gateway) -> None:
    """What the gateway's switchboard does, in short. Any other error than the port names is the driver's fault."""
    while True:
        try:
            await run_watched(platform, gateway)
        except Shut as error:
            gateway.shut = error
            return
        except (OSError, SeraiError) as error:
            gateway.ends.append(error)
        await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def _going(run: Coroutine[Any, Any, None], rig: PlatformRig) -> AsyncIterator[None]:
    """Has `run` running and the driver logged in inside the block."""
    running = asyncio.ensure_future(run)
    login = asyncio.ensure_future(rig.logged_in())
    try:
        await asyncio.wait({running, login}, timeout=_LOGIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert not running.done() or login.done(), f"it ended before it was logged in: {_end(running)}"
        assert login.done(), f"it is not logged in after {_LOGIN_SECONDS:g} s"
        await login
        yield
        assert not running.done() or _end(running) is None, f"it ended with {_end(running)!r}"
    finally:
        running.cancel()
        login.cancel()
        await asyncio.gather(running, login, return_exceptions=True)


def _end(run: asyncio.Future[None]) -> BaseException | None:
    with suppress(asyncio.CancelledError):
        return run.exception()
    return None
