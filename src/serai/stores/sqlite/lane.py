"""Lanes: found by their address, made at their first message (SPEC 3.3)."""

import sqlite3

from serai.core.ids import LaneId
from serai.core.lane import LaneAddress

Db = sqlite3.Connection


def find_lane(db: Db, address: LaneAddress) -> LaneId | None:
    """The lane of that address, where there is one."""
    found = db.execute(
        "SELECT id FROM lane WHERE agent = ? AND platform = ? AND account = ? AND chat_type = ? AND chat = ?"
        " AND thread = ? AND user = ?",
        _parts(address),
    ).fetchone()
    return None if found is None else LaneId(found[0])


def lane_id(db: Db, address: LaneAddress, now: float) -> LaneId:
    """The lane of that address, made at its first message."""
    return find_lane(db, address) or insert_lane(db, address, now)


def insert_lane(db: Db, address: LaneAddress, now: float) -> LaneId:
    """A new lane, where it is known that there is none of that address."""
    made = db.execute(
        "INSERT INTO lane (agent, platform, account, chat_type, chat, thread, user, label, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_parts(address), address.label, now),
    )
    return LaneId(made.lastrowid or 0)


def _parts(address: LaneAddress) -> tuple[str, ...]:
    return (
        address.agent,
        address.platform,
        address.account,
        address.chat_type,
        address.chat,
        address.thread,
        address.user,
    )
