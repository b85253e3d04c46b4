"""Jobs that are due and wait for a place: in the order of their time, in turns over directories (SPEC 9.3)."""

from collections.abc import Callable

from serai.gateway.schedule.entry import Entry


class DueQueue:
    """Who is next."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[Entry, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, entry: Entry) -> None:
        """Puts a job last of its directory; once, however often."""
        self._waiting.setdefault(entry.directory, {})[entry] = None

    def take(self, may_begin: Callable[[Entry], bool]) -> Entry | None:
        """The next job that may begin; its directory is then last in turn. Those that are not due any more go."""
        for directory in list(self._waiting):
            waiting = self._waiting.pop(directory)
            found = _first(waiting, may_begin)
            if waiting:
                self._waiting[directory] = waiting
            if found is not None:
                return found
        return None


def _first(waiting: dict[Entry, None], may_begin: Callable[[Entry], bool]) -> Entry | None:
    """Takes the first that may begin out of those that wait, and all before it that are not due any more."""
    gone: list[Entry] = []
    found = None
    for entry in waiting:
        if entry.due is None:
            gone.append(entry)
        elif may_begin(entry):
            found = entry
            gone.append(entry)
            break
    for entry in gone:
        del waiting[entry]
    return found
