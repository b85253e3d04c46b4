"""What must hold after any number of deaths (SPEC 5), judged from database, receiver and the tools' journal."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from serai.core.turn import DEATHS_MOST
from tests.crash.journal import Entry
from tests.crash.ledger import InputRow, Ledger, StepRow, TurnRow, read, unfinished
from tests.crash.peers import Conversation, mark_of
from tests.crash.traffic import Call, Traffic
from tests.process.receiver import Received, Receiver

_INTERRUPTED: Final = "interrupted by a restart"
_GIVEN_UP: Final = "turn_died"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was judged. `given_up` turns died three times; `repeated` sends came twice under one id."""

    kills: int
    stops: int
    messages: int
    calls: int
    duplicates: int
    turns: int
    tool_calls: int
    interrupted: int
    repeated: int
    cancelled: int
    given_up: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.stops} shutdowns, {self.messages} messages and {self.calls} API calls "
            f"({self.duplicates} copies), {self.turns} turns, {self.tool_calls} tool calls, "
            f"{self.interrupted} interrupted, {self.repeated} sends repeated under their id, "
            f"{self.cancelled} calls cancelled, {self.given_up} turns given up, {self.seconds:.1f} s"
        )


def judge(
    database: Path,
    traffic: Traffic,
    receiver: Receiver,
    journal: Sequence[Entry],
    model: Conversation,
    *,
    kills: int,
    stops: int,
    seconds: float,
    live: bool = False,
) -> Figures:
    """Raises AssertionError for the first thing that does not hold. With `live`, messages may share a turn."""
    assert model.faults == []
    assert receiver.faults == []
    left = unfinished(database)
    assert not left, left
    ledger = read(database)
    turns = {turn.id: turn for turn in ledger.turns}
    by_text = _every_input_is_known_once(ledger, traffic)
    if not live:
        _every_input_has_its_own_turn(ledger)
    given_up = _every_message_has_one_finished_turn(traffic, by_text, turns)
    cancelled = _every_call_ended(traffic.calls, by_text, turns)
    repeated = _every_answer_arrived_once(ledger, traffic, receiver.received, kills + stops)
    _answers_came_in_order(ledger, traffic, receiver.taken, by_text)
    _histories_are_whole(ledger, traffic, by_text, turns)
    interrupted = _no_call_was_repeated(ledger, turns, journal, model.told, kills + stops)
    return Figures(
        kills=kills,
        stops=stops,
        messages=sum(len(chat.posts) for chat in traffic.chats.values()),
        calls=len(traffic.calls),
        duplicates=traffic.duplicates,
        turns=len(turns),
        tool_calls=sum(step.kind == "tool" for step in ledger.steps),
        interrupted=interrupted,
        repeated=repeated,
        cancelled=cancelled,
        given_up=given_up,
        seconds=seconds,
    )


def _every_input_is_known_once(ledger: Ledger, traffic: Traffic) -> Mapping[str, InputRow]:
    """A keyed call that failed may have been made anew by its repetition (SPEC 16.7): then the last one counts."""
    said = {post.text for chat in traffic.chats.values() for post in chat.posts} | {c.text for c in traffic.calls}
    keyed = {call.text for call in traffic.calls if call.key is not None}
    known: dict[str, InputRow] = {}
    for row in ledger.inputs:
        assert row.text in said, f"nobody said {row.text!r}"
        earlier = known.get(row.text)
        assert earlier is None or (row.text in keyed and earlier.state == "failed"), f"{row.text!r} is stored twice"
        known[row.text] = row
    owners = Counter(row.turn for row in ledger.inputs if row.turn is not None)
    assert set(owners) == {turn.id for turn in ledger.turns}, "a turn without a message, or the other way round"
    return known


def _every_input_has_its_own_turn(ledger: Ledger) -> None:
    owners = Counter(row.turn for row in ledger.inputs if row.turn is not None)
    assert max(owners.values(), default=1) == 1


def _every_message_has_one_finished_turn(
    traffic: Traffic, by_text: Mapping[str, InputRow], turns: Mapping[int, TurnRow]
) -> int:
    """Also those of API calls with an Idempotency-Key. Returns how many were given up after three deaths."""
    texts = [post.text for chat in traffic.chats.values() for post in chat.posts]
    texts += [call.text for call in traffic.calls if call.key is not None]
    given_up = 0
    for text in texts:
        row = by_text.get(text)
        assert row is not None, f"{text!r} was lost"
        assert row.turn is not None
        turn = turns[row.turn]
        assert row.state == turn.state, (row, turn)
        if turn.state == "failed":
            assert turn.code == _GIVEN_UP, (text, turn)
            assert turn.attempt > DEATHS_MOST, (text, turn)
            given_up += 1
        else:
            assert turn.state == "done", (text, turn)
    return given_up


def _every_call_ended(calls: Sequence[Call], by_text: Mapping[str, InputRow], turns: Mapping[int, TurnRow]) -> int:
    """The answers over HTTP; a call that nobody may repeat is done or cancelled. Returns how many were cancelled."""
    cancelled = 0
    for call in calls:
        row = by_text.get(call.text)
        turn = turns.get(row.turn) if row is not None and row.turn is not None else None
        if call.key is None and row is not None:
            assert row.state in ("done", "cancelled"), (call, row)
            assert turn is None or turn.state == row.state, (call, turn)
            assert not row.survives
            cancelled += row.state == "cancelled"
        for answer in call.answers:
            if turn is not None and turn.state == "done":
                assert answer.status == 200, (call, answer)
                assert f"answer to {mark_of(call.text)} from" in answer.text
            else:
                assert answer.status in (500, 503), (call, answer)
        bodies = {answer.text for answer in call.answers if answer.status == 200}
        assert len(bodies) <= 1, f"different answers to one call: {bodies}"
        assert call.answers or call.lost, f"{call.text!r} was never answered"
    return cancelled


