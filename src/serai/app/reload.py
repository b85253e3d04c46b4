"""A changed configuration: noticed, read as a whole, and either adopted or told to be wrong (SPEC 2.6, 16.1)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from serai.config.load import Loaded
from serai.config.look import Looks, look_at
from serai.core.activity import Configured, Misconfigured
from serai.core.change import BadConfiguration, Change, fixed_at_start, new_problems
from serai.core.snapshot import Problem, Snapshot
from serai.gateway.activity import Activity

_log = structlog.get_logger("reload")

_LOOK_SECONDS: Final = 0.5
"""Between two looks at the files. Both must show the same, so that a file is not read while it is being written."""

Source = Callable[[], Awaitable[Loaded]]
"""Reads the files as they are now."""

Adopt = Callable[[Snapshot, Loaded, Loaded], Awaitable[tuple[str, ...]]]
"""Puts a snapshot in force, which came of the first loading after the second, and tells what is different. Raises
BadConfiguration, and then nothing has changed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the configuration comes from, and what came of its first reading."""

    source: Source
    loaded: Loaded


class Reloader:
    """Keeps the configuration in force as the files say, as long as they say something usable.

    `problems` are those of the latest reading where it was refused, `needs_restart` the settings that the files have
    and the process cannot change while it runs.
    """

    def __init__(
        self, reading: Reading, config: Path, started: Snapshot, adopt: Adopt, activity: Activity | None = None
    ) -> None:
        self._source = reading.source
        self._loaded = reading.loaded
        self._config = config
        self._started = started
        self._adopt = adopt
        self._activity = activity or Activity()
        self._looks: Looks = reading.loaded.files
        self._one_at_a_time = asyncio.Lock()
        self.problems: tuple[Problem, ...] = ()
        self.needs_restart: tuple[str, ...] = ()

    async def watch(self) -> None:
        """Takes over every change of the files, for ever."""
        earlier = self._looks
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = await asyncio.to_thread(look_at, tuple(self._looks))
            if now == earlier and now != self._looks:
                await self._take_over()
            earlier = now

    async def _take_over(self) -> None:
        try:
            await self.reload()
        except BadConfiguration:
            pass  # `reload` has said so
        except Exception:  # noqa: BLE001  the watch's supervisor: it must outlive any fault
            _log.exception("the configuration could not be reloaded")

    async def reload(self) -> Change:
        """Reads the files and puts what they say in force. Raises BadConfiguration, and then nothing has changed."""
        async with self._one_at_a_time:
            self._looks = await asyncio.to_thread(look_at, tuple(self._looks))
            loaded = await self._source()
            self._looks = {**self._looks, **loaded.files}
            try:
                change = await self._put_in_force(loaded)
            except BadConfiguration as bad:
                self.problems = bad.problems
                self._activity.tell(Misconfigured(tuple(map(str, bad.problems))))
                _log.warning(
                    "the changed configuration has problems; the earlier one stays in force",
                    problems=[str(problem) for problem in bad.problems],
                )
                raise
            if self.problems:
                _log.info("the configuration has no new problems any more")
            self.problems = ()
            return change

    async def _put_in_force(self, loaded: Loaded) -> Change:
        snapshot = loaded.snapshot
        problems = self._problems(loaded)
        if problems or snapshot is None:
            raise BadConfiguration(problems)
        changed = await self._adopt(snapshot, loaded, self._loaded)
        self._loaded, self._looks = loaded, loaded.files
        self.needs_restart = fixed_at_start(self._started, snapshot)
        if changed or self.needs_restart:
            _log.info("the configuration was reloaded", changed=changed, needs_restart=self.needs_restart)
            self._activity.tell(Configured(changed, self.needs_restart))
        return Change(changed, self.needs_restart, loaded.notices)

    def _problems(self, loaded: Loaded) -> Collection[Problem]:
        """What keeps a loading from being adopted. A file that was there and is gone is an accident, no wish."""
        if loaded.files[self._config] is None and self._loaded.files[self._config] is not None:
            return [Problem("gateway", "the file is gone; put it back, or restart to run with defaults")]
        return new_problems(self._loaded.problems, loaded.problems)
