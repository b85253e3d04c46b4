"""Plays a script on a whole gateway and tells what came of it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from serai.core.error import Busy, Refused, SendUnknown
from serai.gateway.supervisor import sweep
from serai.stores.sqlite.codec import decode_message
from serai.testing.jobs import MemoryJobs
from tests.conversations.cast import TOOLS, make_model, shown
from tests.conversations.driver import Driver, Fake
from tests.conversations.mortal import Life, MortalStore
from tests.conversations.script import Answer, Changed, Deed, Event, Said, Script
from tests.conversations.setting import configure
from tests.gateway.stage import Stage

_QUIET: float = 60.0
"""Seconds for which the gateway is watched after the last line."""


class Play:
    """One performance. Processes come and go; the platform, the model and the file stay."""

    def __init__(self, script: Script, driver: Driver, path: Path) -> None:
        self.script, self.driver = script, driver
        self.model = make_model()
        self.told: list[Answer] = []
        self._path = path
        self._files = MemoryJobs()
        self._gone: frozenset[str] = frozenset()
        self._life = Life(script.kill)
        self._stores: list[MortalStore] = []
        self._stage: Stage
        self._running: AbstractAsyncContextManager[Stage]
        self._sweep: asyncio.Task[None]
        self._lost: list[tuple[Life, AbstractAsyncContextManager[Stage]]] = []
        self._unconfirmed: dict[asyncio.Task[None], Said] = {}
        self._said: dict[str, Said] = {}
        self._began = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """From the first line to a minute after the last."""
        await self._start()
        guard = asyncio.create_task(self._revive())
        for deed in sorted(self.script.deeds, key=lambda deed: deed.time):
            await self._until(deed.time)
            await self._do(deed)
        await self._until(max(self._last_line(), self._now()) + _QUIET)
        if guard.done():
            guard.result()
        guard.cancel()
        await self._end()
        for life, running in self._lost:
            life.buried.set()
            await running.__aexit__(None, None, None)
        for task in self._unconfirmed:
            task.result()

    def close(self) -> None:
        for store in self._stores:
            store.db.close()

    def answers(self) -> list[Answer]:
        """All that came, and all that people were told otherwise."""
        return self.driver.answers + self.told

    def finding(self, check: str) -> str:
        """What a check of the script finds."""
        kind, *names = check.split()
        if kind == "calls":
            return str(len(self.model.requests))
        if kind == "saw":
            number = int(names[0])
            requests = self.model.requests
            return shown(requests[number - 1].messages) if number <= len(requests) else "(it was not called)"
        if kind == "model":
            return self.model.requests[int(names[0]) - 1].endpoint.name
        return self._history(*names) if kind == "history" else self._sessions(*names)

    def stores(self, text: str) -> bool:
        """Whether a text is anywhere in the database."""
        return any(text in line for line in self._stores[-1].db.iterdump())

    def _history(self, agent: str, chat: str) -> str:
        rows = self._stores[-1].db.execute(
            "SELECT message.body FROM message JOIN session ON session.id = message.session"
            " JOIN lane ON lane.id = session.lane WHERE closed_at IS NULL AND agent = ?1 AND (chat = ?2 OR user = ?2)"
            " ORDER BY session.id, n",
            (agent, chat),
        )
        return shown([decode_message(row[0]) for row in rows])

    def _sessions(self, agent: str, chat: str) -> str:
        found = self._stores[-1].db.execute(
            "SELECT count(*) FROM session JOIN lane ON lane.id = session.lane"
            " WHERE agent = ?1 AND (chat = ?2 OR user = ?2)",
            (agent, chat),
        )
        return str(found.fetchone()[0])

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    async def _until(self, time: float) -> None:
        await asyncio.sleep(max(0.0, time - self._now()))

    def _last_line(self) -> float:
        return max(
            *(deed.time for deed in self.script.deeds), *(answer.time or 0 for answer in self.script.answers), 0
        )

    async def _start(self) -> None:
        store = MortalStore(self._path, self._life)
        self._stores.append(store)
        platform = self.driver.platform
        config = configure(self.script.settings, platform.account, self._gone)
        self._stage = Stage(
            self.model,
            config,
            store=store,
            platforms=[platform],
            tools=TOOLS,
            files=self._files,
            seed=len(self._stores),
        )
        self._running = self._stage.running(recover=True, schedules="schedules" in self.script.settings)
        await self._running.__aenter__()
        self._sweep = asyncio.create_task(sweep(store, self._stage.engine, self._stage.clock))

    async def _end(self) -> None:
        self._sweep.cancel()
        await self._running.__aexit__(None, None, None)

    async def _revive(self) -> None:
        """Starts the next process whenever one has died; senders repeat what was not confirmed."""
        while True:
            await self._life.over.wait()
            self._sweep.cancel()
            self._lost.append((self._life, self._running))
            self._life = Life()
            waiting = [task for task in self._unconfirmed if not task.done()]
            for task in waiting:
                task.cancel()
            again = [self._unconfirmed.pop(task) for task in waiting]
            await self._start()
            for said in again:
                self._say(said)

    async def _do(self, deed: Deed) -> None:
        match deed:
            case Said():
                self._said[deed.id] = deed
                self._say(deed)
            case Changed(_, said, text):
                assert isinstance(self.driver, Fake), "this platform knows no edits"
                await self.driver.change(self._said[said], text)
            case Event():
                await self._happen(deed.what)

    async def _happen(self, what: str) -> None:
        match what.split():
            case ["kill"]:
                self._life.over.set()
            case ["restart", *without]:
                self._gone |= frozenset(without[1:])
                await self._end()
                await self._start()
            case ["approve", name]:
                await self._approve(name)
            case _:
                assert isinstance(self.driver, Fake), "this platform's sends cannot be cut"
                self.driver.fails(SendUnknown("the connection was cut"))

    def _say(self, said: Said) -> None:
        task = asyncio.create_task(self._bring(said))
        self._unconfirmed[task] = said

    async def _bring(self, said: Said) -> None:
        try:
            refusal = await self.driver.say(said)
        except (Refused, Busy) as error:
            refusal = str(error)
        if refusal is not None:
            self._tell("refused", said.who, refusal)

    async def _approve(self, name: str) -> None:
        now = self._stage.clock.now()
        codes = [one.code for one in await self._stage.store.people(now) if one.user == name and one.code]
        person = await self._stage.store.admit(codes[0] if codes else name, now)
        self._tell("serai", "operator", f"{person.user} is admitted" if person else "no such code")

    def _tell(self, who: str, chat: str, text: str) -> None:
        self.told.append(Answer(self._now(), who, chat, text, ()))
