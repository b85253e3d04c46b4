"""Which history a text joins that an agent says unasked, in its runs and by `serai send` (SPEC 9.4)."""

from collections.abc import Sequence
from dataclasses import replace

from serai.core.delivery import Target
from serai.core.ids import AgentId, SessionId
from serai.core.lane import lane_of
from serai.core.source import CHAT_TYPES, ChatType, Source
from serai.gateway.state import State
from serai.ports.clock import Clock, Entropy
from serai.ports.home_chat import HomeChats
from serai.ports.store.claim import Said


class Histories:
    """The histories of places."""

    def __init__(self, state: State, chats: HomeChats, clock: Clock, entropy: Entropy) -> None:
        self._state = state
        self._chats = chats
        self._clock = clock
        self._entropy = entropy

    async def joined(self, agent: AgentId, targets: Sequence[Target], text: str) -> Sequence[Said]:
        """What is said by `agent` at these places, in each history once: several may have one together (SPEC 3.3).
        Raises StorageFailed."""
        found = [await self._said(agent, target, text) for target in targets]
        return [*{one.address: one for one in found}.values()]

    async def _said(self, agent: AgentId, target: Target, text: str) -> Said:
        snapshot = self._state.snapshot
        source = await self._known(_source(target))
        session = SessionId(f"ses_{self._entropy.token()}")
        return Said(lane_of(agent, source, snapshot.lanes), text, session, snapshot.reset.cutoff(self._clock.now()))

    async def _known(self, source: Source) -> Source:
        """The place with the ids of whoever writes there, where a conversation is that person's (SPEC 3.6)."""
        if source.chat_type != "dm" or self._state.snapshot.lanes.dm_scope != "person":
            return source
        known = await self._chats.correspondent(source.connection, source.chat_id or "")
        if known is None or source.user_id not in (None, known.user_id):
            return source
        return replace(source, user_id=known.user_id, user_id_alt=known.user_id_alt)


def _source(target: Target) -> Source:
    """Where a message would come from that is an answer to what is said there."""
    return Source(
        target.platform,
        target.account,
        chat_id=target.chat_id,
        chat_type=_chat_type(target),
        user_id=target.user_id,
        thread_id=target.thread_id,
    )


def _chat_type(target: Target) -> ChatType:
    return target.chat_type if target.chat_type in CHAT_TYPES else "dm"  # type: ignore[return-value]
