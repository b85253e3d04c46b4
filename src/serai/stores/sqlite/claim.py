"""Beginning a turn: of a lane's next input, of one that just came, or again after an interruption (SPEC 5.2, 5.3)."""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Final

from serai.core.ids import AgentId, InputId, LaneId, SessionId, TurnId
from serai.core.lane import LaneAddress
from serai.core.message import Message
from serai.core.turn import Claim, Fence, Input, SessionSettings, Step
from serai.ports.store.claim import ClaimOffer
from serai.stores.sqlite.codec import decode_body, decode_decision, decode_message, decode_source, decode_target
from serai.stores.sqlite.saying import overhear
from serai.stores.sqlite.telling import told

Db = sqlite3.Connection

_INPUT: Final = "id, body, decision, sender, reply_to, received_at, joined, source"
_WAITING: Final = f"{_INPUT}, seq, due_at, session, place, joins, behind"


@dataclass(frozen=True, slots=True)
class _Opened:
    """The session that a turn runs in."""

    id: SessionId
    is_new: bool
    prompt: str
    messages: int
    settings: SessionSettings = SessionSettings()
    replaced: SessionId | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message that waits, with what decides about its company."""

    input: Input
    seq: int
    due_at: float
    session: SessionId | None
    place: str
    joins: bool
    behind: bool


def claim(db: Db, lane: LaneId, offer: ClaimOffer) -> Claim | None:
    active = db.execute(
        "SELECT id, session, attempt, state, due_at FROM turn WHERE lane = ? AND state IN ('running', 'waiting')",
        (lane,),
    ).fetchone()
    if active is not None:
        identity, session, attempt, state, due_at = active
        if state == "running" or due_at > offer.now:
            return None
        return _resume(db, lane, offer, TurnId(identity), SessionId(session), attempt)
    taken, due_at = _together(waiting(db, lane), offer)
    if not taken or due_at > offer.now:
        return None
    first = taken[0]
    opened = open_session(db, lane, offer, first.session, first.input.sender)
    turn = insert_turn(db, lane, opened.id, offer)
    take(db, turn, taken)
    return begun(db, lane, _address(db, lane), offer, opened, turn, tuple(one.input for one in taken))


def waiting(db: Db, lane: LaneId) -> list[_Waiting]:
    """What waits in a lane, in order."""
    rows = db.execute(
        f"SELECT {_WAITING} FROM input WHERE pending = 1 AND lane = ? AND state = 'waiting' ORDER BY seq", (lane,)
    )
    return [_Waiting(_input(row[:8]), row[8], row[9], row[10], row[11], bool(row[12]), bool(row[13])) for row in rows]


def take(db: Db, turn: TurnId, taken: Sequence[_Waiting], joined: int | None = None) -> None:
    """Puts messages into a turn; `joined` is the step by which they come to one that runs."""
    db.executemany(
        "UPDATE input SET state = 'claimed', turn = ?, joined = ? WHERE seq = ?",
        [(turn, joined, one.seq) for one in taken],
    )


def due(db: Db, lane: LaneId, offer: ClaimOffer) -> float | None:
    busy = db.execute("SELECT 1 FROM turn WHERE lane = ? AND state IN ('running', 'waiting')", (lane,)).fetchone()
    taken, due_at = _together(waiting(db, lane), offer)
    return due_at if taken and busy is None else None


def _together(lane: Sequence[_Waiting], offer: ClaimOffer) -> tuple[Sequence[_Waiting], float]:
    """What is answered in one turn, the first message and what belongs to it, and when (SPEC 6.1, 6.2)."""
    if not lane:
        return (), 0.0
    first = lane[0]
    if not first.joins:
        return lane[:1], first.due_at
    company = list(takewhile(lambda one: one.joins and one.place == first.place, lane))
    if first.behind:
        return company, company[-1].due_at if len(company) < offer.max_pieces else first.due_at
    pieces = list(takewhile(lambda one: one.input.sender == first.input.sender, company))[: offer.max_pieces]
    complete = len(pieces) < len(lane) or len(pieces) == offer.max_pieces
    return pieces, 0.0 if complete else pieces[-1].due_at


def is_idle(db: Db, lane: LaneId) -> bool:
    """Whether neither a turn nor an input is under way in the lane."""
    found = db.execute(
        "SELECT 1 FROM turn WHERE lane = ?1 AND state IN ('running', 'waiting')"
        " UNION ALL SELECT 1 FROM input WHERE pending = 1 AND lane = ?1 LIMIT 1",
        (lane,),
    ).fetchone()
    return found is None


def insert_turn(db: Db, lane: LaneId, session: SessionId, offer: ClaimOffer) -> TurnId:
    made = db.execute(
        "INSERT INTO turn (lane, session, token, attempt, due_at, config, state, started_at)"
        " VALUES (?, ?, ?, 1, ?, ?, 'running', ?)",
        (lane, session, offer.token, offer.now, offer.config, offer.now),
    )
    return TurnId(made.lastrowid or 0)


def begun(
    db: Db,
    lane: LaneId,
    address: LaneAddress,
    offer: ClaimOffer,
    opened: _Opened,
    turn: TurnId,
    inputs: tuple[Input, ...],
) -> Claim:
    """The claim of a turn that begins now."""
    history, start = _history(db, offer, opened.id) if opened.messages else ((), 0)
    return Claim(
        fence=Fence(turn, offer.token),
        lane=lane,
        address=address,
        session=opened.id,
        session_is_new=opened.is_new,
        prompt=opened.prompt,
        inputs=inputs,
        history=history,
        history_from=start,
        steps=(),
        attempt=1,
        settings=opened.settings,
        replaced=opened.replaced,
    )


def open_session(db: Db, lane: LaneId, offer: ClaimOffer, wanted: str | None, owner: str) -> _Opened:
    """The lane's open session, unless it has expired; else a new one, with the id its input asked for."""
    row = db.execute(
        "SELECT session.id, last_at, prompt.text, messages, model, reasoning FROM session"
        " LEFT JOIN prompt ON prompt.digest = session.prompt WHERE lane = ? AND closed_at IS NULL",
        (lane,),
    ).fetchone()
    if row is not None and row[1] < offer.reset_before and wanted is None:
        db.execute("UPDATE session SET closed_at = ? WHERE id = ?", (offer.now, row[0]))
        return replace(new_session(db, lane, offer, wanted, owner), replaced=SessionId(row[0]))
    if row is None:
        return new_session(db, lane, offer, wanted, owner)
    session = SessionId(row[0])
    if row[2] is None:
        db.execute("UPDATE session SET prompt = ? WHERE id = ?", (_prompt(db, offer), session))
        return _Opened(session, True, offer.prompt, row[3], SessionSettings(*row[4:]))
    return _Opened(session, False, row[2], row[3], SessionSettings(*row[4:]))


