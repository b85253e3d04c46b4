"""What every store must do with home chats and with texts that answer nothing (SPEC 6.4, 9.5, 10), as a pytest suite:
subclass it, and give it the fixtures `store` and `home_chats` of one database.
"""

from dataclasses import replace

from serai.core.delivery import NewDelivery, Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, DeliveryId
from serai.core.lane import LaneAddress
from serai.ports.home_chat import Correspondent, HomeChats, SetHomeChat
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival
from serai.testing.store.stage import CHAT, NOW, OPS, WEB, arrival, order

ROOM = HomeChat("room:1", "t:1", "group", "alice")
OTHER = HomeChat("room:2")


class HomeChatContract:
    """The rules, one test each."""

    async def test_a_chosen_home_chat_is_its_accounts_alone(self, store: Store, home_chats: HomeChats) -> None:
        assert await home_chats.chosen() == {}
        await store.order(order(1, SetHomeChat(ROOM)))
        elsewhere = Account("webhook", "other")
        await store.order(order(2, SetHomeChat(OTHER), connection=elsewhere))
        assert await home_chats.chosen() == {WEB: ROOM, elsewhere: OTHER}

    async def test_the_last_choice_counts_and_can_be_taken_back(self, store: Store, home_chats: HomeChats) -> None:
        await store.order(order(1, SetHomeChat(ROOM)))
        await store.order(order(2, SetHomeChat(OTHER)))
        assert await home_chats.chosen() == {WEB: OTHER}
        await store.order(order(3, SetHomeChat(None)))
        await store.order(order(4, SetHomeChat(None)))
        assert await home_chats.chosen() == {}

    async def test_a_second_copy_of_the_command_changes_nothing(self, store: Store, home_chats: HomeChats) -> None:
        await store.order(order(1, SetHomeChat(ROOM)))
        await store.order(order(2, SetHomeChat(None)))
        assert (await store.order(order(1, SetHomeChat(ROOM)))).duplicate
        assert await home_chats.chosen() == {}

    async def test_a_chat_has_the_type_that_messages_came_with(self, store: Store, home_chats: HomeChats) -> None:
        assert await home_chats.chat_type(WEB, "room:1") is None
        await store.accept(arrival(1))
        assert await home_chats.chat_type(WEB, "room:1") == "group"
        assert await home_chats.chat_type(WEB, "room:2") is None
        assert await home_chats.chat_type(Account("webhook", "other"), "room:1") is None

    async def test_a_direct_chat_has_the_person_whose_messages_join_their_own_conversation(
        self, store: Store, home_chats: HomeChats
    ) -> None:
        await store.accept(arrival(1))
        assert await home_chats.correspondent(WEB, "room:1") is None
        await store.accept(direct(2, "room:1", user="42"))
        await store.accept(direct(3, "room:2", user="42", alt="ada"))
        assert await home_chats.correspondent(WEB, "room:1") == Correspondent("42", None)
        assert await home_chats.correspondent(WEB, "room:2") == Correspondent("42", "ada")
        assert await home_chats.correspondent(Account("webhook"), "room:1") is None

    async def test_the_last_one_to_write_in_a_direct_chat_counts(self, store: Store, home_chats: HomeChats) -> None:
        for number, user in enumerate(["42", "43", "43"]):
            await store.accept(direct(number, "room:1", user=user))
        assert await home_chats.correspondent(WEB, "room:1") == Correspondent("43", None)

    async def test_a_chat_is_none_of_the_threads_in_it(self, store: Store, home_chats: HomeChats) -> None:
        address = arrival(1).address
        await store.accept(arrival(1, address=replace(address, chat_type="dm", thread="")))
        await store.accept(arrival(2, address=replace(address, chat_type="thread", thread="t:9")))
        await store.accept(arrival(3, address=replace(address, chat="room:2", chat_type="thread", thread="t:9")))
        assert await home_chats.chat_type(WEB, "room:1") == "dm"
        assert await home_chats.chat_type(WEB, "room:1", "t:9") == "thread"
        assert await home_chats.chat_type(WEB, "room:1", "t:8") == "thread"
        assert await home_chats.chat_type(WEB, "room:2") is None

    async def test_a_thread_where_nobody_wrote_is_as_its_chat(self, store: Store, home_chats: HomeChats) -> None:
        address = replace(arrival(1).address, chat_type="group", thread="")
        await store.accept(arrival(1, address=address))
        await store.accept(arrival(2, address=replace(address, chat="room:2", thread="t:9")))
        assert await home_chats.chat_type(WEB, "room:1", "t:9") == "group"
        assert await home_chats.chat_type(WEB, "room:2") == "group"

    async def test_texts_for_several_chats_are_taken_in_each_one_by_itself(self, store: Store) -> None:
        new = [delivery("a", CHAT), delivery("b", CHAT), delivery("c", replace(CHAT, chat_id="room:2"))]
        await store.deliver(new, NOW)
        assert set((await store.unfinished(NOW)).chats) == {(WEB, "room:1"), (WEB, "room:2")}
        first = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        other = (await store.next_delivery(WEB, "room:2", NOW)).delivery
        assert first is not None
        assert other is not None
        assert (first.id, first.agent, first.target, first.created_at) == ("a", OPS, CHAT, NOW)
        assert other.id == "c"
        assert (await store.next_delivery(WEB, "room:1", NOW)).delivery is None

    async def test_what_the_gateway_says_itself_is_no_agents(self, store: Store) -> None:
        await store.deliver([delivery("a", replace(CHAT, agent_id=None))], NOW)
        found = (await store.next_delivery(WEB, "room:1", NOW)).delivery
        assert found is not None
        assert found.agent == ""


def direct(number: int, chat: str, user: str, alt: str | None = None) -> Arrival:
    """A message of somebody who has one conversation across platforms (SPEC 3.6)."""
    return arrival(
        number,
        chat,
        address=LaneAddress(OPS, "person", "", "dm", chat=alt or user),
        sender=alt or user,
        reply_to=replace(CHAT, chat_id=chat, user_id=user),
    )


def delivery(name: str, target: Target) -> NewDelivery:
    return NewDelivery(DeliveryId(name), target, "hello")
