"""Who was admitted by a code, who asks to be, and what they change of what they said (SPEC 6.7, 6.8)."""

import sqlite3
from dataclasses import replace
from typing import Any, Final

from serai.core.command import without_name
from serai.core.ids import Account
from serai.core.message import Revision
from serai.ports.store.people import Person, Stranger
from serai.stores.sqlite.accept import said
from serai.stores.sqlite.codec import decode_body, decode_decision, encode
from serai.stores.sqlite.delivery import insert as insert_delivery

Db = sqlite3.Connection

_DELETED: Final = "the message was deleted"
_ASKING_MOST: Final = 100
"""Codes that are valid at once for one account: strangers cannot fill the disk."""


def knock(db: Db, stranger: Stranger) -> bool:
    place = (stranger.connection.platform, stranger.connection.name)
    db.execute("DELETE FROM pairing WHERE expires_at <= ?", (stranger.now,))
    asking, mine = db.execute(
        "SELECT count(*), coalesce(sum(user = ?), 0) FROM pairing WHERE platform = ? AND account = ?",
        (stranger.user, *place),
    ).fetchone()
    if mine or asking >= _ASKING_MOST:
        return False
    db.execute(
        "INSERT INTO pairing (platform, account, user, name, code, since, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*place, stranger.user, stranger.name, stranger.code, stranger.now, stranger.expires_at),
    )
    insert_delivery(db, stranger.delivery, None, stranger.now)
    return True


def people(db: Db, now: float) -> list[Person]:
    admitted = db.execute("SELECT platform, account, user, name, since, NULL, NULL FROM admitted ORDER BY since")
    asking = db.execute(
        "SELECT platform, account, user, name, since, code, expires_at FROM pairing WHERE expires_at > ?"
        " ORDER BY since",
        (now,),
    )
    return [_person(row) for row in (*admitted, *asking)]


def admit(db: Db, code: str, now: float) -> Person | None:
    row = db.execute(
        "DELETE FROM pairing WHERE code = ? AND expires_at > ? RETURNING platform, account, user, name", (code, now)
    ).fetchone()
    if row is None:
        return None
    db.execute(
        "INSERT OR REPLACE INTO admitted (platform, account, user, name, since) VALUES (?, ?, ?, ?, ?)", (*row, now)
    )
    return _person((*row, now, None, None))


def expel(db: Db, connection: Account, user: str) -> bool:
    gone = db.execute(
        "DELETE FROM admitted WHERE platform = ? AND account = ? AND user = ?",
        (connection.platform, connection.name, user),
    )
    return gone.rowcount > 0


def _person(row: tuple[Any, ...]) -> Person:
    platform, account, user, name, since, code, expires_at = row
    return Person(Account(platform, account), user, name, since, code, expires_at)


def revise(db: Db, revision: Revision) -> bool:
    row = db.execute(
        "SELECT seq, body, decision FROM input"
        " WHERE pending = 1 AND state = 'waiting' AND platform = ? AND account = ? AND said = ?",
        (revision.connection.platform, revision.connection.name, said(revision.chat_id, revision.message_id)),
    ).fetchone()
    if row is None:
        return False
    if revision.text is None:
        db.execute(
            "UPDATE input SET state = 'cancelled', pending = NULL, reason = ? WHERE seq = ?", (_DELETED, row[0])
        )
    else:
        body = decode_body(row[1])
        decision = decode_decision(row[2])
        text = without_name(revision.text, decision.agent) if decision.reason == "stamped" else revision.text
        body = replace(body, message=replace(body.message, text=text))
        db.execute("UPDATE input SET body = ? WHERE seq = ?", (encode(body), row[0]))
    return True
