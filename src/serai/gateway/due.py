"""Jobs that are due and wait for a place: in the order of their time, in turns over directories (SPEC 9.3)."""

from collections import deque
from collections.abc import Callable

from serai.gateway.agenda import Entry


class DueQueue:
    """Who is next."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Entry]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, entry: Entry) -> None:
        """Puts a job last of its directory; once, however often."""
        waiting = self._waiting.setdefault(entry.directory, deque())
        if entry not in waiting:
            waiting.append(entry)

    def take(self, may_begin: Callable[[Entry], bool]) -> Entry | None:
        """The next job that may begin; its directory is then last in turn. Those that are not due any more go."""
        for directory in list(self._waiting):
            found = self._first(self._waiting[directory], may_begin)
            if found is not None:
                self._waiting[directory].remove(found)
            rest = self._waiting.pop(directory)
            if rest:
                self._waiting[directory] = rest
            if found is not None:
                return found
        return None

    def _first(self, waiting: deque[Entry], may_begin: Callable[[Entry], bool]) -> Entry | None:
        while waiting and waiting[0].due is None:
            waiting.popleft()
        return next((one for one in waiting if one.due is not None and may_begin(one)), None)
