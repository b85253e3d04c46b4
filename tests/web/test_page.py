"""The page in a real browser: how it looks, who can use it, what happens when things break (SPEC 14)."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from serai.core.error import ModelRejected
from serai.core.message import ToolCall
from serai.testing.model import ScriptedModel
from tests.gateway.test_steps import AskingTool
from tests.stores.test_sqlite import memory_store
from tests.web.chromium import Tab, needs_chromium, tab
from tests.web.relay import relayed
from tests.web.stage import ALL_KEY, PIXEL, Teller, browser, serving

pytestmark = [pytest.mark.slow, needs_chromium]

AXE: Final = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
READY: Final = "document.body.dataset.state === 'ready'"
ANSWERS: Final = "[...document.querySelectorAll('.agent:not(.draft) .body')].map(one => one.innerText)"
CHATS: Final = "document.querySelectorAll('#chats a').length"
DRAFT: Final = "document.querySelector('.draft .body')?.innerText"
RICH: Final = """A plan for **Saturday**, with `serai`:

## Morning

1. Mix 500 g flour and 350 g water
2. Let it rest
   - warm: 4 hours
   - cold: over night

> Good bread is mostly patience.

```python
def rise(hours: float) -> str:
    return "ready" if hours > 4 else "wait for it, for bread has a will of its own and takes its time"
```

| step | time |
|------|------|
| mix  | 10 min |

More at https://example.org/bread."""
EVIL: Final = (
    '<img src=x onerror="pwned=1"><script>pwned=1</script> [click](javascript:pwned=1) '
    "[data](data:text/html,<script>pwned=1</script>) ![x](https://evil.example/x.png) `<b onmouseover=pwned=1>`\n\n"
    "```html\n<script>pwned=1</script>\n```\n\n"
    "| <img src=x onerror=pwned=1> | b |\n|---|---|\n| <svg onload=pwned=1> | d |"
)
NAMED: Final = "<img src=x onerror=pwned=1>.png"


async def say(page: Tab, text: str) -> None:
    """Types a message into the focused field and sends it."""
    await page.until("document.activeElement.id === 'say'")
    await page.type(text)
    await page.press("Enter")


async def shown(page: Tab, answers: int) -> list[str]:
    """The agents' answers, once there are so many."""
    await page.until(f"{ANSWERS}.length === {answers}")
    found: list[str] = await page.js(ANSWERS)
    return found


async def barriers(page: Tab) -> list[Any]:
    """What axe-core finds wrong, in one line each."""
    await page.js(f"{AXE}; 0")
    found = await page.js("axe.run(document, {resultTypes: ['violations']}).then(done => done.violations)")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def files(name: str) -> str:
    """One picture of that name, as it comes from a clipboard or a drop."""
    bits = f'Uint8Array.from(atob("{PIXEL.partition(",")[2]}"), sign => sign.charCodeAt(0))'
    file = f'new File([{bits}], {json.dumps(name)}, {{type: "image/png"}})'
    return f"(some => {{ some.items.add({file}); return some; }})(new DataTransfer())"


