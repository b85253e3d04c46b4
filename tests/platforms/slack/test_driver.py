"""A Slack app on loopback: sockets that are replaced, fall-backs, notes, files, two apps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from serai.core.delivery import Button, Delivery, Enclosure, Target
from serai.core.error import CredentialsRefused, FetchFailed, StorageFailed
from serai.core.ids import AgentId, DeliveryId
from serai.platforms.slack.config import SlackConfig
from serai.testing.clock import virtual_time
from serai.testing.platform.stage import Gateway
from tests.platforms.slack.peer import App
from tests.platforms.slack.rig import APP, SlackRig, rig


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[SlackRig, Gateway, asyncio.Future[None]]]:
    async with rig() as slack:
        gateway = Gateway()
        running = asyncio.ensure_future(slack.platform.run(gateway))
        await slack.logged_in()
        try:
            yield slack, gateway, running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def delivery(text: str, *, channel: str = "C1", thread: str | None = None) -> Delivery:
    target = Target("slack", channel, "work", thread, chat_type="group")
    return Delivery(DeliveryId("d1"), target, AgentId("main"), text, state="sending")


@virtual_time
async def test_a_socket_that_slack_takes_back_is_replaced_before_and_nothing_is_lost() -> None:
    async with talking() as (slack, gateway, running):
        await slack.peer.tell(APP.name, slack.peer.event("one"))
        await slack.peer.refresh(APP.name)
        envelope = await slack.peer.tell(APP.name, slack.peer.event("two"))
        await asyncio.sleep(1)
        assert [one.text for one in gateway.heard] == ["one", "two"]
        assert envelope in slack.peer.acknowledged
        assert not running.done()


@virtual_time
async def test_socket_mode_that_is_switched_off_is_explained() -> None:
    async with talking() as (slack, _, running):
        await slack.peer._live[APP.name][-1].send_json({"type": "disconnect", "reason": "link_disabled"})
        with pytest.raises(CredentialsRefused, match="switch it on"):
            await running


@virtual_time
async def test_what_could_not_be_stored_is_not_acknowledged_so_that_slack_sends_it_again() -> None:
    async with talking() as (slack, gateway, _):
        gateway.errors.append(StorageFailed("the disk is full"))
        event = slack.peer.event("hello")
        first = await slack.peer.tell(APP.name, event)
        second = await slack.peer.tell(APP.name, event)
        await asyncio.sleep(1)
        assert first not in slack.peer.acknowledged
        assert second in slack.peer.acknowledged
        assert [one.text for one in gateway.heard] == ["hello"]


@virtual_time
async def test_an_answer_in_a_thread_stays_in_the_thread() -> None:
    async with talking() as (slack, _, _):
        await slack.platform.send(delivery("hello", thread="1.0"))
        assert [(said.channel, said.thread) for said in slack.peer.said] == [("C1", "1.0")]


@virtual_time
async def test_where_slack_does_not_take_the_markdown_the_text_is_told_plainly() -> None:
    async with talking() as (slack, _, _):
        slack.peer.refuses_markdown = True
        sent = await slack.platform.send(delivery("**1 < 2** & so on"))
        edited = delivery("**1 < 3**")
        await slack.platform.edit(
            Delivery(edited.id, edited.target, edited.agent, edited.text, state="sending", remote_id=sent.remote_id)
        )
        assert [(said.text, said.edits) for said in slack.peer.said] == [("**1 < 3**", 1)]


@virtual_time
async def test_whoever_pressed_a_button_is_shown_the_note() -> None:
    async with talking() as (slack, gateway, _):
        asked = delivery("May I?")
        await slack.platform.send(
            Delivery(asked.id, asked.target, asked.agent, asked.text, buttons=(Button("Once", "approve:1"),))
        )
        assert await slack.press("Once")
        assert [press.value for press in gateway.presses] == ["approve:1"]
        assert slack.peer.notes == ["noted"]


@virtual_time
async def test_slacks_own_command_reaches_the_gateway() -> None:
    async with talking() as (slack, gateway, _):
        await slack.peer.slash(APP.name, "status")
        await asyncio.sleep(1)
        assert [one.text for one in gateway.heard] == ["/status"]


@virtual_time
async def test_a_name_is_asked_for_once_and_done_without() -> None:
    async with talking() as (slack, gateway, _):
        for user in ("42", "42", "77"):
            await slack.peer.tell(APP.name, slack.peer.event("hello", user=user))
        await asyncio.sleep(1)
        assert [one.source.user_name for one in gateway.heard] == ["Ada", "Ada", None]
        assert [method for _, method in slack.peer.calls].count("users.info") == 2


@virtual_time
async def test_a_file_is_shown_with_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("plans")
    made = delivery("the plans", thread="1.0")
    enclosure = Enclosure(str(tmp_path / "a.txt"), "a.txt", "text/plain")
    async with talking() as (slack, _, _):
        await slack.platform.send(Delivery(made.id, made.target, made.agent, made.text, enclosure=enclosure))
        (said,) = slack.peer.said
    assert (said.data, said.text, said.thread) == (b"plans", "the plans", "1.0")


@virtual_time
async def test_a_file_that_the_token_may_not_see_is_no_login_page() -> None:
    async with talking() as (slack, gateway, _):
        await slack.peer.tell(APP.name, slack.peer.file("a.txt", "text/plain", b"plans"))
        await asyncio.sleep(1)
        (attachment,) = gateway.heard[-1].attachments
        assert await slack.platform.fetch(attachment, 100) == b"plans"
        slack.peer.revoke(APP.name)
        with pytest.raises(FetchFailed, match="files:read"):
            await slack.platform.fetch(attachment, 100)


@virtual_time
async def test_two_apps_of_one_process_never_mix() -> None:
    async with talking() as (slack, here, _):
        app = App("home")
        slack.peer.apps["home"] = app
        other, there = slack.make(app, name="home"), Gateway()
        running = asyncio.ensure_future(other.run(there))
        await slack.peer.connected("home")
        await asyncio.sleep(1)
        await slack.peer.tell("work", slack.peer.event("to work"))
        await slack.peer.tell("home", slack.peer.event("to home"))
        await asyncio.sleep(1)
        await other.send(delivery("from home"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert ([one.text for one in here.heard], [one.text for one in there.heard]) == (["to work"], ["to home"])
    assert [(said.app, said.text) for said in slack.peer.said] == [("home", "from home")]


def test_its_address_ends_as_the_client_needs_it() -> None:
    assert SlackConfig(bot_token_env="A", app_token_env="B", base_url="http://x/api").base_url == "http://x/api/"
