"""What the database holds, read from outside, without writing."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class InputRow:
    seq: int
    id: str
    text: str
    chat: str
    state: str
    turn: int | None
    survives: bool


@dataclass(frozen=True, slots=True)
class TurnRow:
    id: int
    state: str
    attempt: int
    session: str
    code: str


@dataclass(frozen=True, slots=True)
class StepRow:
    turn: int
    kind: str
    state: str
    call: str
    idempotent: bool


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: str
    turn: int
    chat: str
    text: str
    state: str
    attempt: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    session: str
    role: str
    text: str
    calls: tuple[str, ...]
    answers: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything at one instant."""

    inputs: Sequence[InputRow]
    turns: Sequence[TurnRow]
    steps: Sequence[StepRow]
    deliveries: Sequence[DeliveryRow]
    messages: Sequence[MessageRow]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is still to be done."""

    inputs: int
    turns: int
    deliveries: int

    def __bool__(self) -> bool:
        return bool(self.inputs or self.turns or self.deliveries)


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)


def unfinished(path: Path) -> Unfinished:
    """A quick look, also while a gateway runs."""
    with closing(connect(path)) as db:
        row = db.execute(
            "SELECT (SELECT count(*) FROM input WHERE state IN ('waiting', 'claimed') OR pending IS NOT NULL),"
            " (SELECT count(*) FROM turn WHERE state IN ('running', 'waiting')),"
            " (SELECT count(*) FROM delivery WHERE state IN ('open', 'new', 'sending'))"
        ).fetchone()
    return Unfinished(*row)


def inputs(db: sqlite3.Connection, after: int = 0) -> Sequence[InputRow]:
    """The accepted messages in their order, from the one behind number `after` on."""
    rows = db.execute(
        "SELECT input.seq, input.id, body, lane.chat, input.state, turn, survives FROM input"
        " JOIN lane ON lane.id = input.lane WHERE seq > ? ORDER BY seq",
        (after,),
    )
    return [
        InputRow(seq, name, json.loads(body)["message"]["text"], chat, state, turn, bool(survives))
        for seq, name, body, chat, state, turn, survives in rows
    ]


def read(path: Path) -> Ledger:
    """All rows, in one transaction."""
    with closing(connect(path)) as db:
        db.execute("BEGIN")
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return Ledger(
            inputs(db),
            [
                TurnRow(name, state, attempt, session, _code(result))
                for name, state, attempt, session, result in db.execute(
                    "SELECT id, state, attempt, session, result FROM turn ORDER BY id"
                )
            ],
            [
                StepRow(turn, kind, state, call, bool(idempotent))
                for turn, kind, state, call, idempotent in db.execute(
                    "SELECT turn, kind, state, call_id, idempotent FROM step ORDER BY turn, n"
                )
            ],
            [
                DeliveryRow(*row)
                for row in db.execute("SELECT id, turn, chat, text, state, attempt FROM delivery ORDER BY seq")
            ],
            [_message(*row) for row in db.execute("SELECT session, body FROM message ORDER BY session, n")],
        )


def _code(result: bytes | None) -> str:
    """Why a turn failed."""
    fault = json.loads(result).get("fault") if result else None
    return fault["code"] if fault else ""


def _message(session: str, body: bytes) -> MessageRow:
    document = json.loads(body)
    calls = tuple(call["id"] for call in document["tool_calls"])
    return MessageRow(session, document["role"], document["text"], calls, document["tool_call_id"] or "")
