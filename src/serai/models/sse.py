"""Server-sent events from raw bytes, however they were cut on their way.

Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". Only `data` is of interest: OpenAI-shaped streams name
neither events nor ids. A byte order mark is the caller's to remove.
"""

from typing import Final

_DATA: Final = b"data:"


class EventStream:
    """Collects bytes and gives back the data of each event that is complete."""

    __slots__ = ("_after_cr", "_data", "_rest")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that end in `chunk`; the lines of one event's data are joined by LF.

        A line may end with LF, CRLF or CR, also where these are cut from one another. The blank after `data:` is
        left in: to JSON it means nothing.
        """
        if not (self._rest or self._after_cr) and (events := self._plain(chunk)):
            return events
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if not end:
            if chunk:
                self._rest.append(chunk)
            return []
        self._after_cr = chunk.endswith(b"\r")
        whole, rest = (chunk, b"") if end == len(chunk) else (chunk[:end], chunk[end:])
        if self._rest:
            whole = b"".join((*self._rest, whole))
            self._rest.clear()
        if rest:
            self._rest.append(rest)
        return self._plain(whole) or self._lines(whole.splitlines())

    def end(self) -> list[bytes]:
        """The data of a last event that the stream's end completes."""
        line = b"".join(self._rest)
        self._rest.clear()
        return self._lines([line, b""])

    def _plain(self, whole: bytes) -> list[bytes] | None:
        """The same, in one cut, for events of one data line each with LF: what nearly all servers send."""
        if self._data or not whole.startswith(_DATA) or not whole.endswith(b"\n\n") or b"\r" in whole:
            return None
        events = whole[len(_DATA) : -2].split(b"\n\n" + _DATA)
        return events if whole.count(b"\n") == 2 * len(events) else None

    def _lines(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line.startswith(_DATA):
                data.append(line[5:])
            elif not line and data:
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
        return events
