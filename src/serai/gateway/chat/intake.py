"""The entrance of chat platforms: duplicate? meant for us? authorised? whose? then one transaction (SPEC 5.1, 6)."""

from dataclasses import replace
from typing import Final

import structlog

from serai.core.approval import WORDS, parse_button
from serai.core.command import parse_command, parse_mention
from serai.core.decision import Decision
from serai.core.delivery import NewDelivery, Target
from serai.core.error import MessageDropped, Refused, Unauthorised, UnknownAgent
from serai.core.ids import AgentId, DeliveryId, InputId
from serai.core.lane import LaneAddress, lane_of
from serai.core.message import Inbound, InputBody, Message, Press, Revision
from serai.core.snapshot import AccountSettings
from serai.core.source import Source
from serai.core.turn import Stopped
from serai.gateway.approval.approvals import Approvals, NotOpen, sentence
from serai.gateway.chat.commands import Commands
from serai.gateway.chat.spoken import Spoken
from serai.gateway.key import chat_key, lane_key
from serai.gateway.lane.door import Door
from serai.gateway.manners import is_for_us, may_choose, speaker
from serai.ports.hooks import Dropped
from serai.ports.platform import Receipt
from serai.ports.store.arrival import Accepted, Arrival, Known
from serai.ports.store.people import Stranger

_log = structlog.get_logger("intake")

_CODE_SECONDS: Final = 600.0
"""For which a pairing code may be used (SPEC 16.4)."""

_OVERTAKEN: Final = Stopped("a newer message interrupted it")


