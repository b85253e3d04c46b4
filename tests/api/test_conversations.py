"""Conversations: made, filled, answered in, read item by item (SPEC 11.4, 11.7)."""

import asyncio
from typing import Any

import openai
import pytest
from openai.types.conversations import Conversation, ConversationItemList

from serai.core.message import Message, ToolCall, Usage
from serai.ports.model import ModelReply
from serai.testing.model import ScriptedModel
from tests.api.stage import OPS_KEY
from tests.api.test_responses import TOOL, WEATHER, ask, said, texts
from tests.api.test_runs import Held
from tests.api.whole import LAB_KEY, TWIN_KEY, Whole, whole
from tests.gateway.test_steps import FakeTool, call


async def make(one: Whole, key: str = OPS_KEY, **body: Any) -> str:
    answer = await one.call("POST", "/v1/conversations", body, key)
    assert answer.status == 200, answer.body
    Conversation.model_validate(answer.json, strict=True)
    name: str = answer.json["id"]
    return name


async def listed(one: Whole, name: str, query: str = "order=asc") -> list[Any]:
    answer = await one.call("GET", f"/v1/conversations/{name}/items?{query}", key=OPS_KEY)
    assert answer.status == 200, answer.body
    ConversationItemList.model_validate(answer.json)
    found: list[Any] = answer.json["data"]
    return found


def words(items: list[Any]) -> list[str]:
    return [
        item["content"][0]["text"] if item["type"] == "message" else item.get("arguments", item.get("output"))
        for item in items
    ]


async def test_the_official_client_is_served() -> None:
    async with whole(ScriptedModel(["Hello Ann.", "Ann."])) as one, one.client(OPS_KEY) as client:
        made = await client.conversations.create(
            items=[{"type": "message", "role": "user", "content": "I am Ann."}], metadata={"topic": "names"}
        )
        assert (await client.conversations.retrieve(made.id)).metadata == {"topic": "names"}
        changed = await client.conversations.update(made.id, metadata={"topic": "x"})
        assert changed.metadata == {"topic": "x"}
        await client.responses.create(model="ops", input="Hello.", conversation=made.id)
        last = await client.responses.create(input="Who am I?", conversation={"id": made.id})
        assert last.output_text == "Ann."
        assert last.conversation is not None
        assert last.conversation.id == made.id
        items = [item async for item in await client.conversations.items.list(made.id, limit=2, order="asc")]
        assert words([item.model_dump() for item in items]) == [
            "I am Ann.",
            "Hello.",
            "Hello Ann.",
            "Who am I?",
            "Ann.",
        ]
        again = await client.conversations.items.retrieve(items[0].id or "", conversation_id=made.id)
        assert again == items[0]
        assert items[-1].id == last.output[0].id
        await client.conversations.items.delete(items[0].id or "", conversation_id=made.id)
        await client.conversations.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            await client.conversations.retrieve(made.id)


