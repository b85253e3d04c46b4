"""A model that follows a script."""

import asyncio

import pytest

from serai.core.error import ModelError, ModelFailed, ModelGarbled, ModelLimited, ModelRejected, ModelUnreachable
from serai.core.ids import AgentId
from serai.core.message import Message, ToolCall, Usage
from serai.core.profile import Endpoint
from serai.ports.model import Model, ModelReply, ModelRequest
from serai.testing.clock import VirtualClock, virtual_time
from serai.testing.model import Fail, ScriptedModel, ScriptEnded

ENDPOINT = Endpoint("m-ops", "http://127.0.0.1:9/v1")
SEARCH = ToolCall("c1", "search", '{"q": "x"}')


def asking(text: str) -> ModelRequest:
    return ModelRequest(AgentId("ops"), ENDPOINT, (Message("user", text),))


@virtual_time
async def test_it_answers_in_the_order_of_the_script_and_remembers_what_it_was_asked() -> None:
    model: Model = ScriptedModel(["hello", SEARCH, [SEARCH, ToolCall("c2", "read", "{}")]])
    first = await model.complete(asking("hi there"))
    assert first == ModelReply(Message("assistant", "hello"), Usage(2, 1), "m-ops", "stop")
    second = await model.complete(asking("go on"))
    assert second.message.tool_calls == (SEARCH,)
    assert second.finish_reason == "tool_calls"
    third = await model.complete(asking("and on"))
    assert [call.id for call in third.message.tool_calls] == ["c1", "c2"]


@virtual_time
async def test_the_requests_can_be_looked_at() -> None:
    model = ScriptedModel(["a", "b"])
    await model.complete(asking("one"))
    assert model.left == 1
    await model.complete(asking("two"))
    assert [request.messages[-1].text for request in model.requests] == ["one", "two"]
    assert model.left == 0


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (Fail(429, retry_after=3), ModelLimited),
        (Fail(500), ModelFailed),
        (Fail(503), ModelFailed),
        (Fail(401), ModelRejected),
        (Fail("unreachable"), ModelUnreachable),
        (Fail("garbled"), ModelGarbled),
    ],
)
@virtual_time
async def test_a_failure_is_the_error_that_a_real_client_would_raise(fail: Fail, error: type[ModelError]) -> None:
    with pytest.raises(error) as raised:
        await ScriptedModel([fail]).complete(asking("hi"))
    assert raised.value.retry_after == fail.retry_after


@virtual_time
async def test_text_is_streamed_in_words_that_join_to_the_whole() -> None:
    pieces: list[str] = []
    reply = await ScriptedModel([" two  words\nand more "]).complete(asking("hi"), pieces.append)
    assert len(pieces) == 4
    assert "".join(pieces) == reply.message.text


@virtual_time
async def test_a_stream_can_break_off() -> None:
    pieces: list[str] = []
    with pytest.raises(ModelGarbled):
        await ScriptedModel([Fail("garbled", after="half an")]).complete(asking("hi"), pieces.append)
    assert "".join(pieces) == "half an"


@virtual_time
async def test_an_entry_may_be_a_function_of_the_request() -> None:
    async def later(request: ModelRequest) -> str:
        await asyncio.sleep(1)
        return "slow " + request.messages[-1].text

    model = ScriptedModel([lambda request: request.messages[-1].text.upper(), later, lambda request: Fail(500)])
    assert (await model.complete(asking("hi"))).message.text == "HI"
    assert (await model.complete(asking("hi"))).message.text == "slow hi"
    with pytest.raises(ModelFailed):
        await model.complete(asking("hi"))


@virtual_time
async def test_a_function_alone_answers_for_ever() -> None:
    model = ScriptedModel(lambda request: request.agent)
    assert {(await model.complete(asking("hi"))).message.text for _ in range(50)} == {"ops"}


@virtual_time
async def test_an_answer_can_take_its_time_while_others_are_answered() -> None:
    model = ScriptedModel(lambda request: "ok", delay=0.2)
    begun = VirtualClock().now()
    await asyncio.gather(*(model.complete(asking("hi")) for _ in range(100)))
    assert VirtualClock().now() - begun == pytest.approx(0.2)


@virtual_time
async def test_a_script_that_ran_out_says_who_asked_what() -> None:
    model = ScriptedModel(["hello"])
    await model.complete(asking("one"))
    with pytest.raises(ScriptEnded, match=r"1 entries.*`ops`.*2\. time.*'two'"):
        await model.complete(asking("two"))
