"""Which store schedules a folder: its `.owner` (SPEC 9.1)."""

from pathlib import Path
from typing import Final

from serai.jobs.folder import OWNER_FILE, NotRegular, directory, read_regular
from serai.jobs.replace import create, locked, replace, told

UNTOLD: Final = ""
"""The owner of a folder whose `.owner` says nothing: no store is called so."""

_LONGEST: Final = 1000


def read_owner(folder: Path) -> tuple[str | None, str | None]:
    """(the store, None); (None, None) where there is none yet; (UNTOLD, a sentence) where it cannot be told.

    Fails closed: a file that cannot be read belongs to somebody.
    """
    try:
        name = read_regular(folder / OWNER_FILE, _LONGEST).decode().strip()
    except FileNotFoundError:
        return None, None
    except (NotRegular, UnicodeDecodeError):
        return UNTOLD, _sentence("is no file with a store's name")
    except OSError as error:
        return UNTOLD, _sentence(f"cannot be read: {error.strerror}")
    if not name or not name.isprintable():
        return UNTOLD, _sentence("names no store")
    return name, None


def _sentence(fault: str) -> str:
    return f"`{OWNER_FILE}` {fault}, so these jobs do not run; `serai cron adopt` takes them over"


def own(cron: Path, store: str) -> str:
    """Makes the folder that store's unless it is another's; returns whose it is. Raises StorageFailed."""
    folder = directory(cron)
    path = folder / OWNER_FILE
    with told(path), locked(folder):
        create(path, _content(store))
    owner, _ = read_owner(folder)
    return owner or UNTOLD


def adopt(cron: Path, store: str) -> None:
    """Makes the folder that store's, whosever it was. Raises StorageFailed."""
    folder = directory(cron)
    path = folder / OWNER_FILE
    with told(path), locked(folder):
        replace(path, _content(store))


def _content(store: str) -> bytes:
    return f"{store}\n".encode()
