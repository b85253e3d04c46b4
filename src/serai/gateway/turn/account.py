"""What is counted of turns, and told to whoever watches the gateway (SPEC 11.6, 15)."""

import structlog

from serai.core.activity import TurnBegan, TurnOver
from serai.core.event import TurnEnded
from serai.core.ids import JobId
from serai.core.message import Answer
from serai.core.turn import Claim
from serai.gateway.turn.work import Work
from serai.gateway.turn.workshop import Workshop

_log = structlog.get_logger("turn")


def account(shop: Workshop, work: Work, ended: TurnEnded, seconds: float) -> None:
    """Counts a turn that took so long, and tells of its end."""
    claim, meter = work.claim, shop.meter
    meter.turns[claim.agent, ended.state] += 1
    meter.turn_seconds[claim.agent] += seconds
    shop.activity.tell(_over(claim, ended, seconds))
    if isinstance(ended.answer, Answer):
        meter.tokens[claim.agent, "in"] += ended.answer.usage.input_tokens
        meter.tokens[claim.agent, "out"] += ended.answer.usage.output_tokens
    elif ended.fault is not None:
        _log.warning(f"turn {ended.state}", reason=ended.fault.text, seconds=round(seconds, 3), **work.names)


def began(claim: Claim) -> TurnBegan:
    """The event of its beginning."""
    first, platform = claim.inputs[0], claim.address.platform
    return TurnBegan(claim.agent, _owner(claim), platform, claim.session, first.id, claim.attempt, _job(claim))


def _over(claim: Claim, ended: TurnEnded, seconds: float) -> TurnOver:
    answer = ended.answer or Answer("")
    return TurnOver(
        claim.agent,
        _owner(claim),
        claim.address.platform,
        claim.session,
        claim.inputs[0].id,
        ended.state,
        round(seconds, 3),
        answer.model,
        answer.usage.input_tokens,
        answer.usage.output_tokens,
        ended.fault.text if ended.fault else None,
        _job(claim),
    )


def _owner(claim: Claim) -> str:
    """The API key that the turn belongs to; nobody's where it is a chat's, or that of a job which no key made."""
    first = claim.inputs[0]
    if first.body.job is not None:
        return first.body.job.owner
    return first.sender if first.reply_to is None else ""


def _job(claim: Claim) -> JobId | None:
    """The job that is run by the turn."""
    run = claim.inputs[0].body.job
    return run.job.id if run is not None else None
