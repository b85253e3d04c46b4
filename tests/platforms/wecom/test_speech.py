"""What a WeCom bot says: answers that grow, cards, files, and what becomes of them when it is too late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from serai.core.delivery import Button, Delivery, Enclosure, Target
from serai.core.error import (
    CredentialsRefused,
    FetchFailed,
    LoggedInElsewhere,
    SendPermanent,
    SendTemporary,
    SendUnknown,
)
from serai.core.ids import Account, AgentId, DeliveryId
from serai.testing.clock import virtual_time
from serai.testing.platform.stage import Gateway
from tests.platforms.wecom.rig import ACCOUNT, BOT, WecomRig, rig


@asynccontextmanager
async def talking(
    text: str = "hello", *, user: str = "ada", chat: str = ""
) -> AsyncIterator[tuple[WecomRig, Gateway]]:
    """A bot that has heard one message."""
    async with rig() as wecom:
        gateway = Gateway()
        running = asyncio.ensure_future(wecom.platform.run(gateway))
        await wecom.logged_in()
        await wecom.peer.tell(BOT, wecom.peer.message(text, user=user, chat=chat, message="m1"))
        await asyncio.sleep(0.5)
        try:
            yield wecom, gateway
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def delivery(text: str, **parts: object) -> Delivery:
    made: dict[str, object] = {"target": Target("wecom", "ada", ACCOUNT.name, reply_to=("m1",)), "state": "sending"}
    made |= parts
    return Delivery(DeliveryId("dlv_1"), agent=AgentId("main"), text=text, **made)  # type: ignore[arg-type]


@virtual_time
async def test_an_answer_grows_as_one_stream_and_ends_whole() -> None:
    async with talking() as (wecom, _):
        sent = await wecom.platform.send(delivery("The", state="open"))
        await wecom.platform.edit(delivery("The answer", state="open", remote_id=sent.remote_id))
        await wecom.platform.edit(delivery("The answer is 4.", remote_id=sent.remote_id))
        (said,) = wecom.peer.said
    assert (said.text, said.final, said.edits, said.reply_to) == ("The answer is 4.", True, 2, "m1")


@virtual_time
async def test_an_end_of_which_no_answer_came_is_not_said_again_as_a_new_message() -> None:
    async with talking() as (wecom, _):
        sent = await wecom.platform.send(delivery("The", state="open"))
        wecom.peer.lost_answers = 1
        with pytest.raises(SendUnknown):
            await wecom.platform.edit(delivery("The answer", remote_id=sent.remote_id))
        assert await wecom.platform.edit(delivery("The answer", remote_id=sent.remote_id)) == sent
        assert [(said.text, said.final) for said in wecom.peer.said] == [("The answer", True)]


@virtual_time
async def test_a_second_piece_of_an_answer_is_another_message() -> None:
    async with talking() as (wecom, _):
        await wecom.platform.send(delivery("one"))
        await wecom.platform.send(Delivery(DeliveryId("dlv_2"), Target("wecom", "ada"), AgentId("main"), "two"))
        assert [(said.text, said.final) for said in wecom.peer.said] == [("one", True), ("two", True)]


@virtual_time
async def test_after_six_minutes_an_answer_is_said_unasked_and_nothing_grows() -> None:
    async with talking() as (wecom, _):
        await asyncio.sleep(360)
        with pytest.raises(SendPermanent):
            await wecom.platform.send(delivery("The", state="open"))
        await wecom.platform.send(delivery("The answer is 4."))
        (said,) = wecom.peer.said
    assert (said.text, said.reply_to, said.stream) == ("The answer is 4.", "", "")


@virtual_time
async def test_a_request_that_wecom_no_longer_knows_is_said_unasked() -> None:
    async with talking() as (wecom, _):
        wecom.peer._heard.clear()
        await wecom.platform.send(delivery("late"))
        assert [(said.text, said.reply_to) for said in wecom.peer.said] == [("late", "")]


@virtual_time
async def test_a_stream_of_an_earlier_process_that_is_over_is_refused_for_good() -> None:
    async with talking() as (wecom, _):
        with pytest.raises(SendPermanent):
            await wecom.platform.edit(delivery("whole", remote_id="stream req-gone dlv_0"))


@virtual_time
async def test_a_choice_is_a_card_and_what_came_of_it_is_shown_there() -> None:
    async with talking() as (wecom, gateway):
        buttons = (Button("Once", "approve:1:once"), Button("Deny", "deny:1"))
        await wecom.platform.send(delivery("May I delete a.txt?", buttons=buttons))
        (card,) = wecom.peer.said
        assert card.text == "May I delete a.txt?"
        await wecom.press("Once", user="ada")
        (pressed,) = gateway.presses
        await wecom.platform.edit(delivery("Allowed once.", remote_id="dlv_1"))
        assert (pressed.value, pressed.source.message_id) == ("approve:1:once", "dlv_1")
        assert (card.text, card.buttons) == ("Allowed once.", ())
        await asyncio.sleep(6)
        with pytest.raises(SendPermanent, match="pressed"):
            await wecom.platform.edit(delivery("too late", remote_id="dlv_1"))


@virtual_time
async def test_a_choice_with_a_long_text_is_told_whole_above_its_card() -> None:
    text = "May I delete these?\n" + "a-file.txt\n" * 30
    async with talking() as (wecom, _):
        await wecom.platform.send(delivery(text, buttons=(Button("Once", "approve:1:once"),)))
        said, card = wecom.peer.said
    assert said.text == text
    assert [label for label, _ in card.buttons] == ["Once"]


@virtual_time
async def test_a_file_is_sent_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "chart.png").write_bytes(b"\x89PNG" * 200_000)
    enclosure = Enclosure(str(tmp_path / "chart.png"), "chart.png", "image/png")
    async with talking() as (wecom, _):
        await wecom.platform.send(delivery("the chart", enclosure=enclosure))
        assert [said.data for said in wecom.peer.said] == [b"\x89PNG" * 200_000, None]
        assert wecom.peer.said[1].text == "the chart"


@virtual_time
async def test_a_file_that_came_is_deciphered_and_bounded() -> None:
    async with talking() as (wecom, gateway):
        await wecom.peer.tell(BOT, wecom.peer.file("a.txt", b"secret plans"))
        await asyncio.sleep(0.5)
        (attachment,) = gateway.heard[-1].attachments
        assert await wecom.platform.fetch(attachment, 1000) == b"secret plans"
        await wecom.peer.tell(BOT, wecom.peer.file("b.txt", b"x" * 5000))
        await asyncio.sleep(0.5)
        with pytest.raises(FetchFailed, match="larger than 1000"):
            await wecom.platform.fetch(gateway.heard[-1].attachments[0], 1000)


@virtual_time
async def test_wrong_credentials_and_a_second_login_end_it_for_good() -> None:
    async with rig() as wecom:
        with pytest.raises(CredentialsRefused, match="853000"):
            await wecom.make("wrong").run(Gateway())
        running = asyncio.ensure_future(wecom.platform.run(Gateway()))
        await wecom.log_in_elsewhere()
        with pytest.raises(LoggedInElsewhere, match="another program"):
            await running


@virtual_time
async def test_while_it_is_away_nothing_is_sent() -> None:
    async with rig() as wecom:
        with pytest.raises(SendTemporary, match="not connected"):
            await wecom.platform.send(delivery("hello"))


@virtual_time
async def test_two_bots_of_one_process_never_mix() -> None:
    async with rig() as wecom:
        wecom.peer.bots["other-bot"] = "other-fake-secret"
        other = type(wecom.platform)(
            Account("wecom", "home"), "other-bot", "other-fake-secret", wecom.peer.url, wecom.session, Token()
        )
        here, there = Gateway(), Gateway()
        running = asyncio.gather(wecom.platform.run(here), other.run(there))
        await wecom.logged_in()
        await wecom.peer.connected("other-bot")
        await wecom.peer.tell(BOT, wecom.peer.message("to work", user="ada", message="m1"))
        await wecom.peer.tell("other-bot", wecom.peer.message("to home", user="ada", message="m2"))
        await asyncio.sleep(0.5)
        await wecom.platform.send(delivery("from work"))
        await other.send(Delivery(DeliveryId("dlv_2"), Target("wecom", "ada", "home"), AgentId("main"), "from home"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [one.text for one in here.heard] == ["to work"]
    assert [one.text for one in there.heard] == ["to home"]
    assert [(said.bot, said.text) for said in wecom.peer.said] == [(BOT, "from work"), ("other-bot", "from home")]


class Token:
    """Chance of its own, so that nothing is shared by accident."""

    def __init__(self) -> None:
        self._n = 0

    def token(self) -> str:
        self._n += 1
        return f"other{self._n}"

    def code(self) -> str:
        return "FAKECODE"

    def between(self, low: float, high: float) -> float:
        return low
