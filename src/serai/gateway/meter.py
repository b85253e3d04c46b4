"""What is counted, per agent where it has one. Plain numbers; `app` renders them for Prometheus."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Counters since the start. `turn_seconds` are sums, to be divided by the number of turns."""

    accepted: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By (agent, platform)."""
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By reason: the error's code."""
    duplicates: int = 0
    turns: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By (agent, end)."""
    turn_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    tokens: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By (agent, direction)."""
    deliveries: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By (platform, state)."""
    jobs: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """Runs of jobs by (agent, end), and gaps of missed slots."""
    undelivered: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Targets of jobs that nothing could be sent to, by agent."""
    stall_seconds_max: float = 0.0
    turns_in_flight: int = 0
    fenced: int = 0
