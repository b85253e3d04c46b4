"""What runs and sessions tell as they go has the shapes that the description promises (SPEC 11.5, 16.7)."""

from typing import get_args

import msgspec
import pytest

from serai.api.run.event import RunEvents
from serai.api.run.told import RunTold, SessionTold
from serai.core.event import (
    ApprovalAnswered,
    ApprovalRequested,
    RunEvent,
    TextDelta,
    ToolEnded,
    ToolStarted,
    TurnEnded,
    TurnFault,
)
from serai.core.ids import InputId
from serai.core.message import Answer
from tests.api.stage import FakeRuns, serving

EVENTS: tuple[RunEvent, ...] = (
    TextDelta("It is", 1),
    ToolStarted("c1", "act", 2),
    ToolEnded("c1", "act", True, 2),
    ApprovalRequested("a1", "c1", "act", "{}", "act", 5.0, 3),
    ApprovalAnswered("a1", "once", "ada", 3),
)
ENDS = (
    TurnEnded("done", Answer("It is 4.")),
    TurnEnded("failed", fault=TurnFault("it is off", 503, "no_model")),
    TurnEnded("cancelled"),
)


def told(data: bytes) -> list[tuple[str, bytes]]:
    """Name and data of each event."""
    blocks = [dict(line.split(b": ", 1) for line in one.split(b"\n")) for one in data.split(b"\n\n") if one]
    return [(block[b"event"].decode(), block[b"data"]) for block in blocks]


def test_there_is_an_event_of_each_kind() -> None:
    assert {type(event) for event in (*EVENTS, *ENDS)} == set(get_args(RunEvent))


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.state)
def test_a_run_tells_what_is_described(end: TurnEnded) -> None:
    events = RunEvents(InputId("run_1"))
    for name, data in told(b"".join(map(events.take, (*EVENTS, end)))):
        value = msgspec.json.decode(data, type=RunTold)
        assert type(value).__struct_config__.tag == name
        assert set(msgspec.json.decode(data)) == {"type", *value.__struct_fields__}


async def test_a_session_tells_every_kind_of_event_as_described() -> None:
    async with serving(FakeRuns(*EVENTS, ENDS[0])) as stage:
        stage.archive.rows["trip"] = "all"
        answer = await stage.call("POST", "/api/sessions/trip/chat", {"message": "2+2?", "stream": True})
    assert answer.status == 200, answer.body
    names = []
    for name, data in told(answer.body):
        assert type(msgspec.json.decode(data, type=SessionTold)).__struct_config__.tag == name
        names.append(name)
    assert names == [
        "message.delta",
        "tool.started",
        "tool.completed",
        "approval.request",
        "approval.responded",
        "message.delta",
        "run.completed",
    ]
