"""Who may chat: this machine where there is no key, else whoever signed in with one (SPEC 6.7, 11.1, 14)."""

import re
from dataclasses import replace

from serai.api.guard import cookie
from serai.api.guard.keyring import KeyRing
from serai.core.ids import Account
from serai.core.snapshot import ApiSettings
from serai.testing.model import ScriptedModel
from tests.gateway.test_steps import AskingTool, call
from tests.web.stage import ALL_KEY, CHAT, KEYS, OPS_KEY, Answer, Keys, Page, Teller, WebStage, browser, serving


def configure(stage: WebStage, settings: ApiSettings) -> None:
    state = stage.gateway.state
    state.swap(replace(state.snapshot, api=settings), state.secrets)


async def test_without_keys_this_machine_is_signed_in() -> None:
    async with serving() as stage, browser(stage) as page:
        answer = await page.get("/web/agents")
        assert (answer.status, answer.json["name"]) == (200, "local")
        assert [one["id"] for one in answer.json["data"]] == ["broken", "main", "ops"]


async def test_with_keys_a_stranger_sees_the_page_and_nothing_else() -> None:
    async with serving(keys=True) as stage, browser(stage) as page:
        assert (await page.get("/")).status == 200
        for path in ("/web/agents", "/web/chats", f"/web/chats/{CHAT}", f"/web/chats/{CHAT}/events"):
            assert (await page.get(path)).status == 401, path
        assert (await page.send("Hello.")).status == 401


async def test_a_key_signs_in_until_the_sign_out() -> None:
    async with serving(keys=True) as stage, browser(stage, ALL_KEY) as page:
        assert (await page.get("/web/agents")).json["name"] == "ann"
        assert (await page.call("DELETE", "/web/sign-in")).status == 200
        assert (await page.get("/web/agents")).status == 401


async def test_an_unknown_key_does_not_sign_in() -> None:
    async with serving(keys=True) as stage, browser(stage) as page:
        for key in ("fake-wrong-key", "", "é"):
            answer = await page.call("POST", "/web/sign-in", {"key": key})
            assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
            assert "Set-Cookie" not in answer.headers


async def enter(stage: WebStage) -> Answer:
    async with browser(stage) as page:
        return await page.call("POST", "/web/sign-in", {"key": ALL_KEY})


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_holds_no_key() -> None:
    async with serving(keys=True) as stage:
        line = (await enter(stage)).headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(line.split("; "))
        assert "Secure" not in line
        assert ALL_KEY not in line
        configure(stage, ApiSettings(keys=KEYS, public_url="https://chat.example.org"))
        assert "Secure" in (await enter(stage)).headers["Set-Cookie"].split("; ")


async def test_a_sign_in_outlives_a_restart_of_the_gateway() -> None:
    async with serving(keys=True) as stage:
        value = (await enter(stage)).headers["Set-Cookie"].split(";")[0]
    async with serving(keys=True) as stage, browser(stage) as page:
        assert (await page.get("/web/agents", Cookie=value)).status == 200


async def test_a_forged_altered_or_old_cookie_opens_nothing() -> None:
    async with serving(keys=True) as stage, browser(stage) as page:
        value = (await enter(stage)).headers["Set-Cookie"].split(";")[0].partition("=")[2]
        name, end, proof = value.split(".")
        other = "Ym9i"  # bob
        forged = [
            f"{other}.{end}.{proof}",
            f"{name}.{int(end) + 1}.{proof}",
            f"{name}.{end}.",
            "x",
            "..",
            f"{value}0",
        ]
        for text in forged:
            assert (await page.get("/web/agents", Cookie=f"{cookie.NAME}={text}")).status == 401, text
        keys = KeyRing(KEYS, Keys(), "")
        assert cookie.holder(value, keys, int(end) - 1) is not None
        assert cookie.holder(value, keys, int(end)) is None


async def test_a_sign_in_ends_with_its_key() -> None:
    async with serving(keys=True) as stage, browser(stage, ALL_KEY) as page:
        configure(stage, ApiSettings(keys=KEYS[1:]))
        assert (await page.get("/web/agents")).status == 401
    async with serving(keys=True) as stage, browser(stage, ALL_KEY) as page:
        stage.gateway.state.secrets.known["ANN_KEY"] = "fake-rotated-key"  # type: ignore[attr-defined]
        configure(stage, ApiSettings(keys=KEYS, port=1))
        assert (await page.get("/web/agents")).status == 401


