"""How a run of a job has ended."""

from typing import Final

import structlog

from serai.core.error import StorageFailed
from serai.core.event import TurnEnded
from serai.core.ids import InputId
from serai.gateway.lane.door import Door
from serai.ports.engine import Subscription

_log = structlog.get_logger("cron")

_ASK_SECONDS: Final = 5.0
"""After which a run that tells nothing is asked for."""


async def run_end(door: Door, run: InputId, subscription: Subscription) -> str:
    """Waits until a run has ended: told, or found out where nobody has told it. Returns `done`, `failed`,
    `cancelled`, or `erased`."""
    state: str | None = None
    while state is None:
        state = await _end(door, run, subscription)
    return state


async def _end(door: Door, run: InputId, subscription: Subscription) -> str | None:
    events = await subscription.batch(_ASK_SECONDS)
    ended = next((event for event in events if isinstance(event, TurnEnded)), None)
    try:
        ended = ended or (None if events else await door.outcome(run))
    except KeyError:
        return "erased"
    except StorageFailed as error:
        _log.error("a run could not be asked for", run=run, error=str(error))
    return None if ended is None else ended.state