class Intake:
    """Takes what platforms receive."""

    def __init__(self, door: Door, commands: Commands, approvals: Approvals) -> None:
        self._door = door
        self._commands = commands
        self._approvals = approvals

    async def receive(self, inbound: Inbound | Revision | Press) -> Receipt:
        """Accepts a platform's message; when this returns, it is stored.

        Raises Unauthorised, UnknownAgent, Busy or StorageFailed, each with the sentence for the sender.
        """
        if isinstance(inbound, Revision):
            return await self._revise(inbound)
        if isinstance(inbound, Press):
            return await self._press(inbound)
        source = inbound.source
        known = await self._door.store.look(
            source.connection, inbound.dedupe_key, source.chat_id or "", source.user or ""
        )
        if known.input_id is not None:
            self._door.meter.duplicates += 1
            return Receipt(known.input_id, duplicate=True)
        try:
            return await self._receive(inbound, known)
        except Refused as refusal:
            self._door.meter.refused[refusal.code] += 1
            _log.warning("message refused", platform=str(source.connection), chat=source.chat_id, reason=str(refusal))
            raise

    async def _receive(self, inbound: Inbound, known: Known) -> Receipt:
        settings = self._door.state.account(inbound.source.connection)
        if settings is None:
            raise Unauthorised("this account is not configured any more")
        named = self._named(inbound)
        if not is_for_us(inbound, settings, named=named is not inbound):
            return Receipt(None, ignored=True)
        if not self._is_admitted(inbound.source, settings, known):
            return await self._knock(inbound.source, settings)
        inbound = named
        decision = await self._door.resolver.decide(inbound.source, known.binding)
        address = lane_of(decision.agent, inbound.source, self._door.state.snapshot.lanes)
        target = _reply_target(inbound.source, decision.agent)
        command = parse_command(inbound.text)
        if command is not None and not inbound.attachments:
            return await self._commands.run(Spoken(command, inbound, decision, address, target, known.binding))
        if decision.refused is not None:
            raise UnknownAgent(decision.refused)
        accepted = await self._accept(inbound, settings, decision, address, target)
        return Receipt(accepted.input_id, accepted.duplicate, agent=accepted.agent)

    def _named(self, inbound: Inbound) -> Inbound:
        """The message as said to the agent that it begins with (`@name`), where its sender may choose that one; else
        the message itself: an unknown or forbidden name is plain text (SPEC 6.6)."""
        found = parse_mention(inbound.text)
        if found is None or not found[1] or inbound.source.agent_id is not None:
            return inbound
        agent, text = AgentId(found[0]), found[1]
        if not may_choose(self._door.state.snapshot, inbound, agent):
            return inbound
        return replace(inbound, source=replace(inbound.source, agent_id=agent), text=text)

    def _is_admitted(self, source: Source, settings: AccountSettings, known: Known) -> bool:
        """No setting means nobody (SPEC 6.7)."""
        if settings.access.admits(source.user_id, source.user_id_alt, source.chat_id):
            return True
        return settings.access.pairing and source.chat_type == "dm" and known.admitted

    async def _knock(self, source: Source, settings: AccountSettings) -> Receipt:
        """An unknown person: a code where the account pairs and the chat is direct. Raises Unauthorised."""
        if not settings.access.pairing or source.chat_type != "dm" or not source.user:
            raise Unauthorised("you are not on this account's list; its operator can add you to `allow_users`")
        door = self._door
        now, code = door.clock.now(), door.entropy.code()
        text = f"I do not know you yet. Ask my operator to run: serai pair approve {code} (within 10 minutes)"
        target = _reply_target(source, door.state.snapshot.default_agent)
        stranger = Stranger(
            source.connection,
            source.user,
            source.user_name or "",
            code,
            now,
            now + _CODE_SECONDS,
            NewDelivery(DeliveryId(f"dlv_{door.entropy.token()}"), target, text),
        )
        if await door.store.knock(stranger):
            door.engine.wake(chat_key(target))
        return Receipt(None)

    async def _accept(
        self,
        inbound: Inbound,
        settings: AccountSettings,
        decision: Decision,
        address: LaneAddress,
        target: Target,
    ) -> Accepted:
        door, source = self._door, inbound.source
        text = await door.hooks.dispatch(decision.agent, source, inbound.text)
        said = inbound if isinstance(text, Dropped) else replace(inbound, text=text)
        live = door.state.snapshot.live
        now = door.clock.now()
        shared = source.chat_type != "dm" and not address.user
        wait = (live.merge.near_limit_s if inbound.near_limit else live.merge.quiet_s) if settings.merge else 0.0
        arrival = Arrival(
            input_id=inbound.run or InputId(f"run_{door.entropy.token()}"),
            address=address,
            connection=source.connection,
            dedupe_key=inbound.dedupe_key,
            sender=source.user or "",
            body=InputBody(
                Message("user", said.text),
                speaker=speaker(source) if shared else "",
                stream=inbound.run is not None,
                attachments=inbound.attachments,
            ),
            decision=decision,
            now=now,
            due_at=now + wait,
            reply_to=target,
            joins=settings.merge,
            source=source if door.hooks.wants_source else None,
        )
        if isinstance(text, Dropped):
            return await self._drop(arrival, text)
        accepted = await door.accept(arrival)
        complete = accepted.waiting >= live.merge.max_pieces
        if wait and (shared or complete):  # a burst may have ended by this message: somebody else's, or its own
            door.engine.wake(lane_key(decision.agent, accepted.lane))
        if accepted.behind and live.busy_mode == "interrupt":
            await door.lanes.overtake(accepted.lane, _OVERTAKEN)
        return accepted

    async def _drop(self, arrival: Arrival, dropped: Dropped) -> Accepted:
        """Stores that the message came, so that a second copy is known, and nothing else."""
        dropped_by = f"dropped by the plugin `{dropped.plugin}`"
        self._door.meter.refused[MessageDropped.code] += 1
        _log.info("message dropped", platform=str(arrival.connection), plugin=dropped.plugin)
        return await self._door.store.accept(replace(arrival, dropped=dropped_by))

    async def _press(self, press: Press) -> Receipt:
        """Somebody answers a question by its button; what comes of it is told to them alone. Raises StorageFailed."""
        source = press.source
        settings = self._door.state.account(source.connection)
        known = await self._door.store.look(
            source.connection, press.dedupe_key, source.chat_id or "", source.user or ""
        )
        if settings is None or not self._is_admitted(source, settings, known):
            return Receipt(None, ignored=True, note="You may not use this.")
        meant = parse_button(press.value)
        if meant is None:
            return Receipt(None, ignored=True, note="This button has no meaning any more.")
        try:
            found = await self._approvals.find(*meant, press)
            await self._approvals.decide(found)
        except (NotOpen, Unauthorised) as error:
            return Receipt(None, ignored=True, note=sentence(str(error)))
        return Receipt(None, agent=found.approval.agent, note=sentence(WORDS[meant[1]]))

    async def _revise(self, revision: Revision) -> Receipt:
        """An edit changes nothing where plugins may have changed the text, or would have dropped it."""
        if revision.text is not None and self._door.hooks.rewrites_messages:
            return Receipt(None, ignored=True)
        return Receipt(None, ignored=not await self._door.store.revise(revision))


def _reply_target(source: Source, agent: AgentId) -> Target:
    """Answers go to the chat that asked, through the account it asked through."""
    return Target(
        platform=source.platform,
        account=source.account,
        chat_id=source.chat_id or source.user or "",
        chat_type=source.chat_type,
        thread_id=source.thread,
        user_id=source.user_id,
        agent_id=agent,
        reply_to=(source.message_id,) if source.message_id else (),
    )
