"""What is told while a turn runs: answers that grow, and parts of answers (SPEC 5.7)."""

import sqlite3
from collections.abc import Sequence

from serai.core.delivery import Delivery, NewDelivery, Sealed
from serai.core.error import Fenced
from serai.core.ids import DeliveryId, TurnId
from serai.core.turn import Fence
from serai.stores.sqlite.delivery import COLUMNS, insert, row_to_delivery

Db = sqlite3.Connection


def check(db: Db, fence: Fence) -> None:
    """Raises Fenced where another worker has the turn."""
    row = db.execute(
        "SELECT 1 FROM turn WHERE id = ? AND token = ? AND state = 'running'", (fence.turn, fence.token)
    ).fetchone()
    if row is None:
        raise Fenced("another worker has this turn")


def tell(db: Db, fence: Fence, new: NewDelivery, call: int, now: float, *, grows: bool) -> None:
    check(db, fence)
    insert(db, new, fence.turn, now, state="open" if grows else "new", call=call)


def placed(db: Db, fence: Fence, delivery: DeliveryId, remote_id: str) -> None:
    check(db, fence)
    db.execute("UPDATE delivery SET remote_id = ? WHERE id = ? AND turn = ?", (remote_id, delivery, fence.turn))


def seal(db: Db, fence: Fence, sealed: Sealed, now: float) -> None:
    check(db, fence)
    settle_texts(db, fence.turn, (sealed,), now)


def settle_texts(db: Db, turn: TurnId, sealed: Sequence[Sealed], now: float) -> None:
    """Final texts. What was sealed before goes out once more only where its text is another one now."""
    db.executemany(
        "UPDATE delivery SET text = ?1, state = 'new', due_at = ?2 WHERE id = ?3 AND turn = ?4"
        " AND (state = 'open' OR state IN ('new', 'sending', 'sent') AND text <> ?1)",
        [(one.text, now, one.id, turn) for one in sealed],
    )


def told(db: Db, turn: TurnId) -> tuple[Delivery, ...]:
    """What was told while earlier attempts of a turn ran."""
    rows = db.execute(f"SELECT {COLUMNS} FROM delivery WHERE turn = ? AND call IS NOT NULL ORDER BY seq", (turn,))
    return tuple(map(row_to_delivery, rows))
