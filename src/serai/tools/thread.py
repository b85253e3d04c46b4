"""Threads for tools that block: a few for each agent, started when needed, gone when idle (SPEC 3.1, DESIGN 6).

A thread serves one agent for its whole life, so that nothing a library keeps per thread passes from agent to agent.
All bookkeeping happens on the event loop's thread; the threads only work.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from serai.core.error import ToolFailed
from serai.core.ids import AgentId

_T = TypeVar("_T")
_CLOSED: Final = "the agents' threads are closed"


class _Worker:
    """One thread. It is a daemon: a tool that hangs does not keep the process from ending."""

    __slots__ = ("idle_since", "inbox")

    def __init__(self, agent: AgentId) -> None:
        self.inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.idle_since = 0.0
        Thread(target=_serve, args=(self.inbox,), name=f"serai-tool-{agent}", daemon=True).start()

    def leave(self) -> None:
        self.inbox.put(None)


def _serve(inbox: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := inbox.get()) is not None:
        job()
        del job


@dataclass(slots=True, eq=False)
class _Job:
    """Something to do, the context it was asked for in, and who waits for it."""

    work: Callable[[], Any]
    context: Context
    future: "asyncio.Future[Any]"


@dataclass(slots=True, eq=False)
class _Crew:
    """One agent's jobs and threads. `queued`: it waits in the ring for its next job to be started."""

    agent: AgentId
    waiting: deque[_Job] = field(default_factory=deque)
    idle: list[_Worker] = field(default_factory=list)
    running: int = 0
    queued: bool = False


class AgentThreads:
    """Runs blocking work for agents, at most `per_agent` pieces at once for one agent and `most` for all.

    Agents that wait take turns. There are never more than `most` threads, and one that had nothing to do for `idle`
    seconds ends. Belongs to one event loop.
    """

    def __init__(self, per_agent: int = 4, most: int = 64, idle: float = 10.0) -> None:
        self._per_agent = per_agent
        self._most = most
        self._idle = idle
        self._crews: dict[AgentId, _Crew] = {}
        self._ring: deque[_Crew] = deque()
        self._resting: dict[_Worker, _Crew] = {}
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """Threads that exist now, those that are just ending left out."""
        return self._running + len(self._resting)

    async def run(self, agent: AgentId, work: Callable[[], _T]) -> _T:
        """Does `work` in one of the agent's threads and in a copy of this context; raises what it raises.

        When this is cancelled, work that has not started never does; work that has goes on, keeps its place until
        it is through, and what it returns is dropped. Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError(_CLOSED)
        job = _Job(work, copy_context(), asyncio.get_running_loop().create_future())
        crew = self._crews.setdefault(agent, _Crew(agent))
        crew.waiting.append(job)
        self._offer(crew)
        self._start()
        try:
            result: _T = await job.future
        finally:
            if job in crew.waiting:
                crew.waiting.remove(job)
                self._forget(crew)
        return result

    def close(self) -> None:
        """Fails what waits and ends the threads, busy ones when their work is through. Waits for nothing."""
        self._closed = True
        self._ring.clear()
        for job in [job for crew in self._crews.values() for job in crew.waiting]:
            if not job.future.done():
                job.future.set_exception(RuntimeError(_CLOSED))
        if self._timer is not None:
            self._timer.cancel()
        while self._resting:
            self._dismiss()

    def _offer(self, crew: _Crew) -> None:
        if crew.waiting and not crew.queued and crew.running < self._per_agent:
            crew.queued = True
            self._ring.append(crew)

    def _start(self) -> None:
        while self._ring and self._running < self._most:
            crew = self._ring.popleft()
            crew.queued = False
            if crew.waiting:
                self._give(crew, crew.waiting.popleft())
                self._offer(crew)
            self._forget(crew)

    def _give(self, crew: _Crew, job: _Job) -> None:
        if job.future.done():
            return
        try:
            worker = self._worker(crew)
        except RuntimeError:  # raised by the interpreter where the system grants no more threads
            job.future.set_exception(ToolFailed("the machine has no thread left for this; try again later"))
            return
        crew.running += 1
        self._running += 1
        worker.inbox.put(lambda: self._work(crew, worker, job))

    def _worker(self, crew: _Crew) -> _Worker:
        if crew.idle:
            worker = crew.idle.pop()
            del self._resting[worker]
            return worker
        if self._resting and self.count >= self._most:
            self._dismiss()
        return _Worker(crew.agent)

    def _work(self, crew: _Crew, worker: _Worker, job: _Job) -> None:
        """In the thread: does the job and hands the outcome to the loop."""
        result: object = None
        error: BaseException | None = None
        try:
            result = job.context.run(job.work)
        except BaseException as raised:  # noqa: BLE001 (whoever asked for the work gets it)
            error = raised
        try:
            job.future.get_loop().call_soon_threadsafe(self._ended, crew, worker, job, result, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            worker.leave()

    def _ended(self, crew: _Crew, worker: _Worker, job: _Job, result: object, error: BaseException | None) -> None:
        self._running -= 1
        crew.running -= 1
        if not job.future.done():
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(_carried(error))
        if self._closed:
            worker.leave()
            return
        self._rest(crew, worker, job.future.get_loop())
        self._offer(crew)
        self._start()

    def _rest(self, crew: _Crew, worker: _Worker, loop: asyncio.AbstractEventLoop) -> None:
        worker.idle_since = loop.time()
        crew.idle.append(worker)
        self._resting[worker] = crew
        if self._timer is None:
            self._timer = loop.call_later(self._idle, self._reap, loop)

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the threads that rested long enough, and comes back for the next one."""
        self._timer = None
        while self._resting:
            due = next(iter(self._resting)).idle_since + self._idle
            if due > loop.time():
                self._timer = loop.call_at(due, self._reap, loop)
                return
            self._dismiss()

    def _dismiss(self) -> None:
        """Ends the thread that rests longest."""
        worker = next(iter(self._resting))
        crew = self._resting.pop(worker)
        crew.idle.remove(worker)
        worker.leave()
        self._forget(crew)

    def _forget(self, crew: _Crew) -> None:
        if not (crew.waiting or crew.running or crew.idle):
            self._crews.pop(crew.agent, None)


def _carried(error: BaseException) -> BaseException:
    """A future takes any exception but StopIteration."""
    return RuntimeError("the work raised StopIteration") if isinstance(error, StopIteration) else error
