"""Known secrets taken out of a text that comes in pieces (SPEC 14)."""

from serai.core.redact import MARK, Redactor


class RedactedStream:
    """Cleans a text piece by piece: what it gives, put together, is the whole text as `Redactor.clean` leaves it.

    It holds back the longest end of the text that a secret may begin with, and nothing else.

    >>> stream = RedactedStream(Redactor(["fake-key-1"]))
    >>> stream.feed("It is fa"), stream.feed("ke-key-1."), stream.feed(" No f"), stream.end()
    ('It is ', '[redacted].', ' No ', 'f')
    """

    __slots__ = ("_covered", "_held", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._covered = 0
        """So much of what is held belongs to a secret whose mark was given already: another one may overlap it."""

    def feed(self, piece: str) -> str:
        """What can be told now that this piece has come."""
        if not self._held and self._redactor.firsts.isdisjoint(piece):
            return piece
        text = self._held + piece
        return self._told(text, self._redactor.tail(text))

    def end(self) -> str:
        """The rest."""
        return self._told(self._held, len(self._held))

    def _told(self, text: str, end: int) -> str:
        """The text up to `end`, cleaned; what comes behind it is held."""
        covered, self._covered, self._held = self._covered, 0, text[end:]
        spans = self._redactor.spans(text)
        if not spans and not covered:
            return text if end == len(text) else text[:end]
        parts, at = list[str](), covered
        for start, stop in spans:
            if start < at:
                at = max(at, stop)
                continue
            if start >= end:
                break
            parts += text[at:start], MARK
            at = stop
        parts.append(text[at:end])
        self._covered = max(0, at - end)
        return "".join(parts)
