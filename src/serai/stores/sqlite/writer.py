"""All writes of one database: group commit without a fight for the interpreter lock.

What waits goes into one transaction. The statements run on the event loop, where they cost
microseconds; only a COMMIT that must reach the disk runs in a thread, because it alone can take milliseconds. The
sync level is set between transactions: FULL when any member asks for it (`docs/decisions/sqlite-writer.md`).
"""

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from serai.core.error import SeraiError, StorageFailed

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_BATCH_MOST: Final = 64
"""Members of one transaction: bounds how long the statements of one may hold the event loop."""

_CHECKPOINT_EVERY: Final = 500
"""The write-ahead log is copied back into the database after this many transactions."""

_BUSY_SECONDS: Final = 5.0

_EXPECTED: Final = (SeraiError, sqlite3.IntegrityError, LookupError)
"""What a member may raise: it fails alone."""


@dataclass(slots=True)
class _Member:
    work: Work[Any]
    future: asyncio.Future[Any]
    sync: bool
    result: Any = None
    error: Exception | None = None


class Writer:
    """The one writer of a database. Use from one event loop."""

    def __init__(self, db: sqlite3.Connection, *, inline: bool = False) -> None:
        """`inline` commits on the event loop: for databases in memory and for tests in virtual time."""
        self._db = db
        self._inline = inline
        self._waiting: deque[_Member] = deque()
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._full = False
        self._closed = False
        db.execute("PRAGMA synchronous = NORMAL")
        self._commits = 0
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, work: Work[T], *, sync: bool) -> T:
        """Runs `work` inside a transaction and returns its result once that is committed.

        `sync`: surely on disk. Raises what `work` raises (then nothing of it was written), or StorageFailed (then
        nothing of the whole transaction was written), also where the database is closed. `work` may be begun twice,
        but is committed at most once.
        """
        if self._closed:
            raise StorageFailed("the database is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Member(work, future, sync))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            loop.call_soon(self._flush)
        return await future

    async def close(self) -> None:
        """Waits for what is under way, then closes the connection."""
        while self._busy:
            await self._idle.wait()
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
        self._db.close()

    def _flush(self) -> None:
        """One transaction of what waits."""
        batch: list[_Member] = []
        while self._waiting and len(batch) < _BATCH_MOST:
            member = self._waiting.popleft()
            if not member.future.cancelled():
                batch.append(member)
        if not batch:
            self._rest()
            return
        sync = any(member.sync for member in batch)
        try:
            self._begin(sync)
            self._execute(batch)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY and not self._inline:
                self._in_thread(lambda: self._whole_transaction(batch, sync), batch)
            else:
                self._failed(batch, error)
            return
        except sqlite3.Error as error:
            self._failed(batch, error)
            return
        if sync and not self._inline:
            self._in_thread(self._commit, batch)
        else:
            self._commit_here(batch)

    def _commit_here(self, batch: list[_Member]) -> None:
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._failed(batch, error)
            return
        self._done(batch)

    def _commit(self) -> None:
        """In the thread: the only statement that waits for the disk."""
        self._db.execute("COMMIT")
        if self._commits >= _CHECKPOINT_EVERY:
            self._commits = 0
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _whole_transaction(self, batch: list[_Member], sync: bool) -> None:
        """In the thread: another process holds the database, so even its beginning may wait."""
        self._db.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
        try:
            self._begin(sync)
            self._execute(batch)
            self._db.execute("COMMIT")
        finally:
            self._db.execute("PRAGMA busy_timeout = 0")

    def _begin(self, sync: bool) -> None:
        if sync is not self._full:
            self._db.execute("PRAGMA synchronous = FULL" if sync else "PRAGMA synchronous = NORMAL")
            self._full = sync
        self._db.execute("BEGIN IMMEDIATE")
        self._commits += 1

    def _execute(self, batch: list[_Member]) -> None:
        """Runs the members. Savepoints cost as much as a statement, and nearly all members succeed: so there are
        none until one has failed after it had written; then all begin again, a savepoint each."""
        db = self._db
        for member in batch:
            written = db.total_changes
            try:
                member.result, member.error = member.work(db), None
            except _EXPECTED as error:
                member.error = error
                if db.total_changes != written:
                    db.execute("ROLLBACK")
                    db.execute("BEGIN IMMEDIATE")
                    self._execute_apart(batch)
                    return

    def _execute_apart(self, batch: list[_Member]) -> None:
        db = self._db
        for member in batch:
            db.execute("SAVEPOINT member")
            try:
                member.result, member.error = member.work(db), None
            except _EXPECTED as error:
                member.error = error
                db.execute("ROLLBACK TO member")
            db.execute("RELEASE member")

    def _in_thread(self, job: Callable[[], None], batch: list[_Member]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="serai-sqlite", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                job()
            except sqlite3.Error as error:
                loop.call_soon_threadsafe(self._failed, batch, error)
            else:
                loop.call_soon_threadsafe(self._done, batch)

        self._jobs.put(run)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _done(self, batch: list[_Member]) -> None:
        for member in batch:
            if member.future.cancelled():
                continue
            if member.error is None:
                member.future.set_result(member.result)
            else:
                member.future.set_exception(member.error)
        self._next()

    def _failed(self, batch: list[_Member], error: sqlite3.Error) -> None:
        """Nothing of the transaction was written: a full disk, an unwritable file, a database held by another."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        for member in batch:
            if not member.future.cancelled():
                member.future.set_exception(StorageFailed(f"the database could not be written: {error}"))
        self._next()

    def _next(self) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._rest()

    def _rest(self) -> None:
        self._busy = False
        self._idle.set()