def _every_answer_arrived_once(ledger: Ledger, traffic: Traffic, received: Sequence[Received], ends: int) -> int:
    """By delivery id. Returns how many came again, each because its send was interrupted by an end of the gateway."""
    chat_turns = {row.turn for row in ledger.inputs if row.chat in traffic.chats}
    assert {row.turn for row in ledger.deliveries} == chat_turns
    assert len(ledger.deliveries) == len(chat_turns), "a turn with several answers"
    arrived: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        arrived[one.delivery_id].append(one)
    assert arrived.keys() == {row.id for row in ledger.deliveries}
    for row in ledger.deliveries:
        copies = arrived[row.id]
        assert row.state == "sent", row
        assert {(one.chat_id, one.text) for one in copies} == {(row.chat, row.text)}, (row, copies)
        assert any(one.taken for one in copies)
        refused = sum(not one.taken for one in copies)
        assert len(copies) <= row.attempt <= 1 + ends + refused, (row, copies)
    return sum(sum(one.taken for one in copies) - 1 for copies in arrived.values())


def _answers_came_in_order(
    ledger: Ledger, traffic: Traffic, taken: Sequence[Received], by_text: Mapping[str, InputRow]
) -> None:
    """Stored in the order in which they were sent; answered in that order, one after another."""
    ids: Mapping[int | None, str] = {row.turn: row.id for row in ledger.deliveries}
    for chat in traffic.chats.values():
        rows = [by_text[post.text] for post in chat.posts]
        assert rows == sorted(rows, key=lambda row: row.seq), f"{chat.id} was stored out of order"
        got = [one for one in taken if one.chat_id == chat.id]
        expected = [ids[turn] for turn, _ in groupby(row.turn for row in rows)]
        assert [name for name, _ in groupby(one.delivery_id for one in got)] == expected
        answered = {one.delivery_id: one for one in got}
        for post, row in zip(chat.posts, rows, strict=True):
            one = answered[ids[row.turn]]
            assert one.reply_to == tuple(p.id for p, r in zip(chat.posts, rows, strict=True) if r.turn == row.turn)
            if row.state == "done":
                assert post.id in one.reply_to
                assert mark_of(one.text) in [mark_of(p.text) for p in chat.posts if p.id in one.reply_to], (post, one)
                assert f" from m-{one.agent}" in one.text


def _histories_are_whole(
    ledger: Ledger, traffic: Traffic, by_text: Mapping[str, InputRow], turns: Mapping[int, TurnRow]
) -> None:
    """A chat's session holds each message once, in order; each call with its result, answers after questions."""
    sessions = {session: list(rows) for session, rows in groupby(ledger.messages, key=lambda row: row.session)}
    for chat in traffic.chats.values():
        names = {turns[by_text[post.text].turn or 0].session for post in chat.posts}
        assert len(names) == 1, f"{chat.id} has the sessions {names}"
        rows = sessions[names.pop()]
        heard = [line for row in rows if row.role == "user" for line in row.text.splitlines()]
        assert heard == [post.text for post in chat.posts]
        calls = [call for row in rows for call in row.calls]
        assert calls == [row.answers for row in rows if row.role == "tool"]
        question = ""
        for row in rows:
            question = row.text if row.role == "user" else question
            if row.role == "assistant" and not row.calls:
                assert row.text.startswith(f"answer to {mark_of(question)} from"), (question, row)


def _no_call_was_repeated(
    ledger: Ledger,
    turns: Mapping[int, TurnRow],
    journal: Sequence[Entry],
    told: Mapping[str, str],
    ends: int,
) -> int:
    """Returns how many calls were interrupted. The gateway ended `ends` times, by accident or not."""
    effects = Counter(entry.call for entry in journal if entry.event == "effect")
    recorded: set[str] = set()
    for entry in journal:
        assert entry.event != "effect" or entry.call not in recorded, f"{entry} ran again after it had completed"
        if entry.event == "recorded":
            recorded.add(entry.call)
    calls = {step.call: step for step in ledger.steps if step.kind == "tool"}
    assert effects.keys() <= calls.keys(), "a tool ran without a record of its start"
    for call, step in calls.items():
        _judge_call(step, turns[step.turn], effects[call], told.get(call), ends)
    return sum(step.state == "interrupted" for step in calls.values())


def _judge_call(step: StepRow, turn: TurnRow, effects: int, told: str | None, ends: int) -> None:
    assert effects <= (1 + ends if step.idempotent else 1), f"{step} took effect {effects} times"
    if turn.state != "done":
        return
    assert step.state in ("done", "interrupted"), step
    assert told is not None, f"the model was never told about {step}"
    if step.state == "done":
        assert effects >= 1, step
        assert told.endswith("done"), (step, told)
    else:
        assert not step.idempotent, step
        assert _INTERRUPTED in told, (step, told)
