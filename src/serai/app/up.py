"""`serai up`: from an empty directory to a running gateway."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from serai.app import platforms, toolsets
from serai.app.garbage import collect_between_turns
from serai.app.gateway import Gateway
from serai.app.local import LocalModels
from serai.app.lock import HomeLock, hold
from serai.app.log import Line, set_up
from serai.app.reload import Reading
from serai.app.wrapping import Wrapping
from serai.config.layout import Layout, prepare
from serai.config.load import Loaded, load
from serai.core.change import BadConfiguration
from serai.core.snapshot import Snapshot
from serai.gateway.state import State
from serai.models.openai_chat import make_session
from serai.web.driver import ACCOUNT, STANDING

_log = structlog.get_logger("up")

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Running:
    """What a gateway that has come up tells: where it is, whom it hosts, on what model."""

    url: str
    snapshot: Snapshot
    notices: tuple[str, ...]
    demo: bool


Announce = Callable[[Running], None]

Stopping = Callable[[int], None]
"""Told how many turns run when the gateway begins to stop."""


def _silently(_turns: int) -> None: ...


def main(
    home: Path,
    environment: Mapping[str, str],
    announce: Announce,
    *,
    stopping: Stopping = _silently,
    line: Line | None = None,
    host: str | None = None,
    port: int | None = None,
    wrapping: Wrapping | None = None,
) -> None:
    """Runs the gateway of `home` until SIGINT or SIGTERM. A second one ends it at once, as SIGKILL would: nothing is
    lost, and a script that runs goes on by itself. `line` has warnings as standard error shows them.

    Raises Startup.
    """
    layout = Layout(home)
    prepare(layout)
    with hold(layout.lock) as lock:
        _run(_serve(layout, environment, lock, announce, stopping, line, host, port, wrapping))


def _run(work: Coroutine[Any, Any, None]) -> None:
    with suppress(ImportError):
        import uvloop

        uvloop.run(work)
        return
    asyncio.run(work)


async def _serve(
    layout: Layout,
    environment: Mapping[str, str],
    lock: HomeLock,
    announce: Announce,
    stopping: Stopping,
    line: Line | None,
    host: str | None,
    port: int | None,
    wrapping: Wrapping | None,
) -> None:
    async with make_session() as session:
        models = LocalModels(layout.home, session)
        try:
            source = partial(_read, layout, environment, models)
            loaded = await source()
            snapshot = _usable(loaded)
            state = State(snapshot, loaded.secrets, {ACCOUNT: STANDING})
            set_up(layout.logs, snapshot.log_level, lambda: state.redactor, line)
            gateway = Gateway(layout, Reading(source, loaded), state, session, wrapping)
            # what has been imported and built is out of the collector's sight before anybody can be kept waiting
            collector = asyncio.create_task(collect_between_turns(lambda: gateway.in_flight))
            watch = asyncio.create_task(gateway.watch())
            told_to_stop = _told_to_stop()
            url = _url(*await gateway.start(host or snapshot.api.host, snapshot.api.port if port is None else port))
            lock.announce(url, gateway.token)
            announce(Running(url, snapshot, loaded.notices, demo=models.embedded is not None))
            _log.info("the gateway is up", url=url, agents=len(snapshot.agents))
            await told_to_stop.wait()
            collector.cancel()
            watch.cancel()
            _log.info("the gateway stops", turns=gateway.in_flight)
            stopping(gateway.in_flight)
            await gateway.stop()
        finally:
            await models.stop()


async def _read(layout: Layout, environment: Mapping[str, str], models: LocalModels) -> Loaded:
    """The configuration as it is in the files now, with a model of this machine where it names none."""
    read = partial(load, layout.home, environment, platforms.Schemas(layout.plugins), toolsets.names())
    loaded = await asyncio.to_thread(read, models.found)
    if loaded.snapshot is not None and loaded.needs_local and models.found is None:
        local = await models.find()
        if local is not None:
            loaded = await asyncio.to_thread(read, local)
    return loaded


def _usable(loaded: Loaded) -> Snapshot:
    if loaded.snapshot is None:
        raise BadConfiguration(loaded.problems)
    return loaded.snapshot


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _told_to_stop() -> asyncio.Event:
    """Set by SIGINT or SIGTERM from now on: before anybody learns that the gateway is there, and may stop it. The
    next signal is the system's to handle."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        for number in _STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _STOPS:
        loop.add_signal_handler(number, stop)
    return told
