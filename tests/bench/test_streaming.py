"""How far a client's first token is behind the model's: stub model and load generator against each other."""

import asyncio

import msgspec
import pytest
from bench import pace
from bench.exchange import Exchange, Reply
from bench.load import Question, Run, Unfit
from bench.plan import Ask, Load, Plan
from bench.stub_model import Connection, Control, Model
from bench.wire import QUESTION, chunk, ending

LATENCY_MS, TOKEN_MS = 30, 1


async def load(*, paced: bool) -> tuple[Load, Model]:
    """Four clients, eight requests, straight to the stub model."""
    model = Model()
    model.control(msgspec.json.encode(Control(LATENCY_MS, TOKEN_MS if paced else 0)))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(model), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = await Run(Plan(port, 4, 8, [Ask("bench", stream=True)], paced=paced)).run()
        await asyncio.sleep(0)
    return found, model


async def test_a_paced_model_writes_token_by_token_to_everybody() -> None:
    found, model = await load(paced=True)
    assert (found.answered, found.errors) == (8, {})
    assert found.percentiles_ms[0] >= LATENCY_MS + TOKEN_MS * (pace.TOKENS - 2)
    assert (model.stats.requests, model.stats.in_flight, model.stats.peak) == (8, 0, 4)


async def test_the_first_token_is_seen_after_it_was_written_and_before_the_last() -> None:
    found, _ = await load(paced=True)
    assert len(found.first_token_ms) == 101
    assert 0 < found.first_token_ms[0] <= found.first_token_ms[100]
    assert found.first_token_ms[100] < found.percentiles_ms[100] - LATENCY_MS


async def test_answers_that_are_all_alike_have_no_first_token_to_time() -> None:
    found, _ = await load(paced=False)
    assert (found.answered, found.first_token_ms) == (8, [])


def reply(text: str) -> Reply:
    """A streamed answer."""
    return Reply(200, b"".join([chunk({"content": text}), *ending()]), True, True)


def answer(number: int) -> str:
    return pace.first_token(pace.mark(number)) + "".join(pace.REST)


def test_the_lag_is_what_lies_between_writing_and_seeing() -> None:
    text = f"{pace.mark(7)}1000 {''.join(pace.REST)}"
    assert Question(b"", 7).lag_ns(reply(text), 1250) == 250


@pytest.mark.parametrize(
    ("text", "seen_ns", "reason"),
    [
        (answer(8), 1, "wrong text"),
        (answer(7)[:-1], 1, "wrong text"),
        (answer(7).replace("@", "@x"), 1, "wrong text"),
        (answer(7), 0, "first token in pieces"),
    ],
)
def test_the_answer_to_another_question_does_not_count_nor_one_that_is_cut(
    text: str, seen_ns: int, reason: str
) -> None:
    with pytest.raises(Unfit, match=reason):
        Question(b"", 7).lag_ns(reply(text), seen_ns)


def test_the_stub_finds_the_mark_of_the_last_question() -> None:
    said = [{"role": "user", "content": pace.question(number)} for number in (3, 12)]
    body = msgspec.json.encode({"messages": said, "user": "someone"})
    assert pace.mark_in(body) == pace.mark(12)
    with pytest.raises(ValueError, match="not found"):
        pace.mark_in(QUESTION.encode())


def test_the_moment_is_noted_when_the_awaited_bytes_are_there_whole_and_only_once() -> None:
    exchange = Exchange()
    exchange.awaited = b"#00000007@"
    exchange.data_received(b"HTTP/1.1 200 OK\r\n\r\n#0000")
    assert exchange.seen_ns == 0
    exchange.data_received(b"0007@5 ")
    seen_ns = exchange.seen_ns
    exchange.data_received(b" #00000007@")
    assert exchange.seen_ns == seen_ns > 0
