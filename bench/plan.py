"""What the load generator is told and what it says: both JSON, so that it can be a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from bench import wire

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 300


class LoadFailed(Exception):
    """The load generator itself broke: the run says nothing about what it measured."""


class Ask(msgspec.Struct, frozen=True):
    """One kind of request: the model (or agent) named, extra headers, streamed or not."""

    model: str
    headers: dict[str, str] = {}
    stream: bool = False

    def encode(self, port: int, question: str = wire.QUESTION) -> bytes:
        """The request's bytes, for a server on this loopback port."""
        said = [{"role": "user", "content": question}]
        asked = {"model": self.model, "messages": said, "stream": self.stream}
        body = msgspec.json.encode(asked)
        head = [
            "POST /v1/chat/completions HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Plan(msgspec.Struct, frozen=True):
    """A closed loop of `clients` keep-alive connections that send `requests` in all (a multiple of `clients`).

    Client c's k-th request is the ask number c + clients * (k // repeat), counted round: with as many asks as
    clients, or a multiple, an ask belongs to one client and is never sent twice at once. With `paced`, the model
    writes token by token and every request has a question of its own (`bench.pace`).
    """

    port: int
    clients: int
    requests: int
    asks: list[Ask]
    repeat: int = 1
    paced: bool = False

    def ask_of(self, client: int, turn: int) -> int:
        """The index in `asks` of a client's request number `turn`."""
        return (client + self.clients * (turn // self.repeat)) % len(self.asks)


class Load(msgspec.Struct, frozen=True):
    """What came of a plan. Only a 200 with the very text the model sent counts as `answered`.

    `percentiles_ms` holds latencies at 0, 1, ... 100 percent; `first_token_ms` likewise how far the first token that
    a client saw was behind the model's writing it, in a paced plan; `cpu_s` is the generator's own processor time.
    """

    answered: int
    errors: dict[str, int]
    elapsed_s: float
    percentiles_ms: list[float]
    cpu_s: float
    first_token_ms: list[float] = []

    @property
    def failed(self) -> int:
        """Requests that were refused, broken or answered wrongly."""
        return sum(self.errors.values())

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return self.answered / self.elapsed_s


def generate(plan: Plan) -> Load:
    """Run a plan in a process of its own. Raises LoadFailed when that process breaks."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(plan),
        capture_output=True,
        cwd=ROOT,
        env={},
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise LoadFailed(done.stderr.decode(errors="replace")[-2000:])
    return msgspec.json.decode(done.stdout, type=Load)