async def test_a_key_chats_with_its_agents_only() -> None:
    model = Teller()
    async with serving(model, keys=True) as stage, browser(stage, OPS_KEY) as page:
        listed = (await page.get("/web/agents")).json
        assert ([one["id"] for one in listed["data"]], listed["default"], listed["routed"]) == (["ops"], "ops", False)
        assert (await page.send("Hello.", agent="main")).status == 403
        await page.send("Hello.")
        model.answer("Ops here.")
        async with page.events() as watching:
            seen = await watching.until(lambda page: page.said)
        assert {one["agent"] for one in seen.messages.values() if one["agent"]} == {"ops"}


async def test_an_admin_of_some_agents_is_none_of_the_others() -> None:
    keys = (KEYS[0], replace(KEYS[1], admin=True))
    model = ScriptedModel([call(), "done"])
    tool = AskingTool()
    async with serving(model, keys=True, tools={"act": tool}) as stage:
        configure(stage, ApiSettings(keys=keys))
        async with browser(stage, ALL_KEY) as ann, browser(stage, OPS_KEY) as bob:
            await ann.send("Do it.", agent="main")
            async with ann.events() as watching:
                await watching.until(lambda page: page.said)
            (asked,) = await stage.gateway.store.approvals(chat=(Account("web"), CHAT))
            for n, text in enumerate((f"/approve {asked.id}", "/agents", "/agent main")):
                assert (await bob.send(text, f"message-{n}", "chat-of-bob")).status == 202
            async with bob.events(Page(), "chat-of-bob") as watching:
                seen = await watching.until(lambda page: len(page.said) == 3)
            (still,) = await stage.gateway.store.approvals(chat=(Account("web"), CHAT))
    assert still.state == "open"
    assert tool.calls == []
    assert seen.said[0].startswith("Only who asked, an admin, or somebody who may choose the agent")
    assert seen.said[1] == "• ops"
    assert "There is no agent `main`" in seen.said[2]


async def test_the_chats_of_one_key_are_not_there_for_another() -> None:
    model = Teller()
    async with serving(model, keys=True) as stage, browser(stage, ALL_KEY) as ann, browser(stage, OPS_KEY) as bob:
        await ann.send("My secret.")
        assert (await bob.get("/web/chats?q=secret")).json["data"] == []
        for path in ("", "/events", "/images/message-1/0"):
            assert (await bob.get(f"/web/chats/{CHAT}{path}")).status == 404
        assert (await bob.call("POST", f"/web/chats/{CHAT}/stop")).status == 404
        assert (await bob.send("Mine now.", "message-2")).status == 404
        assert (await bob.send("My secret.", "message-1")).status == 404
        model.answer("Noted.")
        async with ann.events(Page()) as watching:
            await watching.until(lambda page: page.said)


async def test_pages_of_other_sites_and_other_names_are_refused() -> None:
    async with serving() as stage, browser(stage) as page:
        for path in ("/", "/web/agents", "/web/chats"):
            assert (await page.get(path, Host="evil.example")).status == 403
            assert (await page.get(path, Origin="https://evil.example")).status == 403
        answer = await page.call(
            "POST", f"/web/chats/{CHAT}/messages", {"id": "12345678"}, Origin="http://evil.example"
        )
        assert answer.status == 403
        assert (await page.call("POST", "/web/sign-in", {"key": ALL_KEY}, Origin="http://evil.example")).status == 403


async def test_the_page_lets_nothing_in_from_elsewhere() -> None:
    async with serving() as stage, browser(stage) as page:
        answer = await page.get("/")
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert not any("unsafe" in rule or "http" in rule for rule in policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text = answer.body.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?://", text)


async def test_files_of_the_page_are_sent_once_and_then_confirmed() -> None:
    async with serving() as stage, browser(stage) as page:
        names = re.findall(r'(?:src|href)="(/web/[^"]+)"', (await page.get("/")).body.decode())
        assert names
        for name in names:
            first = await page.get(name)
            assert first.status == 200, name
            assert (await page.get(name, If_None_Match=first.headers["ETag"])).status == 304
        assert (await page.get("/web/index.html")).status == 404
        assert (await page.get("/web/..%2f__init__.py")).status == 404
