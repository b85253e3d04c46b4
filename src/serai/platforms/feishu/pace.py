"""How the platform wants the long connection kept. Pure."""

from dataclasses import dataclass
from typing import Final

from serai.platforms.feishu.wire import ClientConfig

_PING_MOST: Final = 120.0
"""Whatever the platform says: a dead connection shall be noticed in about two minutes."""

_PING_LEAST: Final = 5.0
_LEAST: Final = 1.0
_MOST: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between pings, before the first try to come back (at random up to `nonce`), and between further tries,
    of which there are `count` (below 0: as many as it takes). Until told otherwise, the SDKs' own."""

    ping: float = 120.0
    nonce: float = 30.0
    interval: float = 120.0
    count: int = -1

    def told(self, config: ClientConfig) -> "Pace":
        """The pace that a configuration asks for, kept within reason."""
        return Pace(
            min(max(config.ping_interval, _PING_LEAST), _PING_MOST),
            min(max(config.reconnect_nonce, 0.0), _MOST),
            min(max(config.reconnect_interval, _LEAST), _MOST),
            config.reconnect_count,
        )
