"""The run: one stub model, one bare proxy, one gateway, and the way they are put under load."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.home import Home
from bench.plan import ROOT, Ask, Load, Plan, generate
from bench.process import Process, free_port, get, send
from bench.stub_model import Control, Stats
from bench.subject import MODULE, Subject, environment, start_gateway, start_proxy

SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """One plan against one server: the load's own figures, the server's processor time, the stub's counters."""

    load: Load
    cpu_s: float
    upstream: Stats

    @property
    def cpu_ms_per_turn(self) -> float:
        """Processor time of the server and its children for each right answer."""
        return self.cpu_s * 1000 / max(self.load.answered, 1)

    @property
    def problem(self) -> str | None:
        """Why the sample does not count, None when every request was answered rightly by the model."""
        if self.load.failed:
            return f"{self.load.failed} not answered: {self.load.errors}"
        if self.upstream.requests != self.load.answered:
            return f"{self.load.answered} answers from {self.upstream.requests} model calls"
        return None


@dataclass(frozen=True, slots=True)
class Stall:
    """How long an event loop was held up at worst, in seconds, as read after a scenario."""

    seconds: float
    scenario: str


class Setting:
    """Everything a scenario needs. Use as a context manager: on leaving, every process is ended."""

    def __init__(self, work: Path, *, quick: bool = False, self_check: bool = False) -> None:
        self.work = work
        self.quick = quick
        self.self_check = self_check
        self.scenario = ""
        self.stalls: dict[str, list[Stall]] = {}
        self._running: list[Process] = []
        self._shared: dict[str, Subject] = {}
        self.stub_port = free_port()
        self.upstream = f"http://127.0.0.1:{self.stub_port}/v1"

    def __enter__(self) -> Setting:
        command = [sys.executable, "-m", "bench.stub_model", "--port", str(self.stub_port)]
        stub = Process("stub model", command, self.work / "stub.log", ROOT, environment(self.work))
        self._running.append(stub)
        try:
            stub.wait_ready(self.stub_port, "/health")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        while self._running:
            self._running.pop().stop()

    def size(self, full: int, quick: int) -> int:
        """How often or how many: the full number, or the smoke test's."""
        return quick if self.quick else full

    def settle(self, seconds: float) -> None:
        """Let what a server does after its answers come to an end."""
        time.sleep(seconds / 10 if self.quick else seconds)

    def proxy(self) -> Subject:
        """The bare proxy that all scenarios share, ready."""
        if "proxy" not in self._shared:
            self._shared["proxy"] = self._ready(start_proxy(self.work, self.upstream))
        return self._shared["proxy"]

    def gateway(self) -> Subject:
        """The gateway with one agent that all scenarios share, ready and with its first turn behind it."""
        if "gateway" not in self._shared:
            self._shared["gateway"] = self._ready(self.start(Home()))
        return self._shared["gateway"]

    def start(self, home: Home, runner: Sequence[str] = MODULE) -> Subject:
        """A gateway of its own, not waited for; in a self-check a second bare proxy."""
        if self.self_check:
            subject = start_proxy(self.work, self.upstream, "second proxy", runner)
        else:
            subject = start_gateway(self.work, self.upstream, home, runner)
        self._running.append(subject.process)
        return subject

    @contextmanager
    def fresh(self, home: Home) -> Iterator[Subject]:
        """A gateway of its own, ready, ended after the block."""
        subject = self._ready(self.start(home))
        try:
            yield subject
            self.note_stall(subject)
        finally:
            self.end(subject)

    @contextmanager
    def fresh_proxy(self) -> Iterator[Subject]:
        """A bare proxy of its own, ready, ended after the block."""
        subject = self._ready(start_proxy(self.work, self.upstream))
        try:
            yield subject
        finally:
            self.end(subject)

    def end(self, subject: Subject) -> None:
        """Stop a server that `start` gave."""
        subject.process.stop()
        self._running.remove(subject.process)

    def _ready(self, subject: Subject) -> Subject:
        if subject.process not in self._running:
            self._running.append(subject.process)
        subject.process.wait_ready(subject.port, "/ready", subject.headers)
        self.control(0)
        subject.first_answer()
        return subject

    def control(self, latency_ms: float, token_ms: float = 0) -> None:
        """Set the model's latency and pace, and zero the stub's counters."""
        send(self.stub_port, "POST", "/control", msgspec.json.encode(Control(latency_ms, token_ms)))

    def stats(self) -> Stats:
        """The stub's counters."""
        return msgspec.json.decode(get(self.stub_port, "/stats")[1], type=Stats)

    def load(
        self,
        subject: Subject,
        clients: int,
        requests: int,
        asks: list[Ask] | None = None,
        *,
        latency_ms: float = 0,
        token_ms: float = 0,
        repeat: int = 1,
    ) -> Sample:
        """Put a server under load and measure it; `requests` is rounded to a multiple of `clients`."""
        each = max(round(requests / clients), 1)
        plan = Plan(subject.port, clients, each * clients, asks or [subject.ask()], repeat, paced=token_ms > 0)
        self.settle(SETTLE_S)
        self.control(latency_ms, token_ms)
        before = subject.process.cpu_s()
        load = generate(plan)
        used = subject.process.cpu_s() - before
        return Sample(load, used, self.stats())

    def pairs(
        self,
        times: int,
        clients: int,
        requests: int,
        *,
        latency_ms: float = 0,
        token_ms: float = 0,
        stream: bool = False,
        subjects: tuple[Subject, Subject] | None = None,
    ) -> list[tuple[Sample, Sample]]:
        """Gateway and bare proxy under the same load, in turns (A B, B A, ...), after a warm-up of each. They are
        the shared ones unless `subjects` says which."""
        subjects = subjects or (self.gateway(), self.proxy())
        for subject in subjects:
            self.load(subject, clients, min(requests, self.size(1000, 100)), [subject.ask(stream=stream)])
        found = []
        for number in range(times):
            taken: dict[str, Sample] = {}
            for subject in subjects if number % 2 == 0 else subjects[::-1]:
                asks = [subject.ask(stream=stream)]
                taken[subject.name] = self.load(
                    subject, clients, requests, asks, latency_ms=latency_ms, token_ms=token_ms
                )
            found.append((taken[subjects[0].name], taken[subjects[1].name]))
        for subject in subjects:
            self.note_stall(subject)
        return found

    def note_stall(self, subject: Subject) -> None:
        """Remember how long the server's event loop was held up, as it says itself."""
        stall = subject.stall_s()
        if stall is not None:
            self.stalls.setdefault(subject.name, []).append(Stall(stall, self.scenario))


def problem_of(samples: list[Sample]) -> str | None:
    """The first problem among samples."""
    return next((sample.problem for sample in samples if sample.problem), None)