async def conversation(page: Tab, model: Teller, url: str) -> None:
    """A chat with everything in it: rich text, a picture, a failure, an answer under way."""
    await page.open(url)
    await page.until(READY)
    await page.js(f"""(files => document.getElementById("say").dispatchEvent(
        new ClipboardEvent("paste", {{clipboardData: files}})))({files("dot.png")})""")
    await page.until("document.querySelectorAll('#pictures img').length === 1")
    await say(page, "How do I bake bread on Saturday?")
    model.answer(RICH)
    await shown(page, 1)
    await say(page, "And on Sunday?")
    model.fail(ModelRejected("the endpoint said 400"))
    await shown(page, 2)
    await say(page, "And on Monday?")
    model.say("Then take ")
    await page.until(DRAFT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
async def test_it_fits_and_has_no_barrier_in_any_state(tmp_path: Path, width: int, height: int, scheme: str) -> None:
    model = Teller()
    async with serving(model) as stage, tab(width, height, scheme) as page:
        await page.open(stage.url)
        await page.until(READY)
        states = {"empty": await barriers(page)}
        await page.screenshot(tmp_path / f"empty-{width}-{scheme}.png")
        await conversation(page, model, stage.url)
        states["chat"] = await barriers(page)
        await page.screenshot(tmp_path / f"chat-{width}-{scheme}.png")
        assert await page.js("document.documentElement.scrollWidth") == width
        assert (
            await page.js("document.getElementById('log').scrollWidth - document.getElementById('log').clientWidth")
            == 0
        )
        if width < 500:
            await page.js("document.getElementById('open-side').click()")
            await page.until("document.querySelector('.side.open')?.getAnimations().length === 0")
            states["drawer"] = await barriers(page)
            await page.screenshot(tmp_path / f"drawer-{width}-{scheme}.png")
        paper = await page.js("getComputedStyle(document.body).backgroundColor")
        assert not any(states.values()), states
        assert paper == ("rgb(251, 250, 247)" if scheme == "light" else "rgb(24, 23, 22)")
        assert len(list(tmp_path.glob("*.png"))) == len(states)
        assert page.errors == []
        assert [one for one in page.requests if not one.startswith((stage.url, "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_door_and_the_empty_house_have_no_barrier(scheme: str) -> None:
    async with serving(keys=True) as stage, tab(390, 844, scheme) as page:
        await page.open(stage.url)
        await page.until("document.activeElement.id === 'key'")
        assert await barriers(page) == []


async def test_the_first_paint_takes_less_than_300_ms() -> None:
    """By the best of several tries, and without what the browser takes for an empty page: that is the machine."""
    async with serving() as stage, tab() as page:
        empty, whole = list[float](), list[float]()
        while min(whole, default=300) - min(empty, default=0) >= 300:
            assert len(whole) < 20, f"it took {whole} ms, and {empty} ms an empty page"
            empty.append(await first_paint(page, "data:text/html,<p>hello"))
            whole.append(await first_paint(page, stage.url))


async def first_paint(page: Tab, url: str) -> float:
    """Milliseconds until something of the page is seen."""
    await page.open(url)
    painted = "performance.getEntriesByName('first-contentful-paint')"
    await page.until(f"{painted}.length")
    took: float = await page.js(f"{painted}[0].startTime")
    await page.open("about:blank")
    return took


async def test_a_connection_that_is_cut_in_the_middle_of_an_answer_loses_and_doubles_no_word() -> None:
    model = Teller()
    async with serving(model) as stage, relayed(stage.port) as line, tab() as page:
        await page.open(line.url)
        await page.until(READY)
        await say(page, "Count.")
        model.say("🙂 one ")
        await page.until(f"{DRAFT} === '🙂 one'")
        line.target = None
        line.cut()
        model.say("two ")
        await page.until("!document.getElementById('banner').hidden")
        assert "Reconnecting" in await page.js("document.getElementById('banner').innerText")
        line.target = stage.port
        await page.until(f"{DRAFT} === '🙂 one two'")
        await page.until("document.getElementById('banner').hidden")
        model.answer("three")
        assert await shown(page, 1) == ["🙂 one two three"]
        assert not await page.js("document.querySelector('.draft')")


async def test_a_restart_of_the_gateway_in_the_middle_of_an_answer_loses_and_doubles_no_word() -> None:
    store = memory_store()
    model, again = Teller(), Teller()
    async with tab() as page, relayed(0) as line:
        async with serving(model, store=store) as stage:
            line.target = stage.port
            await page.open(line.url)
            await page.until(READY)
            await say(page, "Count.")
            model.say("one two ")
            await page.until(f"{DRAFT} === 'one two'")
            line.target = None
        line.cut()
        async with serving(again, store=store) as stage:
            line.target = stage.port
            again.say("one two three ")
            await page.until(f"{DRAFT} === 'one two three'")
            again.answer("four")
            assert await shown(page, 1) == ["one two three four"]


async def test_a_message_that_meets_no_gateway_arrives_once_when_there_is_one() -> None:
    model = Teller()
    async with serving(model) as stage, relayed(stage.port) as line, tab() as page:
        await page.open(line.url)
        await page.until(READY)
        line.target = None
        line.cut()
        await say(page, "Are you there?")
        await page.until("document.querySelector('.person .state')?.innerText === 'Sending…'")
        await asyncio.sleep(0.5)
        line.target = stage.port
        model.answer("Yes.")
        assert await shown(page, 1) == ["Yes."]
        assert len(model.requests) == 1


async def test_a_failed_answer_can_be_tried_again() -> None:
    model = Teller()
    async with serving(model) as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await say(page, "Hello?")
        model.fail(ModelRejected("the endpoint said 400"))
        assert "the endpoint said 400" in (await shown(page, 1))[0]
        await page.js("document.querySelector('.failed .actions button').click()")
        model.answer("Hello!")
        assert (await shown(page, 2))[1] == "Hello!"
        assert await page.js("document.activeElement.id") == "say"


async def test_a_question_is_answered_by_a_click() -> None:
    tool = AskingTool()
    model = ScriptedModel([ToolCall("c1", "act", '{"x": 1}'), "It is done."])
    async with serving(model, tools={"act": tool}) as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await say(page, "Do it.")
        assert "May I act on 1?" in (await shown(page, 1))[0]
        labels = "[...document.querySelectorAll('.choices button')].map((one) => one.textContent).join()"
        assert await page.js(labels) == "Allow once,Allow in this conversation,Always allow,Deny"
        await page.js("document.querySelector('.choices button').click()")
        texts = await shown(page, 3)
        assert sorted(texts[1:]) == ["Allowed once: act on 1.", "It is done."]
        assert await page.js(labels) == "", "an answered question has no buttons"
    assert len(tool.calls) == 1


async def test_a_question_that_was_answered_in_words_has_no_buttons_any_more() -> None:
    model = ScriptedModel([ToolCall("c1", "act", '{"x": 1}'), "It is done.", "Hello!"])
    async with serving(model, tools={"act": AskingTool()}) as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await say(page, "Do it.")
        assert "May I act on 1?" in (await shown(page, 1))[0]
        await say(page, "/approve")
        assert "It is done." in await shown(page, 3)
        await page.until("!document.querySelector('.choices')")
        await say(page, "Hello?")
        assert "Hello!" in await shown(page, 4)
        assert not await page.js("!!document.querySelector('.choices')")


async def test_script_in_texts_titles_and_file_names_is_inert() -> None:
    model = Teller()
    async with serving(model) as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await page.js(f"""(files => document.dispatchEvent(
            new DragEvent("drop", {{dataTransfer: files, cancelable: true}})))({files(NAMED)})""")
        await page.until("document.querySelectorAll('#pictures img').length === 1")
        await say(page, EVIL)
        model.say(EVIL)
        await page.until(DRAFT)
        model.end()
        await shown(page, 1)
        await page.until("document.querySelectorAll('.photos img').length === 1")
        await page.until(f"{CHATS} === 1")
        await asyncio.sleep(0.2)
        assert await page.js("typeof pwned") == "undefined"
        markup = "[src=x], #log script, #chats script, #log svg, [onerror], [onload], [onmouseover]"
        assert await page.js(f"document.querySelectorAll('{markup}').length") == 0
        assert await page.js("[...document.querySelectorAll('#log a')].map(one => one.protocol)") == ["https:"]
        assert await page.js("document.querySelector('.photos img').alt") == NAMED
        assert [one for one in page.requests if "evil.example" in one] == []


async def test_everything_can_be_done_with_the_keyboard() -> None:
    model = Teller()
    async with serving(model) as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await say(page, "First question")
        model.answer("First answer.\n\n```\ncode\n```")
        await shown(page, 1)
        assert "First answer." in await page.js("document.getElementById('announce').innerText")
        await page.until(f"{CHATS} === 1")  # the list is there, and not made anew under the focus
        stops = await walk(page)
        wanted = {
            "skip",
            "new",
            "find",
            "chats",
            "First question",
            "theme",
            "log",
            "Copy",
            "Code: text",
            "say",
            "attach",
            "agent",
        }
        assert wanted <= set(stops), stops

        await go(page, "new")
        await page.press("Enter")
        await page.until(
            "document.activeElement.id === 'say' && document.getElementById('title').innerText === 'New chat'"
        )
        await go(page, "agent")
        await page.press("o")
        assert await page.js("document.getElementById('agent').value") == "ops"
        await page.js("document.getElementById('say').focus()")
        await say(page, "Second question")
        model.say("Second ")
        await page.until(DRAFT)
        assert model.requests[-1].agent == "ops"
        await go(page, "stop")
        await page.press("Enter")
        await page.until("document.querySelector('.person .state')?.innerText.startsWith('Stopped.')")
        await page.until(f"{CHATS} === 2")

        await page.press("k", control=True)
        assert await page.js("document.activeElement.id") == "find"
        await page.type("FIRST ANS")
        await page.until(f"{CHATS} === 1")
        await go(page, "First question")
        await page.press("Enter")
        await page.until("document.getElementById('title').innerText === 'First question'")
        await page.until("document.getElementById('log').innerText.includes('First answer.')")


async def walk(page: Tab) -> list[str]:
    """Where Tab leads, once around: ids, else what the place says."""
    stops: list[str] = []
    await page.js("document.activeElement.blur(); getSelection().collapse(document.body, 0)")
    for _ in range(40):
        await page.press("Tab")
        here = await page.js(HERE)
        if stops and here == stops[0]:
            break
        stops.append(here)
    return stops


HERE: Final = (
    "(one => one.id || (one.className === 'skip' ? 'skip' : one.getAttribute('aria-label') || one.innerText))"
    "(document.activeElement)"
)


async def go(page: Tab, place: str) -> None:
    """Presses Tab until a place has the focus."""
    for _ in range(40):
        if await page.js(HERE) == place:
            return
        await page.press("Tab")
    raise AssertionError(f"Tab does not lead to {place}")


async def test_on_a_phone_the_list_opens_and_closes_with_the_keyboard() -> None:
    async with serving() as stage, tab(390, 844) as page:
        await page.open(stage.url)
        await page.until(READY)
        assert await page.js("getComputedStyle(document.getElementById('side')).visibility") == "hidden"
        await go(page, "open-side")
        await page.press("Enter")
        await page.until("document.activeElement.id === 'new'")
        assert await page.js("document.querySelector('.main').inert")
        await page.press("Escape")
        await page.until("document.activeElement.id === 'open-side'")
        assert not await page.js("document.querySelector('.main').inert")


async def test_a_sign_in_outlives_a_reload_and_ends_with_the_sign_out() -> None:
    async with serving(keys=True) as stage, tab() as page:
        await page.open(stage.url)
        await page.until("document.activeElement.id === 'key'")
        await page.type("fake-wrong-key")
        await page.press("Enter")
        await page.until("document.getElementById('wrong').innerText === 'This key is not known.'")
        await page.type(ALL_KEY)
        await page.press("Enter")
        await page.until(READY)
        assert await page.js("document.getElementById('name').innerText") == "ann"
        assert await page.js("document.cookie") == ""
        await page.open(stage.url)
        await page.until(READY)
        await page.js("document.getElementById('leave').click()")
        await page.until("document.body.dataset.state === 'door'")
        assert not any(ALL_KEY in one for one in page.requests)


async def test_a_chosen_theme_stays() -> None:
    async with serving() as stage, tab() as page:
        await page.open(stage.url)
        await page.until(READY)
        await page.js("document.getElementById('theme').click()")
        assert await page.js("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
        await page.open(stage.url)
        assert await page.js("getComputedStyle(document.body).backgroundColor") == "rgb(24, 23, 22)"


async def test_where_no_agent_can_answer_the_page_says_why() -> None:
    async with serving() as stage, tab() as page:
        await page.open(stage.url)
        state = stage.gateway.state
        refused = {
            name: replace(one, refusal="no model is configured") for name, one in state.snapshot.agents.items()
        }
        state.swap(replace(state.snapshot, agents=refused), state.secrets)
        await page.open(stage.url)
        await page.until(READY)
        assert await page.js("document.getElementById('greeting').innerText") == "No agent can answer yet"
        assert await page.js("document.getElementById('hint').innerText") == "No model is configured."


async def test_a_chat_of_an_earlier_day_is_shown_whole_when_its_address_is_opened() -> None:
    model = Teller()
    async with serving(model) as stage, browser(stage) as other, tab() as page:
        await other.send("Hello.", chat="chat-of-before")
        model.answer("Hello!")
        async with other.events(chat="chat-of-before") as watching:
            await watching.until(lambda seen: seen.said)
        await page.open(f"{stage.url}/#chat-of-before")
        assert await shown(page, 1) == ["Hello!"]
        assert await page.js("document.getElementById('title').innerText") == "Hello."


async def test_no_text_keeps_the_page_busy() -> None:
    """For a second, by the best of several tries: what disturbs one of them is the machine."""
    async with serving() as stage, tab() as page:
        await page.open(stage.url)
        for text in (
            "**a ",
            "*a ",
            "_a ",
            "[a",
            "`a``",
            "~~a ",
            "> ",
            "- a\n  ",
            "|a",
            "![",
            "https://a.b ",
            "\\*",
            "a\n\n",
        ):
            times: list[float] = []
            while min(times, default=1000) >= 1000:
                assert len(times) < 5, f"{text!r} took {times} ms"
                took = await page.js(f"""import("/web/markdown.js").then(({{ markdown }}) => {{
                    const begun = performance.now();
                    markdown({json.dumps(text)}.repeat(60_000 / {len(text)}));
                    return performance.now() - begun;
                }})""")
                times.append(took)
