"""The load generator: `python -m bench.load` reads a Plan on stdin and writes a Load to stdout.

All connections are open before the first request; then every client starts at the same instant. One request per
client is therefore a burst. An answer counts only when it is word for word what the model said; in a paced plan, to
this very request.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass

import msgspec
import uvloop

from bench import pace, wire
from bench.exchange import Disconnected, Exchange, Reply
from bench.plan import Load, Plan

OPEN_AT_ONCE = 64
GIVE_UP_AFTER = 50
ANSWER_LIMIT_S = 60.0


class Unfit(Exception):
    """Why a reply does not count."""


def text_of(reply: Reply) -> str | None:
    """What a reply says. Raises Unfit where it is no completion."""
    if reply.status != 200:
        raise Unfit(f"status {reply.status}")
    try:
        return wire.text_of_stream(reply.body) if reply.streamed else wire.text_of_completion(reply.body)
    except msgspec.DecodeError:
        raise Unfit("not a completion") from None


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `number` is set where it is unlike all others of its plan."""

    request: bytes
    number: int | None = None

    @property
    def awaited(self) -> bytes:
        """The bytes with which the answer's first token begins, as far as they are known."""
        return b"" if self.number is None else pace.mark(self.number).encode()

    def lag_ns(self, reply: Reply, seen_ns: int) -> int | None:
        """By how much the first token, seen at `seen_ns`, was behind the model's; None where it does not say.
        Raises Unfit where the reply is not the whole answer."""
        text = text_of(reply)
        if self.number is None:
            if text != wire.ANSWER:
                raise Unfit("wrong text")
            return None
        written_ns = pace.written_at(text, self.number)
        if written_ns is None:
            raise Unfit("wrong text")
        if not seen_ns:
            raise Unfit("first token in pieces")
        return seen_ns - written_ns


class Run:
    """One plan under way: the connections, and what they saw."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.questions = [Question(ask.encode(plan.port)) for ask in plan.asks]
        self.latencies: list[float] = []
        self.lags: list[float] = []
        self.errors: Counter[str] = Counter()

    async def connect(self) -> Exchange:
        """A new connection to the server under load."""
        loop = asyncio.get_running_loop()
        _, exchange = await loop.create_connection(Exchange, "127.0.0.1", self.plan.port)
        return exchange

    async def open_all(self) -> list[Exchange]:
        """One connection per client, a few at a time so that no backlog overflows."""
        opened: list[Exchange] = []
        while len(opened) < self.plan.clients:
            count = min(OPEN_AT_ONCE, self.plan.clients - len(opened))
            opened += await asyncio.gather(*(self.connect() for _ in range(count)))
        return opened

    async def client(self, number: int, exchange: Exchange) -> None:
        """One client's requests, one after another; gives up when nearly everything fails."""
        for turn in range(self.plan.requests // self.plan.clients):
            question = self.question(number, turn)
            began = time.perf_counter()
            problem, exchange = await self._once(exchange, question)
            if problem is None:
                self.latencies.append(time.perf_counter() - began)
                continue
            self.errors[problem] += 1
            if self.errors.total() > GIVE_UP_AFTER + len(self.latencies):
                return
        exchange.close()

    def question(self, client: int, turn: int) -> Question:
        """A client's request number `turn`."""
        ask = self.plan.ask_of(client, turn)
        if not self.plan.paced:
            return self.questions[ask]
        number = client + self.plan.clients * turn
        return Question(self.plan.asks[ask].encode(self.plan.port, pace.question(number)), number)

    async def _once(self, exchange: Exchange, question: Question) -> tuple[str | None, Exchange]:
        try:
            if not exchange.open:
                exchange = await self.connect()
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reply = await exchange.ask(question.request, question.awaited)
        except Disconnected:
            return "disconnected", exchange
        except TimeoutError:
            exchange.close()
            return "no answer", exchange
        except OSError:
            return "connection refused", exchange
        if not reply.keep:
            exchange.close()
        try:
            lag_ns = question.lag_ns(reply, exchange.seen_ns)
        except Unfit as unfit:
            return str(unfit), exchange
        if lag_ns is not None:
            self.lags.append(lag_ns / 1e9)
        return None, exchange

    async def run(self) -> Load:
        """Open the connections, then start all clients at once."""
        exchanges = await self.open_all()
        cpu = time.process_time()
        began = time.perf_counter()
        await asyncio.gather(*(self.client(number, each) for number, each in enumerate(exchanges)))
        elapsed = time.perf_counter() - began
        return Load(
            answered=len(self.latencies),
            errors=dict(self.errors),
            elapsed_s=elapsed,
            percentiles_ms=percentiles(self.latencies),
            cpu_s=time.process_time() - cpu,
            first_token_ms=percentiles(self.lags),
        )


def percentiles(latencies_s: list[float]) -> list[float]:
    """Latencies at 0 to 100 percent (nearest rank), in milliseconds; empty when there are none."""
    ordered = sorted(latencies_s)
    if not ordered:
        return []
    last = len(ordered) - 1
    return [round(ordered[round(last * percent / 100)] * 1000, 4) for percent in range(101)]


if __name__ == "__main__":
    told = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(Run(told).run())))
