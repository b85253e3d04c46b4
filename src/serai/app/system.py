"""The real clock and real chance."""

import random
import secrets
import time


class SystemClock:
    """Wall time of the machine."""

    def now(self) -> float:
        return time.time()


class SystemEntropy:
    """Chance from the operating system for tokens, from a fast generator for jitter."""

    def token(self) -> str:
        return secrets.token_hex(12)

    def between(self, low: float, high: float) -> float:
        return random.uniform(low, high)
