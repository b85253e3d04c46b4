"""Answers that grow as cards, and as posts where the app may make no cards."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.delivery import Delivery
from serai.core.error import SendPermanent, SendTemporary
from serai.testing.clock import virtual_time
from tests.platforms.feishu.rig import FeishuRig, rig
from tests.platforms.feishu.stage import delivery


async def opened(feishu: FeishuRig, text: str = "On") -> Delivery:
    first = delivery(text, state="open")
    return replace(first, remote_id=(await feishu.platform.send(first)).remote_id)


@virtual_time
async def test_an_answer_is_typed_into_one_card_and_finished() -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        (entity,) = feishu.peer.world.cards.values()
        assert entity.streaming
        for text in ("Once", "Once upon"):
            await feishu.platform.edit(replace(growing, text=text))
        assert entity.streaming
        await feishu.platform.edit(replace(growing, text="Once upon a time", state="sending"))
        assert entity.writes == ["Once", "Once upon", "Once upon a time"]
        assert not entity.streaming
        assert entity.summaries == ["Once upon a time"]
        assert [seen.text for seen in feishu.seen] == ["Once upon a time"]


@pytest.mark.parametrize("sign", ['"', "<at", "# a\n", "| a |\n|---|\n", "🙂", "\\"])
@virtual_time
async def test_a_text_of_the_limit_fits_a_card_whatever_its_signs(sign: str) -> None:
    async with rig() as feishu:
        text = sign * (14_000 // len(sign.encode()))
        await feishu.platform.edit(replace(await opened(feishu), text=text, state="sending"))
        assert len(feishu.seen[0].text) >= len(text.rstrip()) - 1


@virtual_time
async def test_after_a_restart_the_final_edit_still_works() -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        for number in range(5):
            await feishu.platform.edit(replace(growing, text=f"text {number}"))
        await feishu.driver().edit(replace(growing, text="all of it", state="sending"))
        (entity,) = feishu.peer.world.cards.values()
        assert (entity.text, entity.streaming) == ("all of it", False)


@virtual_time
async def test_a_clock_that_was_set_back_does_not_stop_the_edits() -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        (entity,) = feishu.peer.world.cards.values()
        entity.sequence = 1_700_000_000 - 1_577_836_800 + 86_400
        await feishu.platform.edit(replace(growing, text="more"))
        await feishu.platform.edit(replace(growing, text="all", state="sending"))
        assert (entity.text, entity.streaming) == ("all", False)


@pytest.mark.parametrize("code", [200850, 300309])
@virtual_time
async def test_a_card_that_no_longer_streams_is_replaced_as_a_whole(code: int) -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        (entity,) = feishu.peer.world.cards.values()
        entity.streaming = False
        await feishu.platform.edit(replace(growing, text="later"))
        feishu.peer.errors["PUT cardkit/v1/cards/"] = [code]
        await feishu.platform.edit(replace(growing, text="at last", state="sending"))
        assert (entity.text, entity.streaming) == ("at last", False)


@pytest.mark.parametrize("code", [200740, 200750, 300311])
@virtual_time
async def test_a_card_that_is_gone_cannot_be_changed_any_more(code: int) -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        feishu.peer.errors["PUT cardkit"] = [code]
        with pytest.raises(SendPermanent, match=str(code)):
            await feishu.platform.edit(replace(growing, text="more"))


@virtual_time
async def test_a_card_that_somebody_is_using_is_changed_later() -> None:
    async with rig() as feishu:
        growing = await opened(feishu)
        feishu.peer.errors["PUT cardkit"] = [200810]
        with pytest.raises(SendTemporary):
            await feishu.platform.edit(replace(growing, text="more"))
        await feishu.platform.edit(replace(growing, text="more"))
        assert feishu.seen[0].text == "more"


@virtual_time
async def test_a_repeated_opening_grows_the_card_that_people_see() -> None:
    async with rig() as feishu:
        first = delivery("On", state="open")
        one = await feishu.platform.send(first)
        again = await feishu.driver().send(replace(first, attempt=2))
        assert again == one
        assert len(feishu.peer.world.cards) == 2, "the second card was never shown"
        await feishu.platform.edit(replace(first, remote_id=again.remote_id, text="Once"))
        assert [seen.text for seen in feishu.seen] == ["Once"]


@virtual_time
async def test_without_the_permission_for_cards_a_post_is_edited_at_most_20_times() -> None:
    async with rig() as feishu:
        feishu.app.state.scopes.discard("cardkit:card:write")
        growing = await opened(feishu)
        for number in range(40):
            await feishu.platform.edit(replace(growing, text=f"text {number}"))
        assert (feishu.seen[0].text, feishu.seen[0].edits) == ("text 18", 19)
        await feishu.platform.edit(replace(growing, text="all of it", state="sending"))
        assert (feishu.seen[0].text, feishu.seen[0].edits) == ("all of it", 20)
        with pytest.raises(SendPermanent, match="230072"):
            await feishu.platform.edit(replace(growing, text="too much", state="sending"))


@virtual_time
async def test_without_the_permission_for_cards_it_is_asked_for_again_after_an_hour() -> None:
    async with rig() as feishu:
        feishu.app.state.scopes.discard("cardkit:card:write")
        await opened(feishu)
        feishu.app.state.scopes.add("cardkit:card:write")
        await opened(feishu)
        assert not feishu.peer.world.cards
        await asyncio.sleep(3601)
        await opened(feishu)
        assert len(feishu.peer.world.cards) == 1


@virtual_time
async def test_an_edit_of_a_message_without_an_id_is_refused() -> None:
    async with rig() as feishu:
        with pytest.raises(SendPermanent):
            await feishu.platform.edit(delivery("text", state="open"))
