"""Versions, copies and what is refused (SPEC 3.4, 15)."""

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from serai.core.error import Startup, StorageFailed
from serai.stores.sqlite.database import COPIES_KEPT, Migration, connect, migrations, prepare

FIRST = Migration(1, "CREATE TABLE note (text TEXT NOT NULL);")
SECOND = Migration(2, "ALTER TABLE note ADD COLUMN agent TEXT NOT NULL DEFAULT 'main';")
BROKEN = Migration(2, "ALTER TABLE note ADD COLUMN agent TEXT; INSERT INTO nothing VALUES (1);")


def ask(path: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def written_by_version_one(path: Path) -> None:
    prepare(path, [FIRST])
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO note (text) VALUES ('kept')")
        db.commit()


def test_a_new_database_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ask(path, "PRAGMA user_version") == [(migrations()[-1].number,)]
    assert ask(path, "PRAGMA journal_mode") == [("wal",)]


def test_preparing_again_changes_nothing_and_copies_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    prepare(path)
    assert not list(tmp_path.glob("*.copy*"))


def test_an_older_database_is_brought_up_to_date_after_a_copy_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    written_by_version_one(path)
    prepare(path, [FIRST, SECOND])
    assert ask(path, "SELECT text, agent FROM note") == [("kept", "main")]
    (copy,) = tmp_path.glob("*.copy*")
    assert ask(copy, "SELECT * FROM note") == [("kept",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_only_the_newest_three_copies_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    steps = [FIRST]
    for number in range(2, 8):
        prepare(path, steps)
        steps.append(Migration(number, f"CREATE TABLE t{number} (x);"))
    prepare(path, steps)
    copies = sorted(p.name for p in tmp_path.glob("*.copy*"))
    assert len(copies) == COPIES_KEPT == 3
    assert copies == ["state.db.v4.copy4", "state.db.v5.copy5", "state.db.v6.copy6"]


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    written_by_version_one(path)
    with pytest.raises(Startup, match="could not be brought to version 2"):
        prepare(path, [FIRST, BROKEN])
    assert ask(path, "SELECT * FROM note") == [("kept",)]
    assert ask(path, "PRAGMA user_version") == [(1,)]


def test_a_database_newer_than_the_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    prepare(path, [FIRST, SECOND])
    before = path.read_bytes()
    with pytest.raises(Startup, match="newer Serai"):
        prepare(path, [FIRST])
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database, it is a poem", b"\x00" * 5000])
def test_a_damaged_database_is_named_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises((Startup, StorageFailed), match=r"state\.db"):
        prepare(path)
    assert path.read_bytes() == content


def test_every_earlier_version_can_be_brought_to_this_one(tmp_path: Path) -> None:
    known = list(migrations())
    numbers = [step.number for step in known]
    assert numbers == list(range(1, len(known) + 1))
    for number in range(1, len(known) + 1):
        path = tmp_path / f"v{number}.db"
        prepare(path, known[:number])
        prepare(path)
        assert ask(path, "PRAGMA user_version") == [(numbers[-1],)]


def test_who_writes_in_direct_chats_is_taken_over_from_what_was_said_there_before(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    prepare(path, list(migrations())[:6])
    with contextlib.closing(sqlite3.connect(path)) as db:
        lanes = [("person", "", "ada"), ("fake", "default", "7")]
        db.executemany(
            "INSERT INTO lane (id, platform, account, chat_type, chat, thread, user, label, created_at)"
            " VALUES (?, ?, ?, 'dm', ?, '', '', '', 0)",
            [(number, *lane) for number, lane in enumerate(lanes, start=1)],
        )
        inputs = [
            (1, "ada", b'{"chat_id": "5", "user_id": "ada"}'),
            (1, "alt", b'{"chat_id": "5", "user_id": "ada"}'),
            (1, "eve", b'{"chat_id": "6", "user_id": "eve"}'),
            (1, "ada", None),
            (2, "bob", b'{"chat_id": "7", "user_id": "bob"}'),
        ]
        db.executemany(
            "INSERT INTO input (id, lane, platform, account, sender, body, decision, reply_to, survives, received_at,"
            " due_at, place, said, joins, behind, state) VALUES (?, ?, 'fake', 'default', ?, '', '', ?, 1, 0, 0, '',"
            " '', 0, 0, 'done')",
            [(f"run_{number}", *one) for number, one in enumerate(inputs)],
        )
        db.commit()
    prepare(path)
    assert ask(path, "SELECT chat, user, user_alt FROM direct_chat") == [("5", "ada", "alt"), ("6", "eve", "")]


def test_no_query_of_a_turn_looks_at_more_than_it_needs(tmp_path: Path) -> None:
    """Every question of the hot path goes by an index; the sources are searched for them."""
    import re

    from serai.stores.sqlite import accept, claim, delivery, idempotency, turn

    path = tmp_path / "state.db"
    prepare(path)
    questions: list[str] = []
    for module in (accept, claim, delivery, idempotency, turn):
        source = Path(module.__file__).read_text()
        for block in re.findall(r"execute\(\s*((?:f?\"[^\n]*\"\s*)+)", source):
            text = "".join(re.findall(r'"([^\n]*)"', block))
            text = (
                text.replace("{_WAITING}", claim._WAITING)
                .replace("{_INPUT}", claim._INPUT)
                .replace("{COLUMNS}", delivery.COLUMNS)
            )
            if text.startswith(("SELECT", "UPDATE", "DELETE")):
                questions.append(text)
    assert len(questions) > 20
    with contextlib.closing(connect(str(path))) as db:
        for question in questions:
            numbered = [int(n) for n in re.findall(r"\?(\d)", question)]
            values = (None,) * (max(numbered) if numbered else question.count("?"))
            plan = " / ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {question}", values))
            assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", ""), f"{question}\n{plan}"


def test_a_claimed_slot_costs_no_more_where_a_directory_has_a_long_history() -> None:
    from serai.core.ids import InputId, JobId
    from serai.ports.slots import NewSlot
    from serai.stores.sqlite.slot_claim import take

    def steps(slots: int) -> int:
        """What the database does, in hundreds of its instructions."""
        counted = [0]

        def count() -> None:
            counted[0] += 1

        with contextlib.closing(connect(":memory:")) as db:
            for step in migrations():
                db.executescript(step.script)
            db.executemany(
                "INSERT INTO slot (directory, job, at, input, manual, noted_at) VALUES ('/cron', 'a', ?, ?, 0, 0)",
                [(n, f"run_{n}") for n in range(slots)],
            )
            db.set_progress_handler(count, 100)
            take(db, NewSlot("/cron", JobId("b"), 5.0), InputId("run_b"), 6.0)
        return counted[0]

    assert steps(20_000) <= steps(10) + 5