def new_session(
    db: Db, lane: LaneId, offer: ClaimOffer, wanted: str | None, owner: str, *, alone: bool = False
) -> _Opened:
    """A session that begins now; `alone`: in a lane where nothing can have been said."""
    session = SessionId(wanted or offer.new_session)
    db.execute(
        "INSERT INTO session (id, lane, owner, prompt, opened_at, last_at) VALUES (?, ?, ?, ?, ?, ?)",
        (session, lane, owner if wanted else "", _prompt(db, offer), offer.now, offer.now),
    )
    heard = 0 if alone else overhear(db, lane, session, offer.reset_before)
    return _Opened(session, True, offer.prompt, heard)


def _prompt(db: Db, offer: ClaimOffer) -> str:
    """The digest of the offered system prompt, which is kept once."""
    digest = hashlib.blake2b(offer.prompt.encode(), digest_size=16).hexdigest()
    found = db.execute("SELECT 1 FROM prompt WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        db.execute("INSERT INTO prompt (digest, text) VALUES (?, ?)", (digest, offer.prompt))
    return digest


def _resume(db: Db, lane: LaneId, offer: ClaimOffer, turn: TurnId, session: SessionId, attempt: int) -> Claim:
    """A turn that waits: its inputs, and the steps it had recorded."""
    (stop,) = db.execute(
        "UPDATE turn SET state = 'running', token = ? WHERE id = ? RETURNING stop", (offer.token, turn)
    ).fetchone()
    inputs = db.execute(
        f"SELECT {_INPUT} FROM input WHERE pending = 1 AND lane = ? AND state = 'claimed' ORDER BY seq", (lane,)
    ).fetchall()
    known = db.execute(
        "SELECT prompt.text, model, reasoning FROM session JOIN prompt ON prompt.digest = session.prompt"
        " WHERE session.id = ?",
        (session,),
    ).fetchone()
    history, start = _history(db, offer, session)
    return Claim(
        fence=Fence(turn, offer.token),
        lane=lane,
        address=_address(db, lane),
        session=session,
        session_is_new=False,
        prompt=known[0] if known else offer.prompt,
        inputs=tuple(_input(row) for row in inputs),
        history=history,
        history_from=start,
        steps=read_steps(db, turn),
        attempt=attempt,
        settings=SessionSettings(*known[1:]) if known else SessionSettings(),
        told=told(db, turn),
        stop=stop,
    )


def _history(db: Db, offer: ClaimOffer, session: SessionId) -> tuple[tuple[Message, ...], int]:
    """The session's messages that the worker does not have yet, and the number of the first of them."""
    start = offer.known if offer.known_session == session else 0
    rows = db.execute("SELECT body FROM message WHERE session = ? AND n >= ? ORDER BY n", (session, start))
    return tuple(decode_message(row[0]) for row in rows), start


def _address(db: Db, lane: LaneId) -> LaneAddress:
    row = db.execute(
        "SELECT agent, platform, account, chat_type, chat, thread, user FROM lane WHERE id = ?", (lane,)
    ).fetchone()
    return LaneAddress(AgentId(row[0]), *row[1:])


def _input(row: tuple[Any, ...]) -> Input:
    identity, body, decision, sender, reply_to, received_at, joined, source = row
    return Input(
        id=InputId(identity),
        body=decode_body(body),
        decision=decode_decision(decision),
        sender=sender,
        reply_to=None if reply_to is None else decode_target(reply_to),
        received_at=received_at,
        joined=joined,
        source=None if source is None else decode_source(source),
    )


def read_steps(db: Db, turn: TurnId) -> tuple[Step, ...]:
    """What is recorded of a turn, in order."""
    rows = db.execute(
        "SELECT n, kind, state, call_id, request, result, idempotent FROM step WHERE turn = ? ORDER BY n", (turn,)
    )
    return tuple(
        Step(n, kind, state, call, asked, got, bool(same)) for n, kind, state, call, asked, got, same in rows
    )
