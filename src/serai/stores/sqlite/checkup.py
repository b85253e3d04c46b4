"""Looking whether a database is whole, without changing it."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serai.core.error import StorageFailed
from serai.stores.sqlite.database import connect, migrations

_FAULTS_MOST: Final = 3
_WHOLE: Final = "ok"


@dataclass(frozen=True, slots=True)
class Health:
    """The database's version, the newest that this program knows, and what is damaged (nothing, if all is well)."""

    version: int
    newest: int
    damage: tuple[str, ...]


def check_up(path: Path) -> Health:
    """Reads the whole file, a second for some hundred megabytes. Raises StorageFailed for what is no database."""
    with contextlib.closing(connect(str(path), read_only=True)) as db:
        try:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            faults = [row[0] for row in db.execute(f"PRAGMA quick_check({_FAULTS_MOST})")]
        except sqlite3.Error as error:
            raise StorageFailed(f"{path.name} is not a readable database: {error}") from error
    return Health(version, migrations()[-1].number, tuple(fault for fault in faults if fault != _WHOLE))
