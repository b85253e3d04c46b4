"""Requests that may come again under one key, and what they get then (SPEC 11.7)."""

import sqlite3

from serai.core.ids import AgentId, InputId, LaneId
from serai.ports.store.arrival import Accepted, Idempotency, IdempotencyConflict, KeptAnswer

Db = sqlite3.Connection


def find_input(db: Db, wanted: Idempotency, now: float) -> Accepted | None:
    """The input that a repeated request stands for. Raises IdempotencyConflict."""
    row = db.execute(
        "SELECT idem.body, input.id, input.lane, lane.agent, input.received_at FROM idem"
        " JOIN input ON input.id = idem.input JOIN lane ON lane.id = input.lane"
        " WHERE idem.principal = ? AND idem.key = ? AND idem.route = ? AND idem.expires_at > ?",
        (wanted.principal, wanted.key, wanted.route_digest, now),
    ).fetchone()
    if row is None:
        return None
    body, name, lane, agent, received_at = row
    _check(wanted, body)
    return Accepted(InputId(name), LaneId(lane), AgentId(agent), received_at, duplicate=True)


def find_answer(db: Db, wanted: Idempotency, now: float) -> bytes | None:
    """What a repeated request was answered. Raises IdempotencyConflict."""
    row: tuple[str, bytes] | None = db.execute(
        "SELECT body, answer FROM idem WHERE principal = ? AND key = ? AND route = ? AND expires_at > ?",
        (wanted.principal, wanted.key, wanted.route_digest, now),
    ).fetchone()
    if row is None:
        return None
    _check(wanted, row[0])
    return row[1]


def keep_input(db: Db, request: Idempotency, input_id: InputId) -> None:
    """Notes which input a request has become."""
    _keep(db, request, input_id, None)


def keep_answer(db: Db, kept: KeptAnswer) -> None:
    """Notes the answer of a request that has become no input."""
    _keep(db, kept.request, "", kept.answer)


def _check(wanted: Idempotency, body: str) -> None:
    if body != wanted.body_digest:
        raise IdempotencyConflict("this Idempotency-Key was used with another body")


def _keep(db: Db, request: Idempotency, input_id: str, answer: bytes | None) -> None:
    db.execute(
        "INSERT OR REPLACE INTO idem (principal, key, route, body, input, answer, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(request.principal, request.key, request.route_digest, request.body_digest),
            *(input_id, answer, request.expires_at),
        ),
    )
