"""Structured logs: JSON lines in `logs/serai.log`, rotated, secrets taken out (SPEC 14, 15)."""

import logging
import logging.handlers
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from serai.core.redact import Redactor

_BYTES_MOST: Final = 10 * 2**20
_FILES_KEPT: Final = 5


Line = Callable[[Mapping[str, Any]], str]
"""An entry of the log as people read it."""


def set_up(folder: Path, level: str, redactor: Callable[[], Redactor], line: Line | None = None) -> None:
    """Sends the gateway's log to the file, and warnings to standard error as well: as `line` has them, else as the
    file does. A log that cannot be written harms nothing else. `redactor` gives the one that is in force."""
    logging.raiseExceptions = False
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    set_level(level)
    try:
        file: logging.Handler = logging.handlers.RotatingFileHandler(
            folder / "serai.log", maxBytes=_BYTES_MOST, backupCount=_FILES_KEPT, encoding="utf-8", delay=True
        )
    except OSError:
        file = logging.NullHandler()
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    file.setFormatter(_Formatter(redactor))
    screen.setFormatter(_Formatter(redactor) if line is None else _ForPeople(redactor, line))
    root.addHandler(file)
    root.addHandler(screen)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def set_level(level: str) -> None:
    """From now on less important events are left out."""
    logging.getLogger().setLevel(level.upper())


def _render(_logger: Any, _method: str, event: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


class _Formatter(logging.Formatter):
    """One line per record: ours are JSON already, those of libraries are made so."""

    def __init__(self, redactor: Callable[[], Redactor]) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if not text.startswith("{"):
            document = {"event": text, "logger": record.name, "level": record.levelname.lower()}
            if record.exc_info:
                document["exception"] = self.formatException(record.exc_info)
            text = msgspec.json.encode(document).decode()
        data = text.encode("utf-8", "replace")
        cleaned = self._redactor().clean_json(data)
        return text if cleaned is data else cleaned.decode()


class _ForPeople(_Formatter):
    """The same for a terminal."""

    def __init__(self, redactor: Callable[[], Redactor], line: Line) -> None:
        super().__init__(redactor)
        self._line = line

    def format(self, record: logging.LogRecord) -> str:
        return self._line(msgspec.json.decode(super().format(record)))
