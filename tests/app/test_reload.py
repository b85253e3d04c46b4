"""A configuration that is changed while the gateway runs (SPEC 2.6, 16.1, 16.6)."""

import asyncio
from pathlib import Path

import pytest

from serai.core.error import StorageFailed, Unauthorised
from serai.testing.clock import virtual_time
from tests.app.stage import CONFIG, SECRETS, Held, Home, hosting
from tests.stores.test_sqlite import memory_store

TO_LAB = CONFIG.replace("agent: ops", "agent: lab")
WITHOUT_OPS = CONFIG.replace("ops: {}, ", "").replace("agent: ops", "agent: lab")
WORK = '    accounts: {work: {secret_env: OTHER, callback_url: "http://127.0.0.1:1/", open: true}}\n'
TWO_ACCOUNTS = CONFIG.replace(
    '{secret_env: HOOK, callback_url: "http://127.0.0.1:1/", open: true}',
    '\n    secret_env: HOOK\n    callback_url: "http://127.0.0.1:1/"\n    open: true\n' + WORK.rstrip("\n"),
)


def answering() -> Held:
    model = Held()
    model.go.set()
    return model


@virtual_time
async def test_fifty_running_turns_are_finished_and_the_next_message_takes_the_new_route(tmp_path: Path) -> None:
    model = Held()
    async with hosting(Home(tmp_path), model) as hosted:
        chat = hosted.connection()
        await chat.says("hello", chat="ops-room")
        for number in range(49):
            await chat.says("hello", chat=f"chat-{number}")
        await model.holds(50)
        hosted.home.configure(TO_LAB)
        await hosted.in_force()
        await chat.says("hello", chat="ops-room", user="another")
        await model.holds(51)
        model.go.set()
        answers = [await chat.answer() for _ in range(51)]
    said = sorted(answer.text for answer in answers if answer.target.chat_id == "ops-room")
    assert said == ["lab at your service", "ops at your service"]
    assert len({answer.target.chat_id for answer in answers}) == 50
    assert all("at your service" in answer.text for answer in answers)


@virtual_time
async def test_a_new_agent_gets_its_home_and_answers(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        assert (await hosted.ask("new"))[0] == 404
        hosted.home.configure(CONFIG.replace("lab: {}", "lab: {}, new: {}"))
        await hosted.in_force()
        status, answer = await hosted.ask("new")
    assert (status, answer["model"]) == (200, "new")
    assert (tmp_path / "agents" / "new" / "workspace").is_dir()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CONFIG[:120], "config.yaml"),
        ("", "the file is empty"),
        ("agents: {ops: {mod", "config.yaml"),
        (CONFIG + "rutes: []\n", "rutes: unknown key"),
        (CONFIG.replace("ops: {}", "ops: {provider: openai}"), "`OPENAI_API_KEY` is not set"),
        (CONFIG.replace("HOOK", "HOOKED"), "`HOOKED` is not set"),
        (CONFIG.replace("open: true", "opn: true"), "opn: unknown key"),
        (None, "the file is gone"),
    ],
    ids=["truncated", "emptied", "half-written", "unknown-key", "agent", "account", "account-key", "vanished"],
)
def test_a_file_with_a_problem_changes_nothing_and_is_named(text: str | None, problem: str, tmp_path: Path) -> None:
    @virtual_time
    async def unchanged() -> None:
        async with hosting(Home(tmp_path), answering()) as hosted:
            before = hosted.state.snapshot
            if text is None:
                (tmp_path / "config.yaml").unlink()
            else:
                hosted.home.configure(text)
            await hosted.in_force()
            assert hosted.state.snapshot is before
            assert problem in "\n".join((await hosted.configuration())["problems"])
            status, answer = await hosted.call("POST", "/api/reload")
            assert (status, answer["error"]["code"]) == (422, "invalid_configuration")
            assert [one["file"] for one in answer["error"]["problems"]]
            assert (await hosted.ask("ops"))[0] == 200
            hosted.home.configure(CONFIG)
            await hosted.in_force()
            assert (await hosted.configuration())["problems"] == []

    unchanged()


