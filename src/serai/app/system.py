"""The real clock and real chance."""

import os
import random
import secrets
import time

from serai.ports.clock import CODE_SIGNS


class SystemClock:
    """Wall time of the machine."""

    def now(self) -> float:
        return time.time()


class SystemEntropy:
    """Chance from the operating system for tokens, from a fast generator for jitter."""

    def token(self) -> str:
        """Begins with the time in milliseconds: what is made later sorts later, so that indexes grow at their end."""
        return f"{time.time_ns() // 1_000_000:012x}{os.urandom(6).hex()}"

    def code(self) -> str:
        return "".join(secrets.choice(CODE_SIGNS) for _ in range(8))

    def between(self, low: float, high: float) -> float:
        return random.uniform(low, high)
