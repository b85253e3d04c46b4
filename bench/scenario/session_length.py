"""Sessions of 10 messages against sessions of 1,000: processor time per turn.

A turn adds two messages. The short sessions are grown to 6 and measured over the next 4 turns (9 on average),
the long ones to 860, and their measured turns go on from there, 1,000 on average; both have the same clients.
"""

from __future__ import annotations

from bench import wire
from bench.figure import Outcome
from bench.home import Home
from bench.scenario.growth import compare
from bench.setting import Sample, Setting
from bench.subject import Subject

NAME = "session_length"
CLIENTS = 16
SHORT_GROWN, SHORT_TURNS = 3, 4
LONG_TURNS = 40


def run(setting: Setting) -> Outcome:
    """The stub counts the bytes it was sent, which proves that the long history went out each time."""
    grown = setting.size(430, 40)
    batches = LONG_TURNS // SHORT_TURNS
    with setting.fresh(Home()) as subject:
        _turns(setting, subject, "long", CLIENTS, grown)
        rounds = iter(range(100))

        def short() -> Sample:
            name = f"short-{next(rounds)}"
            _turns(setting, subject, name, CLIENTS * batches, SHORT_GROWN)
            return _turns(setting, subject, name, CLIENTS * batches, SHORT_TURNS)

        def long() -> Sample:
            return _turns(setting, subject, "long", CLIENTS, LONG_TURNS)

        sent = [sample.upstream.body_bytes / sample.upstream.requests for sample in (short(), long())]
        told = grown * len(wire.QUESTION + wire.ANSWER)
        wrong = f"bytes sent upstream per turn: {sent}" if sent[1] - sent[0] < 0.8 * told else None
        what = f"messages of a session, 10 to {setting.size(1000, 100):,}"
        return compare(NAME, what, setting.size(3, 1), short, long, wrong)


def _turns(setting: Setting, subject: Subject, name: str, sessions: int, turns: int) -> Sample:
    """`turns` turns in each session, one after another within a session, sessions over the clients."""
    asks = [subject.ask(session_id=f"{name}-{number}") for number in range(sessions)]
    return setting.load(subject, CLIENTS, sessions * turns, asks, repeat=turns)
