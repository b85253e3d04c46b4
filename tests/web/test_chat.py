"""A conversation over HTTP: what the page sends, and what it is told (SPEC 5.1, 6.7, 13)."""

import asyncio

from serai.core.error import ModelFailed
from serai.core.live import LivePolicy
from serai.core.message import ToolCall
from serai.core.route import RouteTable
from serai.ports.mailbox import PostRow
from serai.testing.model import ScriptedModel
from tests.gateway.stage import routes
from tests.gateway.test_steps import AskingTool, FakeTool
from tests.patience import PATIENCE_S
from tests.stores.test_sqlite import memory_store
from tests.web.stage import CHAT, PIXEL, Page, Teller, browser, serving


async def test_a_message_is_answered_in_its_chat() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        sent = await page.send("What is 2+2?")
        assert (sent.status, sent.json["state"], sent.json["text"]) == (202, "running", "What is 2+2?")
        model.answer("It is 4.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
        assert seen.said == ["It is 4."]
        (answer,) = [one for one in seen.messages.values() if one["agent"]]
        assert (answer["agent"], answer["answers"]) == ("main", ["message-1"])
        assert seen.messages["message-1"]["state"] == "done"


async def test_the_answer_is_told_while_it_is_written() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Tell me.")
        async with page.events() as watching:
            model.say("One ", "two ")
            await watching.until(lambda page: page.drafts.get("message-1") == "One two ")
            model.answer("three.")
            seen = await watching.until(lambda page: page.said)
        assert seen.said == ["One two three."]


async def test_whoever_comes_back_in_the_middle_of_an_answer_misses_no_word_and_gets_none_twice() -> None:
    model = Teller()
    page_state = Page()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Count.")
        async with page.events(page_state) as watching:
            model.say("🙂 one ", "two ")
            await watching.until(lambda page: page.drafts.get("message-1") == "🙂 one two ")
        model.say("three ")
        await asyncio.sleep(0.05)
        async with page.events(page_state) as watching:
            await watching.until(lambda page: page.drafts.get("message-1") == "🙂 one two three ")
            model.say("four")
            await watching.until(lambda page: page.drafts.get("message-1") == "🙂 one two three four")
            model.end()
            await watching.until(lambda page: page.said)
        assert page_state.said == ["🙂 one two three four"]


async def test_whoever_comes_back_after_the_answer_gets_it_once() -> None:
    model = Teller()
    page_state = Page()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Hello.")
        async with page.events(page_state) as watching:
            await watching.until(lambda page: "message-1" in page.messages)
        model.answer("Hello!")
        async with page.events() as other:
            await other.until(lambda page: page.said)
        async with page.events(page_state) as watching:
            await watching.until(lambda page: page.said)
            await asyncio.sleep(0.05)
        assert page_state.said == ["Hello!"]
        assert not page_state.drafts


async def test_a_restart_in_the_middle_of_an_answer_loses_nothing_and_doubles_nothing() -> None:
    model, store, page_state = Teller(), memory_store(), Page()
    async with serving(model, store=store) as stage, browser(stage) as page:
        await page.send("Count.")
        async with page.events(page_state) as watching:
            model.say("one ", "two ")
            await watching.until(lambda page: page.drafts.get("message-1") == "one two ")
            await stage.site.hub.close()
            await watching.ended()
    again = Teller()
    async with serving(again, store=store) as stage, browser(stage) as page:
        again.say("one two three")
        async with page.events(page_state) as watching:
            await watching.until(lambda page: page.drafts.get("message-1") == "one two three")
            again.end()
            await watching.until(lambda page: page.said)
        assert page_state.said == ["one two three"]
        assert page_state.messages["message-1"]["state"] == "done"


async def test_a_message_that_is_sent_twice_is_taken_once() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        first, second = await asyncio.gather(page.send("Hello."), page.send("Hello."))
        assert (first.status, second.status) == (202, 202)
        model.answer("Hello!")
        async with page.events() as watching:
            await watching.until(lambda page: page.said)
        third = await page.send("Hello.")
        assert (third.status, third.json["state"]) == (202, "done")
        assert len(model.requests) == 1


async def test_a_message_that_was_kept_and_not_accepted_is_accepted_when_it_is_sent_again() -> None:
    model, store = Teller(), memory_store()
    async with serving(model, store=store) as stage, browser(stage) as page:
        receive = stage.site.platform.receive
        stage.site.platform.receive = None  # type: ignore[method-assign,assignment]
        assert (await page.send("Hello.")).status == 500
        stage.site.platform.receive = receive  # type: ignore[method-assign]
        kept = (await page.get(f"/web/chats/{CHAT}")).json["data"]
        assert [one["state"] for one in kept] == ["sending"]
        assert (await page.send("Hello.")).json["state"] == "running"
        model.answer("Hello!")
        async with page.events() as watching:
            await watching.until(lambda page: page.said)


async def test_a_failed_answer_says_so_and_the_message_is_marked() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Hello?")
        model.say("I thi")
        model.fail(ModelFailed("the endpoint said 500"))
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
        assert seen.messages["message-1"]["state"] == "failed"
        assert "the endpoint said 500" in seen.messages["message-1"]["error"]
        assert seen.said == ["Sorry, I could not answer: the endpoint said 500."]


async def test_stop_ends_the_answer() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Tell me everything.")
        async with page.events() as watching:
            model.say("Well, ")
            await watching.until(lambda page: page.drafts.get("message-1"))
            assert (await page.call("POST", f"/web/chats/{CHAT}/stop")).status == 202
            seen = await watching.until(lambda page: page.messages["message-1"]["state"] == "cancelled")
            await watching.until(lambda page: not page.drafts)
        assert seen.messages["message-1"]["error"] == "you stopped it"
        assert seen.said == ["Well,"]


async def test_stop_also_ends_what_waits() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("One.", "message-1")
        await page.send("Two.", "message-2")
        async with page.events() as watching:
            await page.call("POST", f"/web/chats/{CHAT}/stop")
            await watching.until(
                lambda page: [page.messages[f"message-{n}"]["state"] for n in (1, 2)] == ["cancelled", "cancelled"]
            )


async def test_silence_leaves_no_draft_behind() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("No answer, please.")
        model.answer("[SILENT]")
        async with page.events() as watching:
            await watching.until(lambda page: page.messages.get("message-1", {}).get("state") == "done")
            seen = await watching.until(lambda page: not page.drafts)
        assert seen.said == []


async def test_tools_are_shown_while_they_run() -> None:
    model = ScriptedModel([ToolCall("c1", "look", "{}"), "Done."])
    tools = {"look": FakeTool("look", go=(go := asyncio.Event()))}
    async with serving(model, tools=tools) as stage, browser(stage) as page:
        await page.send("Look.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.tools)
            assert seen.tools == [{"name": "look", "state": "running"}]
            go.set()
            await watching.until(lambda page: page.said)
        assert seen.said == ["Done."]


async def test_the_picked_agent_answers() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Hello.", agent="ops")
        model.answer("Ops here.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
        assert [one["agent"] for one in seen.messages.values() if one["agent"]] == ["ops"]


async def test_without_a_pick_the_routes_decide() -> None:
    model = Teller()
    table: RouteTable = routes(({"platform": "web"}, "ops"))
    async with serving(model, routes=table) as stage, browser(stage) as page:
        await page.send("Hello.")
        model.answer("Ops here.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
        assert [one["agent"] for one in seen.messages.values() if one["agent"]] == ["ops"]


async def test_an_unknown_agent_is_refused_and_nothing_is_kept() -> None:
    async with serving() as stage, browser(stage) as page:
        answer = await page.send("Hello.", agent="nobody")
        assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")
        assert (await page.get("/web/chats")).json["data"] == []


async def test_a_picture_reaches_the_model_and_can_be_seen_again() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        sent = await page.send("What is this?", images=[{"name": "<b>dot</b>.png", "data": PIXEL}])
        assert sent.status == 202
        (image,) = sent.json["images"]
        assert image["name"] == "<b>dot</b>.png"
        model.answer("A dot.")
        async with page.events() as watching:
            await watching.until(lambda page: page.said)
        assert model.requests[0].messages[-1].images[0].url == PIXEL
        shown = await page.get(image["url"])
        assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.body.startswith(b"\x89PNG")
        assert (await page.get(image["url"][:-1] + "7")).status == 404


async def test_what_is_no_picture_is_refused() -> None:
    async with serving() as stage, browser(stage) as page:
        for data in ("https://example.org/a.png", "data:image/svg+xml;base64,PHN2Zz4=", "data:image/png;base64,?"):
            answer = await page.send("Look.", images=[{"data": data}])
            assert (answer.status, answer.json["error"]["param"]) == (400, "images[0].data")


async def test_bad_messages_are_told_what_is_wrong() -> None:
    async with serving() as stage, browser(stage) as page:
        assert (await page.send("   ")).json["error"]["param"] == "text"
        assert (await page.send("Hello.", message="a b")).json["error"]["param"] == "id"
        assert (await page.send("Hello.", chat="no.pe")).json["error"]["param"] == "id"
        assert (await page.send("Hello.", surprise=1)).json["error"]["code"] == "unknown_parameter"
        assert (await page.get(f"/web/chats/{CHAT}/events")).status == 404
        await page.send("Hello.")
        assert (await page.get(f"/web/chats/{CHAT}/events?after=x")).status == 400


async def test_chats_are_listed_newest_first_and_found_by_title_and_text() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("Baking bread\nwith rye", chat="chat-aaaa")
        await asyncio.sleep(0.01)
        await page.send("STRASSENBAHN", chat="chat-bbbb")
        rows = (await page.get("/web/chats")).json["data"]
        assert [row["title"] for row in rows] == ["STRASSENBAHN", "Baking bread"]
        for query, found in (("rye", ["Baking bread"]), ("straßen", ["STRASSENBAHN"]), ("%", []), ("", 2 * [None])):
            rows = (await page.get(f"/web/chats?q={query.replace('%', '%25')}")).json["data"]
            assert len(rows) == len(found), query
            assert not query or [row["title"] for row in rows] == found


async def test_a_long_list_comes_in_pages() -> None:
    async with serving() as stage, browser(stage) as page:
        for n in range(52):
            post = PostRow(f"chat-{n:04}", "message-1", "", f"Chat {n}", "done", 1000.0 + n)
            await stage.gateway.store.mailbox.add(post, "local")
        first = (await page.get("/web/chats")).json
        assert (len(first["data"]), first["has_more"]) == (50, True)
        second = (await page.get(f"/web/chats?before={first['next']}")).json
        assert ([row["title"] for row in second["data"]], second["next"]) == (["Chat 1", "Chat 0"], None)
        assert (await page.get("/web/chats?before=x")).status == 400


async def test_a_stop_of_the_gateway_is_not_held_up_by_those_who_listen() -> None:
    async with serving() as stage, browser(stage) as page:
        await page.send("Hello.")
        async with page.events() as watching:
            await watching.until(lambda page: page.messages)
            await stage.site.hub.close()
            await asyncio.wait_for(stage.server.stop(grace=2 * PATIENCE_S), PATIENCE_S)
            await watching.ended()


async def test_commands_work_as_in_every_chat() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as page:
        await page.send("/agent ops")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
            assert seen.said == ["ops answers here from now on. /agent default takes that back."]
            await watching.until(lambda page: page.messages["message-1"]["state"] == "done" and not page.drafts)
            await page.send("Who are you?", "message-2")
            model.answer("Ops.")
            await watching.until(lambda page: len(page.said) == 2)
        assert [one["agent"] for one in seen.messages.values() if one["text"] == "Ops."] == ["ops"]


async def test_a_message_that_joins_a_running_turn_is_answered_with_it() -> None:
    model = ScriptedModel([ToolCall("c1", "look", "{}"), "Both answered."])
    tools = {"look": FakeTool("look", go=(go := asyncio.Event()))}
    live = LivePolicy(busy_mode="steer")
    async with serving(model, tools=tools, live=live) as stage, browser(stage) as page:
        await page.send("One.", "message-1")
        async with page.events() as watching:
            await watching.until(lambda page: page.tools)
            await page.send("And two.", "message-2")
            go.set()
            seen = await watching.until(lambda page: page.said)
            await watching.until(lambda page: not page.drafts)
        (answer,) = [one for one in seen.messages.values() if one["agent"]]
        assert answer["answers"] == ["message-1", "message-2"]
        assert {seen.messages[f"message-{n}"]["state"] for n in (1, 2)} == {"done"}


async def test_a_question_has_buttons_and_its_turn_goes_on_when_it_is_answered() -> None:
    tool = AskingTool()
    model = ScriptedModel([ToolCall("c1", "act", '{"x": 1}'), "It is done."])
    async with serving(model, tools={"act": tool}) as stage, browser(stage) as page:
        await page.send("Do it.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
            (question,) = [one for one in seen.messages.values() if one["agent"]]
            assert (question["answers"], seen.messages["message-1"]["state"]) == ([], "running")
            assert [button["label"] for button in question["buttons"]][-1] == "Deny"
            assert tool.calls == []
            await page.send(question["buttons"][0]["sends"], "message-2")
            seen = await watching.until(lambda page: len(page.said) == 3)
    assert seen.said == ["May I act on 1?\n\nWithout an answer it is denied in 10 minutes.", *seen.said[1:]]
    assert set(seen.said[1:]) == {"Allowed once: act on 1.", "It is done."}
    assert len(tool.calls) == 1
