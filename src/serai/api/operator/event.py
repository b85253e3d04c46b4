"""What a key is told of a happening (SPEC 11.6, 11.7).

Admin keys are told everything of their agents and of the gateway; others of the turns and deliveries of their own
agents, with the ids of their own things alone, and of those jobs that they have made.
"""

from msgspec import Struct

from serai.core.activity import (
    Configured,
    Happening,
    JobMissed,
    Misconfigured,
    Settled,
    Switched,
    TurnBegan,
    TurnOver,
)
from serai.core.ids import AgentId
from serai.core.principal import Principal
from serai.core.turn import TurnEnd


class TurnStartedEvent(Struct, tag_field="type", tag="turn.started"):
    """A turn began; `attempt` above 1: it goes on after an interruption. `job` is the one that it runs. `run`,
    `session` and `job` are null where they belong to another key."""

    agent: str
    platform: str
    session: str | None
    run: str | None
    job: str | None
    attempt: int


class TurnEndedEvent(Struct, tag_field="type", tag="turn.ended"):
    """A turn ended after `seconds`; `error` says why it has no answer."""

    agent: str
    platform: str
    session: str | None
    run: str | None
    job: str | None
    state: TurnEnd
    seconds: float
    model: str
    input_tokens: int
    output_tokens: int
    error: str | None


class JobMissedEvent(Struct, tag_field="type", tag="job.missed"):
    """A job did not run at its slots from `first` to `last`, in seconds since the epoch. For admin keys, and the key
    that made the job."""

    agent: str
    job: str
    name: str
    first: float
    last: float
    reason: str


class DeliveryEvent(Struct, tag_field="type", tag="delivery"):
    """An attempt to deliver something ended; `new` will be tried again. `id`, `chat` and `error` are for admin keys,
    null for others; `agent` is null where the gateway itself speaks."""

    agent: str | None
    platform: str
    account: str
    id: str | None
    chat: str | None
    state: str
    error: str | None


class ConfigurationEvent(Struct, tag_field="type", tag="configuration.changed"):
    """Another configuration is in force. For admin keys."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


class RefusedEvent(Struct, tag_field="type", tag="configuration.refused"):
    """A changed configuration has problems, and the earlier one stays in force. For admin keys."""

    problems: tuple[str, ...]


class AgentEvent(Struct, tag_field="type", tag="agent.switched"):
    """Somebody stopped an agent, or let it answer again."""

    agent: str
    stopped: bool


class LostEvent(Struct, tag_field="type", tag="events.lost"):
    """Something happened that is no longer known here."""


Event = (
    TurnStartedEvent
    | TurnEndedEvent
    | JobMissedEvent
    | DeliveryEvent
    | ConfigurationEvent
    | RefusedEvent
    | AgentEvent
    | LostEvent
)


def event(happening: Happening, principal: Principal) -> Event | None:
    """What a key is told of a happening; None for nothing."""
    match happening:
        case Configured(changed, needs_restart):
            return ConfigurationEvent(changed, needs_restart) if principal.admin else None
        case Misconfigured(problems):
            return RefusedEvent(problems) if principal.admin else None
        case _ if not _concerns(happening.agent, principal):
            return None
        case Switched(agent, stopped):
            return AgentEvent(agent, stopped)
        case Settled():
            return _delivery(happening, principal)
        case TurnBegan() | TurnOver():
            return _turn(happening, principal)
        case JobMissed():
            return _missed(happening) if _owns(happening, principal) else None


def _concerns(agent: AgentId, principal: Principal) -> bool:
    """Whether a key hears of an agent; of the gateway's own doings, which are no agent's, admins do."""
    return principal.may_use(agent) if agent else principal.admin


def _delivery(one: Settled, principal: Principal) -> DeliveryEvent:
    private = (one.delivery, one.chat, one.error) if principal.admin else (None, None, None)
    name, chat, error = private
    return DeliveryEvent(one.agent or None, one.platform, one.account, name, chat, one.state, error)


def _turn(one: TurnBegan | TurnOver, principal: Principal) -> Event:
    own = _owns(one, principal)
    session, run, job = (one.session, one.run, one.job) if own else (None, None, None)
    if isinstance(one, TurnBegan):
        return TurnStartedEvent(one.agent, one.platform, session, run, job, one.attempt)
    return TurnEndedEvent(
        one.agent,
        one.platform,
        session,
        run,
        job,
        one.state,
        one.seconds,
        one.model,
        one.input_tokens,
        one.output_tokens,
        one.error if own else None,
    )


def _missed(one: JobMissed) -> JobMissedEvent:
    return JobMissedEvent(one.agent, one.job, one.name, one.first, one.last, one.reason)


def _owns(one: TurnBegan | TurnOver | JobMissed, principal: Principal) -> bool:
    return principal.may_see(one.agent, one.owner)
