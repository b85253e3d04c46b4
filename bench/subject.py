"""What is measured: a running server that answers chat completions, be it the gateway or the bare proxy."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench import wire
from bench.home import AUTHORIZATION, Home
from bench.plan import ROOT, Ask
from bench.process import NotReady, Process, free_port, get, send

GAUGE = b"serai_event_loop_stall_seconds_max"
ANSWER_LIMIT_S = 60.0
MODULE = (sys.executable, "-m")


@dataclass(frozen=True, slots=True)
class Subject:
    """A server under measurement on a loopback port. `home` is the gateway's configuration, None for a proxy."""

    name: str
    port: int
    process: Process
    home: Home | None = None
    headers: dict[str, str] = field(default_factory=lambda: dict(AUTHORIZATION))

    def ask(self, model: str = "a1", *, stream: bool = False, **headers: str) -> Ask:
        """One kind of request to this server; `chat_id="7"` becomes the header X-Hermes-Chat-Id."""
        named = {f"X-Hermes-{name.replace('_', '-').title()}": value for name, value in headers.items()}
        return Ask(model, {**self.headers, **named}, stream)

    def first_answer(self, poll_s: float = 0.003) -> None:
        """Return as soon as one completion was answered rightly. Raises NotReady."""
        said = [{"role": "user", "content": wire.QUESTION}]
        body = msgspec.json.encode({"model": "a1", "messages": said})
        headers = {**self.headers, "Content-Type": "application/json"}
        limit = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < limit:
            try:
                status, answer = send(self.port, "POST", "/v1/chat/completions", body, headers)
                if status == 200 and wire.text_of_completion(answer) == wire.ANSWER:
                    return
            except (OSError, http.client.HTTPException):
                pass
            self.process.check_alive()
            time.sleep(poll_s)
        raise NotReady(f"{self.name}: no right answer within {ANSWER_LIMIT_S} s\n{self.process.tail()}")

    def stall_s(self) -> float | None:
        """The longest time its event loop was held up, in seconds; None when it does not say."""
        status, body = get(self.port, "/metrics", self.headers)
        lines = [line for line in body.splitlines() if line.startswith(GAUGE)]
        return max(float(line.split()[-1]) for line in lines) if status == 200 and lines else None


def environment(work: Path) -> dict[str, str]:
    """A child's whole environment, built from nothing: nobody's proxies, keys or settings get in."""
    return {"HOME": str(work), "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT / "src")}


def start_gateway(work: Path, upstream: str, home: Home, runner: Sequence[str] = MODULE) -> Subject:
    """`serai up` on a fresh SERAI_HOME below `work`, its module run by `runner`; not waited for."""
    port, place = free_port(), work / f"home-{time.monotonic_ns()}"
    home.write(place, port, upstream)
    env = {**environment(work), "SERAI_HOME": str(place)}
    process = Process("gateway", [*runner, "serai", "up"], place.with_suffix(".log"), ROOT, env)
    return Subject("gateway", port, process, home)


def start_proxy(work: Path, upstream: str, name: str = "bare proxy", runner: Sequence[str] = MODULE) -> Subject:
    """The bare proxy, its module run by `runner`; not waited for."""
    port = free_port()
    command = [*runner, "bench.bare_proxy", "--port", str(port), "--upstream", upstream]
    process = Process(name, command, work / f"proxy-{port}.log", ROOT, environment(work))
    return Subject(name, port, process)
