"""`serai ask`: the answer as it is written, or a sentence (SPEC 12)."""

import pytest

from tests.cli.fake_gateway import PID, TOKEN, FakeGateway
from tests.cli.terminal import Terminal

PATH = "/v1/chat/completions"


def piece(text: str | None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def whole(text: str) -> dict[str, object]:
    return {"id": "c1", "object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": text}}]}


def test_the_answer_is_streamed_to_the_terminal(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece(None), piece("Good "), piece("morning"), {"choices": []})
    said = serai("ask", "hello")
    assert (said.code, said.out, said.err) == (0, "Good morning\n", "")
    asked = gateway.asked[0]
    assert asked.document == {
        "model": "default",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
    }
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert "x-hermes-session-id" not in asked.headers


def test_agent_and_conversation_are_passed_on(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("ok\n"))
    assert serai("ask", "hello", "--agent", "ops", "--session", "s1").out == "ok\n"
    assert gateway.asked[0].document["model"] == "ops"
    assert gateway.asked[0].headers["x-hermes-session-id"] == "s1"


def test_a_question_may_come_from_standard_input(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("ok"))
    serai("ask", "-", typed="a long\nquestion\n")
    assert gateway.asked[0].document["messages"][0]["content"] == "a long\nquestion\n"


def test_without_streaming_the_answer_comes_whole(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers(PATH, whole("hello"))
    assert serai("ask", "hi", "--no-stream").out == "hello\n"
    assert gateway.asked[0].document["stream"] is False


def test_json_is_the_completion_itself(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers(PATH, whole("hello"))
    assert serai("ask", "hi", "--json").document == whole("hello")


def test_an_answer_cannot_drive_the_terminal(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("a\x1b"), piece("[2Jb\tc"))
    assert serai("ask", "hi").out == "a[2Jb\tc\n"


@pytest.mark.parametrize("form", [[], ["--no-stream"], ["--json"]])
def test_a_refusal_is_one_sentence(form: list[str], serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers(PATH, {"error": {"message": "There is no agent `opps`.", "code": "model_not_found"}}, 404)
    said = serai("ask", "hi", "--agent", "opps", *form)
    assert (said.code, said.out, said.err) == (1, "", "Error: There is no agent `opps`.\n")


def test_an_error_in_the_middle_of_a_stream_keeps_what_came_before(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("Well"), {"error": {"message": "The model went away."}})
    said = serai("ask", "hi")
    assert (said.code, said.out, said.err) == (1, "Well\n", "Error: The model went away.\n")


def test_a_stream_that_is_cut_is_no_answer(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("Well"), end=False)
    said = serai("ask", "hi")
    assert (said.code, said.out) == (1, "Well\n")
    assert "cut off" in said.err


def test_garbage_is_no_answer(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers(PATH, "what?")
    assert serai("ask", "hi", "--no-stream").err.startswith("Error: The gateway answered with status 200 and nothing")


def test_a_gateway_that_does_not_answer_is_named(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.hang_up()
    said = serai("ask", "hi")
    assert said.code == 1
    assert said.err.startswith(f"Error: The gateway at {gateway.url} (pid {PID}) did not answer")


def test_a_gateway_that_is_starting_is_told_from_none(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.writes({"pid": PID})
    assert "just starting" in serai("ask", "hi").err


def test_a_lock_file_that_nobody_holds_is_no_gateway(serai: Terminal) -> None:
    serai.write('{"pid": 1, "url": "http://127.0.0.1:1", "token": "fake-token"}', "gateway.lock")
    assert "No gateway runs" in serai("ask", "hi").err


def test_an_answer_cannot_reverse_what_is_read(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("a\u202eb\u2066c"))
    assert serai("ask", "hi").out == "abc\n"


def test_input_that_is_no_text_is_asked_as_far_as_it_is(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.streams(PATH, piece("ok"))
    assert serai("ask", "-", typed=b"caf\xe9").out == "ok\n"
    assert gateway.asked[0].document["messages"][0]["content"] == "caf\ufffd"
