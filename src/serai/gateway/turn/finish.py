"""The committed end of a turn: its history and its deliveries in one transaction (SPEC 5.4)."""

from collections.abc import Sequence
from dataclasses import replace

from serai.core.delivery import Enclosure, Target
from serai.core.error import UnknownAgent
from serai.core.event import TurnEnded, run_topic
from serai.gateway.answer.draft import Ending
from serai.gateway.answer.ending import ending, reply_target
from serai.gateway.key import chat_key
from serai.gateway.persist import until_stored
from serai.gateway.turn.history import Remembered
from serai.gateway.turn.work import Work
from serai.gateway.turn.workshop import Workshop
from serai.ports.store.claim import Finish


async def finish(shop: Workshop, work: Work, ended: TurnEnded, *, told: bool) -> bool:
    """Commits the end, with its answer where people are `told`; then tells everybody who waits. Returns whether the
    lane has more to do. Raises Fenced."""
    await work.close_draft()
    claim, messages = work.claim, work.progress.complete_messages()
    last = await _ending(shop, work, ended, told=told)
    end = Finish(
        ended,
        messages,
        last.deliveries,
        work.progress.unwritten,
        last.sealed,
        last.said,
        closes=work.job is not None,
        problems=last.problems,
    )
    done = await until_stored(
        lambda: shop.store.finish(claim.fence, end, shop.clock.now()), "an answer", **work.names
    )
    if work.past and done.messages == len(work.past) + len(messages):
        # a first turn is mostly the only one; from the second on, it is worth remembering, where nobody else has said
        # something there meanwhile
        _remember(shop, work, len(messages))
    for one in work.inputs:
        shop.engine.publish(run_topic(one.id), ended)
    for key in _chats(reply_target(work.inputs), last):
        shop.engine.wake(key)
    await shop.hooks.turn_ended(claim, ended.state)
    if work.job is not None:
        await shop.hooks.session_finalized(claim.agent, claim.session, "done")
    return done.more


def _remember(shop: Workshop, work: Work, messages: int) -> None:
    claim, progress = work.claim, work.progress
    seen = (*work.past, *progress.shown()[:messages])
    shop.history.put(claim.address, Remembered(claim.lane, claim.session, seen, progress.redactor))


async def _ending(shop: Workshop, work: Work, ended: TurnEnded, *, told: bool) -> Ending:
    """What people are told: those of a job, or of the chat that is answered."""
    files = work.progress.enclosures if ended.answer is not None else ()
    if work.job is not None:
        return await shop.errands.end(work.claim, work.job, ended, files, told=told)
    target = reply_target(work.inputs)
    return _answer(shop, work, ended, target, files, told=told) if target is not None else Ending()


def _answer(
    shop: Workshop, work: Work, ended: TurnEnded, target: Target, files: Sequence[Enclosure], *, told: bool
) -> Ending:
    """The answer in pieces that the platform takes, and the files behind it."""
    prefix = work.prefix
    if ended.fault is not None and ended.fault.code == UnknownAgent.code:
        target, prefix = replace(target, agent_id=None), ""  # nobody may speak for that agent: the gateway does
    packed = shop.parcels.files(target, files)
    last = ending(
        ended,
        target,
        work.draft,
        told=told,
        notes=packed.notes,
        cut=lambda text: shop.parcels.text(target, prefix + text),
    )
    return replace(last, deliveries=[*last.deliveries, *packed.deliveries]) if packed.deliveries else last


def _chats(target: Target | None, last: Ending) -> set[str]:
    """The chats that have something to be sent."""
    chats = {chat_key(one.target) for one in last.deliveries}
    return chats | {chat_key(target)} if target is not None and last.sealed else chats
