"""What every store must do with the API's conversations, as a pytest suite: subclass it, and give it the fixtures
`store` and `conversations` of one database.
"""

from dataclasses import replace

import pytest

from serai.core.ids import MAIN, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Message
from serai.ports.conversation import ConversationBusy, ConversationRow, Conversations
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival, SessionTaken
from serai.testing.store.record import RESPONSE, call, claimed, ended
from serai.testing.store.stage import NOW, OPS

ROW = ConversationRow("conv_1", "app", b"{}", NOW)
PUT_IN = [(Message("user", "a"), b"[1]"), (Message("assistant", "b"), b"[2]")]


def said(number: int, **changes: object) -> Arrival:
    """A response in the conversation."""
    made = replace(
        call(number, RESPONSE),
        address=LaneAddress(OPS, "api_server", "default", "dm", chat="conv_1"),
        session=SessionId("conv_1"),
        conversation="conv_1",
        alone=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def shown(conversations: Conversations) -> list[tuple[int, str, bytes | None]]:
    return [(one.n, one.message.text, one.items) for one in await conversations.entries("conv_1")]


class ConversationContract:
    """The rules, one test each."""

    async def test_a_conversation_is_found_and_changed(self, conversations: Conversations) -> None:
        await conversations.create(ROW, PUT_IN)
        assert await conversations.find("conv_1") == ROW
        assert await conversations.find("conv_2") is None
        await conversations.update("conv_1", b'{"a": "b"}')
        assert await conversations.find("conv_1") == replace(ROW, metadata=b'{"a": "b"}')

    async def test_the_first_response_fixes_the_agent_and_finds_what_was_put_in(
        self, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, PUT_IN[:1])
        await conversations.add("conv_1", PUT_IN[1:], NOW)
        claim = await claimed(store, await store.accept(said(1)))
        assert [m.text for m in claim.history] == ["a", "b"]
        assert await conversations.find("conv_1") == replace(ROW, agent=OPS)
        elsewhere = replace(said(2).address, agent=MAIN)
        for wrong in (said(2, address=elsewhere), said(2, owner="other"), said(2, conversation="conv_2")):
            with pytest.raises(SessionTaken):
                await store.accept(wrong)

    async def test_entries_say_with_which_response_they_came(
        self, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, PUT_IN)
        await ended(store, said(1))
        await conversations.add("conv_1", PUT_IN[:1], NOW)
        runs = [(one.message.text, one.run) for one in await conversations.entries("conv_1")]
        response = InputId("run_1")
        assert runs == [("a", None), ("b", None), ("message 1", response), ("hello", response), ("a", None)]

    async def test_items_are_kept_once(self, store: Store, conversations: Conversations) -> None:
        await conversations.create(ROW, PUT_IN)
        await ended(store, said(1))
        await conversations.keep("conv_1", {0: b"[9]", 2: b"[3]"})
        await conversations.keep("conv_1", {2: b"[9]"})
        assert [items for _, _, items in await shown(conversations)] == [b"[1]", b"[2]", b"[3]", None]

    @pytest.mark.parametrize("bound", [False, True])
    async def test_messages_are_changed_and_taken_out(
        self, bound: bool, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, [*PUT_IN, *PUT_IN])
        if bound:
            await ended(store, said(1))
        await conversations.change("conv_1", {0: None, 1: (Message("user", "c"), b"[7]"), 3: None})
        left = [(0, "c", b"[7]"), (1, "a", b"[1]")]
        assert (await shown(conversations))[:2] == left
        claim = await claimed(store, await store.accept(said(2)))
        more = ["message 1", "hello"] if bound else []
        assert [m.text for m in claim.history] == ["c", "a", *more]
        assert claim.history_from == 0

    async def test_nothing_is_changed_while_a_response_is_under_way(
        self, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, PUT_IN)
        await store.accept(said(1))
        with pytest.raises(ConversationBusy):
            await conversations.add("conv_1", PUT_IN, NOW)
        with pytest.raises(ConversationBusy):
            await conversations.change("conv_1", {0: None})
        with pytest.raises(ConversationBusy):
            await conversations.drop("conv_1")

    async def test_what_follows_a_response_of_a_conversation_is_not_said_in_it(
        self, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, PUT_IN)
        await ended(store, said(1))
        claim = await claimed(store, await store.accept(call(2, RESPONSE, follows=InputId("run_1"))))
        assert claim.session == "ses_2"
        assert [m.text for m in claim.history] == ["a", "b", "message 1", "hello"]

    async def test_nothing_is_left_of_a_dropped_conversation(
        self, store: Store, conversations: Conversations
    ) -> None:
        await conversations.create(ROW, PUT_IN)
        await ended(store, said(1))
        await conversations.drop("conv_1")
        assert await conversations.find("conv_1") is None
        assert await store.holder(SessionId("conv_1")) is None
        assert await store.exchange(InputId("run_1"), "app", OPS) is None