async def test_the_model_is_told_what_was_put_in_and_what_was_said() -> None:
    model = ScriptedModel(["one", "two"])
    async with whole(model) as one:
        name = await make(one, items=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
        await ask(one, "c", conversation=name)
        more = {"items": [{"role": "developer", "content": "d"}]}
        answer = await one.call("POST", f"/v1/conversations/{name}/items", more, OPS_KEY)
        ConversationItemList.model_validate(answer.json)
        await ask(one, "e", conversation=name)
        expected = [
            ("user", "a"),
            ("assistant", "b"),
            ("user", "c"),
            ("assistant", "one"),
            ("system", "d"),
            ("user", "e"),
        ]
        assert said(model) == expected
        assert words(await listed(one, name)) == ["a", "b", "c", "one", "d", "e", "two"]
        assert words(await listed(one, name, "limit=2")) == ["two", "e"]


async def test_what_was_taken_out_is_not_told_any_more() -> None:
    model = ScriptedModel(lambda r: f"re {r.messages[-1].text}")
    async with whole(model) as one:
        name = await make(one, items=[{"role": "user", "content": "first"}])
        for text in ("a", "b", "c"):
            await ask(one, text, conversation=name)
        before = await listed(one, name)
        for text in ("first", "re a", "b"):
            (item,) = [i for i in before if words([i]) == [text]]
            gone = await one.call("DELETE", f"/v1/conversations/{name}/items/{item['id']}", key=OPS_KEY)
            assert (gone.status, gone.json["object"]) == (200, "conversation")
            again = await one.call("GET", f"/v1/conversations/{name}/items/{item['id']}", key=OPS_KEY)
            assert (again.status, again.error["code"]) == (404, "item_not_found")
        kept = await listed(one, name)
        assert kept == [i for i in before if words([i])[0] not in ("first", "re a", "b")]
        await ask(one, "d", conversation=name)
        assert said(model) == [
            ("user", "a"),
            ("assistant", "re b"),
            ("user", "c"),
            ("assistant", "re c"),
            ("user", "d"),
        ]
        assert (await listed(one, name))[: len(kept)] == kept


async def test_calls_and_outputs_are_items_and_go_together() -> None:
    first = ModelReply(Message("assistant", "Let me see.", tool_calls=(call(1),)), Usage(), "m", "tool_calls")
    second = ModelReply(Message("assistant", "Wait.", tool_calls=(call(2), WEATHER)), Usage(), "m", "tool_calls")
    model = ScriptedModel([first, second, "Sunny.", "Bye."])
    async with whole(model, tools={"act": FakeTool()}) as one:
        name = await make(one)
        got = await ask(one, "weather?", conversation=name, tools=[TOOL])
        wish = got["output"][-1]
        output = {"type": "function_call_output", "call_id": wish["call_id"], "output": "sunny"}
        last = await ask(one, [output], conversation=name)
        items = await listed(one, name)
        assert words(items) == ["weather?", "Let me see.", "Wait.", WEATHER.arguments, "sunny", "Sunny."]
        assert items[1:4] == got["output"]
        assert items[5:] == last["output"]
        assert items[4]["call_id"] == wish["call_id"]
        await one.call("DELETE", f"/v1/conversations/{name}/items/{items[4]['id']}", key=OPS_KEY)
        assert words(await listed(one, name)) == ["weather?", "Let me see.", "Wait.", "Sunny."]
        await ask(one, "bye", conversation=name)
    calls = [c.id for m in model.requests[-1].messages for c in m.tool_calls]
    assert calls == ["c1", "c2"]
    assert [m.tool_call_id for m in model.requests[-1].messages if m.role == "tool"] == ["c1", "c2"]


async def test_items_stay_as_they_are_while_a_response_is_under_way() -> None:
    model = Held("half", "")
    async with whole(model) as one:
        name = await make(one, items=[{"role": "user", "content": "a"}])
        running = asyncio.create_task(ask(one, "b", conversation=name))
        while not model.asked:
            await asyncio.sleep(0.01)
        (item,) = await listed(one, name)
        for method, path, body in (
            ("POST", "/items", {"items": [{"role": "user", "content": "x"}]}),
            ("DELETE", f"/items/{item['id']}", b""),
            ("DELETE", "", b""),
        ):
            refused = await one.call(method, f"/v1/conversations/{name}{path}", body, OPS_KEY)
            assert (refused.status, refused.error["code"]) == (409, "conversation_busy")
        model.go.set()
        await running
        assert words(await listed(one, name)) == ["a", "b", "half"]


async def test_responses_of_one_conversation_wait_for_each_other() -> None:
    model = ScriptedModel(lambda r: str(len(r.messages)), delay=0.02)
    async with whole(model) as one:
        name = await make(one)
        got = await asyncio.gather(*(ask(one, f"{n}", conversation=name) for n in range(3)))
    assert sorted(texts(response)[0] for response in got) == ["2", "4", "6"]


async def test_a_deleted_conversation_takes_everything_along() -> None:
    async with whole(ScriptedModel(["secret"])) as one:
        name = await make(one)
        got = await ask(one, "tell", conversation=name)
        gone = await one.call("DELETE", f"/v1/conversations/{name}", key=OPS_KEY)
        assert gone.json == {"id": name, "object": "conversation.deleted", "deleted": True}
        assert (await one.call("GET", f"/v1/responses/{got['id']}", key=OPS_KEY)).status == 404
        answer = await one.call("POST", "/v1/responses", {"input": "x", "conversation": name}, OPS_KEY)
        assert (answer.status, answer.error["code"]) == (404, "conversation_not_found")
        dump = "\n".join(str(row) for row in one.stage.store._read.iterdump())
        assert "secret" not in dump


@pytest.mark.parametrize("key", [TWIN_KEY, LAB_KEY])
async def test_a_conversation_of_another_key_does_not_exist(key: str) -> None:
    async with whole(ScriptedModel(["secret"])) as one:
        name = await make(one, items=[{"role": "user", "content": "mine"}])
        (item,) = await listed(one, name)
        await ask(one, "tell", conversation=name)
        path = f"/v1/conversations/{name}"
        calls: list[tuple[str, str, Any]] = [
            ("GET", "", b""),
            ("POST", "", {"metadata": {}}),
            ("DELETE", "", b""),
            ("GET", "/items", b""),
            ("POST", "/items", {"items": [{"role": "user", "content": "x"}]}),
            ("GET", f"/items/{item['id']}", b""),
            ("DELETE", f"/items/{item['id']}", b""),
        ]
        for method, rest, body in calls:
            answer = await one.call(method, path + rest, body, key)
            assert (answer.status, answer.error["code"]) == (404, "conversation_not_found")
        answer = await one.call("POST", "/v1/responses", {"input": "x", "conversation": name}, key)
        assert (answer.status, answer.error["code"]) == (404, "conversation_not_found")


async def test_the_first_response_fixes_the_agent() -> None:
    model = ScriptedModel(["one", "two"])
    async with whole(model) as one:
        name = await make(one, key="fake-key-all")
        await ask(one, "x", key="fake-key-all", conversation=name)
        body = {"input": "y", "conversation": name}
        other = await one.call("POST", "/v1/responses", {**body, "model": "lab"}, "fake-key-all")
        assert (other.status, other.error["code"]) == (404, "conversation_not_found")
        assert (await one.call("POST", "/v1/responses", body, "fake-key-all")).json["model"] == "ops"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/conversations", {"items": [{"role": "user"}]}, "items[0].content"),
        ("/v1/conversations", {"name": "x"}, "name"),
        ("/v1/conversations", {"metadata": {"k": 1}}, "metadata[...]"),
        (
            "/v1/conversations",
            {"items": [{"type": "function_call_output", "call_id": "c", "output": ""}] * 21},
            "items",
        ),
        ("/v1/responses", {"input": "x", "conversation": "c", "previous_response_id": "r"}, "conversation"),
        ("/v1/responses", {"input": "x", "conversation": "c", "store": False}, "store"),
        ("/v1/responses", {"input": "x", "conversation": ""}, "conversation"),
    ],
)
async def test_what_is_wrong_is_named(path: str, body: Any, param: str) -> None:
    async with whole(ScriptedModel([])) as one:
        answer = await one.call("POST", path, body, OPS_KEY)
    assert answer.status == 400
    assert answer.error["param"].removesuffix("[...]") == param.removesuffix("[...]")


CALLED = ToolCall("w1", "weather", "{}")


async def test_what_is_put_in_may_hold_calls_with_their_outputs() -> None:
    model = ScriptedModel(["ok"])
    items = [
        {"role": "user", "content": "weather?"},
        {"type": "function_call", "call_id": "w1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "w1", "output": "sunny"},
    ]
    async with whole(model) as one:
        name = await make(one, items=items)
        assert words(await listed(one, name)) == ["weather?", "{}", "sunny"]
        await ask(one, "and now?", conversation=name)
        open_call = await one.call("POST", f"/v1/conversations/{name}/items", {"items": items[:2]}, OPS_KEY)
        assert (open_call.status, open_call.error["param"]) == (400, "items")
    assert model.requests[0].messages[2].tool_calls == (CALLED,)
