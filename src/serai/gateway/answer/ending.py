"""What a chat is told at the end of a turn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from serai.core.delivery import NewDelivery, Target
from serai.core.event import TurnEnded, TurnFault
from serai.core.message import is_silence
from serai.core.turn import Input
from serai.gateway.answer.draft import Draft, Ending

STOPPED: Final = "(stopped)"
"""Stands below what had been written when people stopped an answer."""


def ending(
    ended: TurnEnded,
    target: Target,
    draft: Draft | None,
    *,
    told: bool,
    notes: Sequence[str] = (),
    cut: Callable[[str], Sequence[NewDelivery]],
) -> Ending:
    """The answer, or the sentence about the failure, where people are to be `told`; and what becomes of the draft
    that they have seen. What was written before a failure or a stop stays. `cut` makes the
    deliveries of a text, `notes` stand below it."""
    text = spoken(ended) if told else ""
    silent = not text.strip() or is_silence(text)
    if notes:
        text, silent = "\n\n".join([*([] if silent else [text]), *notes]), False
    if draft is None or not draft.told:
        return Ending() if silent else Ending(deliveries=cut(text))
    if ended.answer is not None:
        return draft.as_it_stands() if silent else draft.ending(text, target)
    written = draft.written.rstrip()
    return draft.ending("\n\n".join(filter(None, (written, text or STOPPED))), target)


def reply_target(inputs: Sequence[Input]) -> Target | None:
    """Where the answer goes: to the place of the last message, in reply to all of them."""
    last = inputs[-1].reply_to
    if last is None or len(inputs) == 1:
        return last
    answered = [name for one in inputs if one.reply_to for name in one.reply_to.reply_to]
    return replace(last, reply_to=tuple(answered))


def spoken(ended: TurnEnded) -> str:
    """The words for how a turn ended."""
    if ended.answer is not None:
        return ended.answer.text
    return f"Sorry, I could not answer: {ended.fault.text}." if ended.fault else ""


def refused(reason: str) -> TurnEnded:
    """The end of what no agent may answer (SPEC 16.6)."""
    return failed(reason, 403, "agent_refused")


def failed(text: str, status: int, code: str, retry_after: float | None = None) -> TurnEnded:
    return TurnEnded("failed", fault=TurnFault(text, status, code, retry_after))
