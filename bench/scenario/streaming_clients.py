"""256 clients that all have answers streamed to them: a model that begins after 200 ms, then a token every 10 ms."""

from __future__ import annotations

from bench.figure import Figure, Goal, Outcome, Sense, median_line
from bench.home import Home
from bench.setting import Sample, Setting, problem_of
from bench.subject import Subject

NAME = "streaming_clients"
CLIENTS = 256
LATENCY_MS = 200
TOKEN_MS = 10
ROUNDS = 8
BUSY = 0.9
PANEL = "latency, first token behind the model's, 256 streams"


def run(setting: Setting) -> Outcome:
    """Gateway and proxy in turns, three times, in processes of their own, so that the longest stall is this
    scenario's.

    A token's way is counted from just before the model writes it until the client has it, so it holds what stub and
    generator take, too; the proxy's figure shows how much that is.
    """
    with setting.fresh(Home()) as gateway, setting.fresh_proxy() as proxy:
        pairs = setting.pairs(
            setting.size(3, 1),
            CLIENTS,
            CLIENTS * setting.size(ROUNDS, 1),
            latency_ms=LATENCY_MS,
            token_ms=TOKEN_MS,
            stream=True,
            subjects=(gateway, proxy),
        )
        stalls, stalls_proxy = _stall_ms(gateway), _stall_ms(proxy)
    mine, its = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    problem = problem_of(mine) or _overtaxed(mine)
    first, first_proxy = _first_token(mine, 50), _first_token(its, 50)
    cpu, cpu_proxy = [one.cpu_ms_per_turn for one in mine], [one.cpu_ms_per_turn for one in its]
    ratios = [a / b for a, b in zip(cpu, cpu_proxy, strict=True) if b]
    what = f"{CLIENTS} streams"
    figures = [
        Figure(
            NAME,
            f"{what}: first token after the model's, p50",
            "ms",
            first,
            first_proxy,
            Goal(Sense.AT_MOST, 50),
            problem,
        ),
        Figure(f"{NAME}_p99", f"{what}: the same, p99", "ms", _first_token(mine, 99), _first_token(its, 99)),
        Figure(f"{NAME}_stall", f"{what}: longest stall", "ms", stalls, stalls_proxy, Goal(Sense.AT_MOST, 50)),
        Figure(f"{NAME}_cpu", f"{what}: CPU per turn of 40 tokens", "ms", cpu, cpu_proxy, problem=problem),
        Figure(
            f"{NAME}_ratio",
            f"{what}: CPU, as a multiple of the proxy",
            "×",
            ratios,
            goal=Goal(Sense.UNDER, 3),
            problem=problem,
        ),
    ]
    series = [
        median_line(PANEL, "gateway", [one.load.first_token_ms for one in mine]),
        median_line(PANEL, "bare proxy", [one.load.first_token_ms for one in its]),
    ]
    return Outcome(figures, series)


def _first_token(samples: list[Sample], percent: int) -> list[float]:
    return [one.load.first_token_ms[percent] for one in samples if one.load.first_token_ms]


def _stall_ms(subject: Subject) -> list[float]:
    stall_s = subject.stall_s()
    return [] if stall_s is None else [stall_s * 1000]


def _overtaxed(samples: list[Sample]) -> str | None:
    """Whether the load generator had so much to do that its figures are about itself."""
    share = max(one.load.cpu_s / one.load.elapsed_s for one in samples)
    return f"the load generator was busy {share:.0%} of the time" if share > BUSY else None
