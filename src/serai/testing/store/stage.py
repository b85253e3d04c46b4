"""What the contract suites of stores are played with: one chat, its messages and turns."""

from dataclasses import replace

from serai.core.decision import Decision
from serai.core.delivery import NewDelivery, Target
from serai.core.event import TurnEnded
from serai.core.ids import Account, AgentId, DeliveryId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Answer, InputBody, Message, Usage
from serai.core.turn import Claim
from serai.ports.store import Store
from serai.ports.store.arrival import Arrival
from serai.ports.store.claim import ClaimOffer, Finish
from serai.ports.store.order import Effect, Order

OPS = AgentId("ops")
WEB = Account("webhook", "work")
CHAT = Target("webhook", "room:1", account="work", agent_id=OPS)
NOW = 1_000_000.0


def arrival(number: int, chat: str = "room:1", **changes: object) -> Arrival:
    """A message of one chat; `number` makes it unique."""
    made = Arrival(
        input_id=InputId(f"run_{chat}_{number}"),
        address=LaneAddress(OPS, "webhook", "work", "group", chat=chat),
        connection=WEB,
        dedupe_key=f"{chat}/{number}",
        sender="alice",
        body=InputBody(Message("user", f"message {number}"), options={"seed": number}),
        decision=Decision(OPS, "route", route=2, line=14),
        now=NOW + number,
        due_at=NOW + number,
        reply_to=replace(CHAT, chat_id=chat),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def offer(token: str = "t1", now: float = NOW + 1000, **changes: object) -> ClaimOffer:
    made = ClaimOffer(token, now, SessionId(f"ses_{token}"), prompt="You are Ops.", config="rev")
    return replace(made, **changes)  # type: ignore[arg-type]


def done(text: str = "hello") -> Finish:
    return Finish(
        TurnEnded("done", Answer(text, Usage(3, 5), "m", "stop")),
        messages=[Message("user", "hi"), Message("assistant", text)],
    )


def order(number: int, effect: Effect = None, **changes: object) -> Order:
    """A command typed in room 1, which is answered `done`."""
    made = Order(
        connection=WEB,
        dedupe_key=f"cmd/{number}",
        sender="alice",
        text="/command",
        now=NOW,
        address=arrival(1).address,
        effect=effect,
        new_session=SessionId(f"ses_of_command_{number}"),
        deliveries=[NewDelivery(DeliveryId(f"dlv_cmd_{number}"), CHAT, "done")],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def begun(store: Store, number: int = 1, **changes: object) -> Claim:
    """A claimed turn of a fresh message."""
    accepted = await store.accept(arrival(number, **changes))  # type: ignore[arg-type]
    claim = await store.claim(accepted.lane, offer(f"t_{accepted.input_id}"))
    assert claim is not None
    return claim


async def claimed(store: Store, lane: LaneId) -> Claim:
    """The lane's next turn."""
    claim = await store.claim(lane, offer("claimed"))
    assert claim is not None
    return claim