@virtual_time
async def test_a_file_is_not_read_while_it_is_being_written(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        before = hosted.state.snapshot
        for length in range(len(TO_LAB)):
            hosted.home.configure(TO_LAB[:length])
            await asyncio.sleep(0.4)
            assert hosted.state.snapshot is before
            if length > 30:
                break
        assert (await hosted.configuration())["problems"] == []
        hosted.home.configure(TO_LAB)
        await hosted.in_force()
        assert [route.agent for route in hosted.state.snapshot.routes.routes] == ["lab"]


@virtual_time
async def test_a_problem_that_was_there_from_the_start_does_not_keep_changes_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure(CONFIG.replace("lab: {}", "lab: {provider: openai}"))
    async with hosting(home, answering()) as hosted:
        home.configure("# a line more\n" + CONFIG.replace("lab: {}", "lab: {provider: openai}, new: {}"))
        await hosted.in_force()
        assert (await hosted.ask("new"))[0] == 200
        assert (await hosted.ask("lab"))[0] == 403


@virtual_time
async def test_what_waits_for_a_removed_agent_is_refused_visibly_and_its_running_turn_is_finished(
    tmp_path: Path,
) -> None:
    model = Held()
    async with hosting(Home(tmp_path), model) as hosted:
        chat = hosted.connection()
        await chat.says("first", chat="ops-room")
        await model.holds(1)
        for text in ("second", "third"):
            await chat.says(text, chat="ops-room")
        running = asyncio.create_task(hosted.ask("ops"))
        await model.holds(2)
        hosted.home.configure(WITHOUT_OPS)
        await hosted.in_force()
        told = await chat.answer()
        assert told.text == "Sorry, I could not answer: no agent named `ops` is configured."
        assert (told.target.chat_id, told.target.reply_to) == ("ops-room", ("m2", "m3"))
        model.go.set()
        assert (await chat.answer()).text == "ops at your service"
        assert (await running)[0] == 200
        assert (await hosted.ask("ops"))[0] == 404
    assert model.asked == ["ops", "ops"]


@virtual_time
async def test_a_call_that_waits_for_a_removed_agent_is_refused(tmp_path: Path) -> None:
    model, home = Held(), Home(tmp_path)
    home.configure(CONFIG.replace("ops: {}", "ops: {max_turns: 1}"))
    async with hosting(home, model) as hosted:
        running = asyncio.create_task(hosted.ask("ops"))
        await model.holds(1)
        waiting = asyncio.create_task(hosted.ask("ops"))
        await asyncio.sleep(1)
        home.configure(WITHOUT_OPS)
        status, answer = await waiting
        assert (status, answer["error"]["code"]) == (403, "agent_refused")
        model.go.set()
        assert (await running)[0] == 200


@virtual_time
async def test_a_bound_that_was_raised_lets_waiting_turns_begin_at_once(tmp_path: Path) -> None:
    model, home = Held(), Home(tmp_path)
    home.configure(CONFIG + "engine: {max_turns: 1}\n")
    async with hosting(home, model) as hosted:
        for number in range(3):
            await hosted.connection().says("hello", chat=str(number))
        await model.holds(1)
        await asyncio.sleep(10)
        assert len(model.asked) == 1
        home.configure(CONFIG + "engine: {max_turns: 3}\n")
        await hosted.in_force()
        assert len(model.asked) == 3


@virtual_time
async def test_an_account_is_added_changed_and_removed_while_the_other_stays_connected(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        hosted.home.configure(TWO_ACCOUNTS)
        await hosted.in_force()
        await hosted.connection("webhook@work").says("hello")
        assert (await hosted.connection("webhook@work").answer()).text == "main at your service"
        hosted.home.write(SECRETS.replace("YW5vdGhlci1mYWtlLWtleQ", "YS10aGlyZC1mYWtlLWtleQ"), ".env")
        await hosted.in_force()
        old, new = hosted.connections["webhook@work"]
        assert (old.connections, new.connections) == (1, 1)
        await new.says("hello", message="another")
        assert (await new.answer()).text == "main at your service"
        hosted.home.configure(CONFIG)
        await hosted.in_force()
        assert "webhook@work" not in (await hosted.call("GET", "/ready"))[1]["accounts"]
        assert [one.connections for one in hosted.connections["webhook"]] == [1]


@virtual_time
async def test_who_may_write_changes_without_a_new_connection(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        hosted.home.configure(CONFIG.replace("open: true", "allow_users: [ada]"))
        await hosted.in_force()
        with pytest.raises(Unauthorised):
            await hosted.connection().says("hello", user="eve")
        await hosted.connection().says("hello", user="ada")
        assert [one.connections for one in hosted.connections["webhook"]] == [1]


@virtual_time
async def test_a_removed_account_sends_what_it_owes_and_takes_nothing_new(tmp_path: Path) -> None:
    model = Held()
    async with hosting(Home(tmp_path), model) as hosted:
        hosted.home.configure(TWO_ACCOUNTS)
        await hosted.in_force()
        work = hosted.connection("webhook@work")
        await work.says("hello")
        await model.holds(1)
        hosted.home.configure(CONFIG)
        await hosted.in_force()
        accounts = (await hosted.call("GET", "/ready"))[1]["accounts"]
        assert accounts["webhook@work"] == "draining: the account was removed"
        with pytest.raises(Unauthorised):
            await work.says("one more")
        model.go.set()
        assert (await work.answer()).text == "main at your service"
        await asyncio.sleep(1)
        assert "webhook@work" not in (await hosted.call("GET", "/ready"))[1]["accounts"]


@virtual_time
async def test_a_removed_account_is_disconnected_after_half_a_minute_although_something_is_owed(
    tmp_path: Path,
) -> None:
    async with hosting(Home(tmp_path), Held()) as hosted:
        hosted.home.configure(TWO_ACCOUNTS)
        await hosted.in_force()
        await hosted.connection("webhook@work").says("hello")
        hosted.home.configure(CONFIG)
        await asyncio.sleep(29)
        assert "webhook@work" in (await hosted.call("GET", "/ready"))[1]["accounts"]
        await asyncio.sleep(4)
        assert "webhook@work" not in (await hosted.call("GET", "/ready"))[1]["accounts"]


@virtual_time
async def test_reload_tells_what_has_changed_and_what_needs_a_restart(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        assert (await hosted.call("POST", "/api/reload"))[1]["changed"] == []
        hosted.home.configure(
            CONFIG.replace("lab: {}", "new: {}") + "api_server: {port: 9999, accept_any_model: true}\n"
        )
        status, answer = await hosted.call("POST", "/api/reload")
        assert (status, answer["object"]) == (200, "reload")
        assert answer["changed"] == ["agent new added", "agent lab removed", "api_server changed"]
        assert answer["needs_restart"] == ["api_server.port"]
        assert (await hosted.configuration())["needs_restart"] == ["api_server.port"]
        assert (await hosted.ask("whatever"))[0] == 200


@virtual_time
async def test_an_agents_own_env_file_is_watched_also_where_it_was_missing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    async with hosting(home, answering()) as hosted:
        home.configure(CONFIG.replace("ops: {}", "ops: {provider: openai}"))
        await hosted.in_force()
        assert "OPENAI_API_KEY" in (await hosted.configuration())["problems"][0]
        home.write("OPENAI_API_KEY=fake-key-of-ops\n", "agents/ops/.env")
        await hosted.in_force()
        assert (await hosted.configuration())["problems"] == []
        assert hosted.state.secrets.get(hosted.state.snapshot.agents["ops"].id, "OPENAI_API_KEY") == "fake-key-of-ops"


@virtual_time
async def test_credentials_that_no_driver_could_use_keep_the_earlier_ones(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        hosted.home.write(SECRETS.replace("ZmFrZS1rZXktd2ViaG9vaw==", "!"), ".env")
        await hosted.in_force()
        assert "not base64" in (await hosted.configuration())["problems"][0]
        assert (await hosted.call("GET", "/ready"))[1]["accounts"]["webhook"] == "running as webhook bot"


@virtual_time
async def test_a_new_api_key_opens_and_the_old_one_does_not_any_more(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure(CONFIG + 'api_server: {keys: [{name: app, key_env: APP_KEY, agents: "*"}]}\n')
    home.write(SECRETS + "APP_KEY=fake-key-1\n", ".env")
    async with hosting(home, answering()) as hosted:
        assert (await hosted.call("GET", "/v1/models", key="fake-key-1"))[0] == 200
        home.write(SECRETS + "APP_KEY=fake-key-2\n", ".env")
        await hosted.in_force()
        assert (await hosted.call("GET", "/v1/models", key="fake-key-1"))[0] == 401
        assert (await hosted.call("GET", "/v1/models", key="fake-key-2"))[0] == 200


@virtual_time
async def test_what_was_secret_before_stays_out_of_the_log(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        hosted.home.write(SECRETS.replace("ZmFrZS1rZXktd2ViaG9vaw==", "YS1uZXctZmFrZS1rZXk="), ".env")
        await hosted.in_force()
        known = hosted.state.redactor.known
    assert {"whsec_ZmFrZS1rZXktd2ViaG9vaw==", "whsec_YS1uZXctZmFrZS1rZXk="} <= known


@virtual_time
async def test_a_stopped_agent_stays_stopped_when_the_configuration_changes(tmp_path: Path) -> None:
    async with hosting(Home(tmp_path), answering()) as hosted:
        status, agent = await hosted.call("POST", "/api/agents/ops/stop")
        assert (status, agent["id"], agent["stopped"]) == (200, "ops", True)
        hosted.home.configure(TO_LAB)
        await hosted.in_force()
        assert (await hosted.ask("ops"))[1]["error"]["code"] == "agent_refused"
        assert (await hosted.ask("lab"))[0] == 200
        assert "stopped" in (await hosted.call("GET", "/ready"))[1]["agents"]["ops"]
        await hosted.call("POST", "/api/agents/ops/start")
        assert (await hosted.ask("ops"))[0] == 200


@virtual_time
async def test_the_kill_switch_works_on_a_full_disk_and_says_that_it_will_not_last(tmp_path: Path) -> None:
    store = memory_store()

    async def full(*_: object) -> None:
        raise StorageFailed("the disk is full")

    store.stop_agent = full  # type: ignore[method-assign]
    model = Held()
    async with hosting(Home(tmp_path), model, lambda: store) as hosted:
        running = asyncio.create_task(hosted.ask("ops"))
        await model.holds(1)
        status, answer = await hosted.call("POST", "/api/agents/ops/stop")
        assert (status, answer["error"]["code"]) == (503, "storage_failed")
        assert (await running)[1]["error"]["code"] == "run_cancelled"
        assert (await hosted.ask("ops"))[1]["error"]["code"] == "agent_refused"
