"""When Python looks for garbage in cycles: between turns, not in the middle of a burst.

A look costs time for every living object, and holds up the event loop: 50 ms with a thousand turns in flight. A turn
makes hardly any cycles, so nearly all that a look would find in a burst is alive.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Final

_LOOK_SECONDS: Final = 0.5
_FEW_TURNS: Final = 50
_WORTH: Final = 20_000
"""New objects that are worth a look when few turns run."""

_MUST: Final = 2_000_000
"""New objects (some 200 MB) that are looked through whatever runs."""


async def collect_between_turns(
    in_flight: Callable[[], int],
    new_objects: Callable[[], int] = lambda: gc.get_count()[0],
    collect: Callable[[], object] = gc.collect,
) -> None:
    """Takes the collector over from the interpreter until it is cancelled.

    `in_flight` is the number of turns that run, `new_objects` how many more objects live than at the last look.
    """
    gc.freeze()  # what exists now stays; to look through it first would take 50 ms and free 0.2 MB
    gc.disable()
    try:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if new_objects() > (_WORTH if in_flight() <= _FEW_TURNS else _MUST):
                collect()
    finally:
        gc.unfreeze()
        gc.enable()
