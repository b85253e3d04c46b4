"""One home, its outside world, and the lives of its gateway."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from tests.crash.home import API_KEY, HOOK_SECRET, make_home
from tests.crash.journal import Journal
from tests.crash.ledger import Unfinished, unfinished
from tests.crash.peers import Conversation
from tests.crash.traffic import Traffic
from tests.crash.verdict import Figures, judge
from tests.patience import PATIENCE_S
from tests.process.caller import Caller, client_session
from tests.process.gateway import GatewayProcess, NotUp, Nursery, gateways
from tests.process.model import Listened, Pace, at_once, stub_model
from tests.process.receiver import Receiver

_LOOK_SECONDS: Final = 0.01
_KILLED: Final = -9
_TERMINATED: Final = -15
_NOTHING: Final = Unfinished(inputs=0, turns=0, deliveries=0)


class Harness:
    """Starts and kills gateways of one home, keeps people talking to them, and judges what came of it."""

    def __init__(
        self,
        home: Path,
        journal: Path,
        model: Conversation,
        receiver: Receiver,
        nursery: Nursery,
        *,
        live: bool = False,
    ) -> None:
        self.home = home
        self.journal = Journal(journal)
        self.model = model
        self.receiver = receiver
        self.traffic = Traffic()
        self.kills = 0
        self.stops = 0
        self._nursery = nursery
        self._journal = str(journal)
        self._live = live
        self._session: aiohttp.ClientSession | None = None
        self._began = time.monotonic()

    @property
    def database(self) -> Path:
        return self.home / "state.db"

    async def spawn(self, point: str | None = None, nth: int = 1, *options: str) -> GatewayProcess:
        """A gateway that has begun to start and dies at `point`."""
        command = ["-m", "tests.crash.child", "--home", str(self.home), "--journal", self._journal]
        if point is not None:
            command += ["--point", point, "--nth", str(nth)]
        return await self._nursery.spawn([*command, *options])

    async def start(self, point: str | None = None, nth: int = 1, *options: str) -> GatewayProcess:
        """A gateway that listens and dies at `point`. Raises NotUp where it does so before it listens."""
        gateway = await self.spawn(point, nth, *options)
        await gateway.listens()
        return gateway

    def caller(self, gateway: GatewayProcess) -> Caller:
        if self._session is None:
            self._session = client_session()
        return Caller(self._session, gateway.url, HOOK_SECRET, API_KEY)

    async def die(self, point: str, nth: int = 1, *options: str) -> None:
        """A whole life that ends at `point`, under the traffic that waits."""
        try:
            gateway = await self.start(point, nth, *options)
        except NotUp as death:
            if death.code != _KILLED:
                raise
        else:
            flow = asyncio.create_task(self.traffic.flow(self.caller(gateway)))
            try:
                code = await gateway.ended()
            except TimeoutError:
                raise AssertionError(f"{point} was not passed {nth} times") from None
            finally:
                await asyncio.wait_for(flow, PATIENCE_S)
            assert code == _KILLED, gateway.errors()
        self.kills += 1

    async def kill(self, gateway: GatewayProcess) -> None:
        assert await gateway.kill() == _KILLED, gateway.errors()
        self.kills += 1

    async def stop(self, gateway: GatewayProcess) -> None:
        assert await gateway.stop() == 0, gateway.errors()
        self.stops += 1

    async def hurry(self, gateway: GatewayProcess) -> None:
        """SIGTERM at an instant when the gateway may not be ready to take it as a wish, but dies of it."""
        assert await gateway.stop() in (0, _TERMINATED), gateway.errors()
        self.stops += 1

    async def live(self, *options: str) -> Figures:
        """A life without an accident: all traffic gets through, all work is done; then the verdict."""
        gateway = await self.start(None, 1, *options)
        await self.finish(gateway)
        await self.stop(gateway)
        return self.judge()

    async def finish(self, gateway: GatewayProcess) -> None:
        """Lets all traffic get through and all work be done."""
        caller = self.caller(gateway)
        await self.traffic.repeat(caller)
        await self.traffic.flow(caller)
        await self.quiet()
        await self.traffic.recall(caller)

    async def quiet(self, but: Unfinished = _NOTHING) -> None:
        """Waits until the database says that nothing is left to do, or no more than `but`."""
        left: Unfinished | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (left := unfinished(self.database)) != but:
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise AssertionError(f"still to be done after {PATIENCE_S:g} s: {left}") from None

    async def effect(self, count: int = 1) -> None:
        """Waits until tools have taken effect so many times."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(entry.event == "effect" for entry in self.journal.read()) < count:
                await asyncio.sleep(_LOOK_SECONDS)

    async def log(self, event: str) -> None:
        """Waits until a gateway has warned about something (a regular expression) on its standard error."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(re.search(event, gateway.errors()) for gateway in self._nursery.all):
                await asyncio.sleep(_LOOK_SECONDS)

    def judge(self) -> Figures:
        """Everything that must hold when nothing is left to do."""
        return judge(
            self.database,
            self.traffic,
            self.receiver,
            self.journal.read(),
            self.model,
            kills=self.kills,
            stops=self.stops,
            seconds=time.monotonic() - self._began,
            live=self._live,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


@asynccontextmanager
async def harness(
    folder: Path,
    pace: Pace = lambda: 0.01,
    home: Path | None = None,
    *,
    live: bool = False,
    listened: Listened = at_once,
) -> AsyncIterator[Harness]:
    """A harness whose processes and servers are gone when the block is left. `home` may lie on a disk of its own.
    The model waits for `listened` when it has begun to say a text.

    Each message has a turn of its own; with `live` they are merged and steer, as chats usually do.
    """
    conversation = Conversation()
    receiver = Receiver(HOOK_SECRET)
    async with (
        stub_model(conversation, pace, listened) as model,
        receiver.serve() as callback,
        gateways(folder) as nursery,
    ):
        made = make_home(home or folder / "home", model, callback, live=live)
        one = Harness(made, folder / "journal.jsonl", conversation, receiver, nursery, live=live)
        try:
            yield one
        finally:
            conversation.go.set()
            receiver.open.set()
            await one.close()
