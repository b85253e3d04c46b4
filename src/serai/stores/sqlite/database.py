"""Opening a database file: connection settings, migrations, copies (SPEC 3.4)."""

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from serai.core.error import Startup, StorageFailed

COPIES_KEPT: Final = 3
_NETWORK_FILE_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph"})


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step from version `number - 1` to `number`."""

    number: int
    script: str


def migrations() -> Sequence[Migration]:
    """The migrations of this program, in order, from 1 on."""
    folder = files("serai.stores.sqlite") / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [Migration(int(entry.name[:4]), entry.read_text(encoding="utf-8")) for entry in scripts]


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in explicit-transaction mode. `path` may be `:memory:`. Raises StorageFailed."""
    try:
        target = f"{Path(path).resolve().as_uri()}?mode=ro" if read_only else path
        db = sqlite3.connect(
            target, uri=read_only, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=0.0
        )
        db.execute("PRAGMA busy_timeout = 5000" if read_only else "PRAGMA busy_timeout = 0")
        db.execute("PRAGMA foreign_keys = OFF")
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -4096")
    except sqlite3.Error as error:
        raise StorageFailed(f"the database {path} cannot be opened: {error}") from error
    return db


def prepare(path: Path, steps: Iterable[Migration] | None = None) -> None:
    """Brings the database at `path` to this program's version, keeping a copy of the older one first.

    Raises Startup for a database that is newer than the program, lies on a network file system, or is damaged.
    """
    known = list(migrations() if steps is None else steps)
    _refuse_network(path)
    is_new = not path.exists()
    if is_new:
        path.touch(mode=0o600)
    with contextlib.closing(connect(str(path))) as db:
        db.execute("PRAGMA busy_timeout = 5000")
        version = _version(db, path)
        newest = known[-1].number
        if version > newest:
            raise Startup(
                f"{path.name} was written by a newer Serai (version {version}, this one knows {newest}); "
                "update Serai, or restore one of the copies beside it"
            )
        if 0 < version < newest:
            keep_copy(db, path, version)
        missing = [step for step in known if step.number > version]
        if version == 0 and missing:  # a new database is made in one transaction, which is a few syncs less
            missing = [Migration(newest, "\n".join(step.script for step in missing))]
        for step in missing:
            _apply(db, step)


def keep_copy(db: sqlite3.Connection, path: Path, version: int) -> Path:
    """A consistent copy beside the database, named after its version; only the newest three are kept."""
    number = 1 + max((_copy_number(old) for old in path.parent.glob(f"{path.name}.v*.copy*")), default=0)
    copy = path.with_name(f"{path.name}.v{version}.copy{number}")
    copy.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(copy)) as target:
        db.backup(target)
    kept = sorted(path.parent.glob(f"{path.name}.v*.copy*"), key=_copy_number)
    for old in kept[:-COPIES_KEPT]:
        old.unlink()
    return copy


def _copy_number(path: Path) -> int:
    return int(path.name.rpartition(".copy")[2])


def _version(db: sqlite3.Connection, path: Path) -> int:
    try:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        raise Startup(f"{path} is not a readable database ({error}); restore a copy or move it away") from error
    return version


def _apply(db: sqlite3.Connection, step: Migration) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{step.script}\nPRAGMA user_version = {step.number};\nCOMMIT;")
    except sqlite3.Error as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise Startup(f"the database could not be brought to version {step.number}: {error}") from error


def _refuse_network(path: Path) -> None:
    """SQLite's locks do not hold on network file systems (SPEC 15). Only Linux tells the type here."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    place = path.parent.resolve()
    best, kind = "", ""
    for fields in (line.split() for line in mounts):
        mount = fields[1].replace("\\040", " ")
        if len(mount) >= len(best) and place.is_relative_to(mount):
            best, kind = mount, fields[2]
    if kind in _NETWORK_FILE_SYSTEMS:
        raise Startup(f"{place} lies on a network file system ({kind}), where SQLite is not safe; use a local disk")
