"""A home whose database holds a conversation, and deliveries in several states."""

import asyncio
from pathlib import Path

from serai.core.delivery import NewDelivery
from serai.core.ids import DeliveryId
from serai.ports.store.claim import Finish
from serai.ports.store.dispatch import Settlement
from serai.stores.sqlite.store import open_store
from serai.testing.store.stage import CHAT, NOW, WEB, begun, done

KEY = "agent:ops:webhook@work:group:room%3A1"
SESSION = "ses_t_run_room:1_1"


def store_conversation(home: Path) -> None:
    """One session of agent ops in chat `room:1`; its answer may or may not have arrived (`held`)."""
    asyncio.run(_store(home / "state.db"))


async def _store(path: Path) -> None:
    store = open_store(path)
    try:
        claim = await begun(store)
        finish = Finish(done().ended, done().messages, [NewDelivery(DeliveryId("held"), CHAT, "hello")])
        await store.finish(claim.fence, finish, NOW + 2)
        taken = (await store.next_delivery(WEB, CHAT.chat_id, NOW + 3)).delivery
        assert taken is not None
        await store.settle(taken, Settlement("unknown", error="the connection broke"))
    finally:
        await store.close()
