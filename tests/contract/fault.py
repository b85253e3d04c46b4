"""What each driver does about each fault, as it was seen to do it. Seconds are the loop's, so virtual ones."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from serai.core.error import SendFailed, SendPermanent, SendTemporary, SendUnknown, Shut
from serai.testing.platform.malformed import Malformed
from serai.testing.platform.rig import ExclusiveRig, Fault, LiveRig, Sever, Utterance
from serai.testing.platform.stage import Stage, filled
from tests.contract.outcome import Trial

_MOST_SECONDS: Final = 600.0
_LATE_SECONDS: Final = 5.0
_NO_CONNECTION: Final = "no connection of its own"
_FIRST: Final = 10_000_001
_BEFORE: Final = Utterance("before", message="1")

Seen = Callable[[Trial], Awaitable[str]]


def _sending(fault: Fault) -> Seen:
    async def seen(trial: Trial) -> str:
        async with trial.kept() as stage:
            await stage.rig.fault(fault)
            error = await stage.failure(stage.delivery())
            wait = error.retry_after if isinstance(error, SendTemporary) else None
            return f"`{_kind(error)}`" + (f", again after {wait:g} s" if wait is not None else "")

    return seen


def _severing(how: Sever) -> Seen:
    async def seen(trial: Trial) -> str:
        async with trial.kept() as stage:
            if not isinstance(stage.rig, LiveRig) or stage.rig.platform.capabilities.silence_s is None:
                return _NO_CONNECTION
            await stage.say(_BEFORE)
            begun = _now()
            await stage.rig.sever(how)
            await _again(stage)
            took = _now() - begun
            await stage.say(Utterance("after", message="2"))
            await asyncio.sleep(_LATE_SECONDS)
            return f"connected again after {took:.1f} s; {_heard(stage, 'before', 'after')}"

    return seen


async def _twice(trial: Trial) -> str:
    async with trial.stage() as stage:
        acks = [*await stage.say(_BEFORE), *await stage.say(_BEFORE)]
        return f"{_heard(stage, 'before')}, {sum(acks)} of 2 acknowledged"


async def _twice_over_a_reconnect(trial: Trial) -> str:
    async with trial.kept() as stage:
        if not isinstance(stage.rig, LiveRig) or stage.rig.platform.capabilities.silence_s is None:
            return _NO_CONNECTION
        await stage.say(_BEFORE)
        await stage.rig.sever("cut")
        await _again(stage)
        await stage.say(_BEFORE)
        return _heard(stage, "before")


async def _out_of_order(trial: Trial) -> str:
    async with trial.stage() as stage:
        await stage.say(*(Utterance(f"{n}", message=f"{_FIRST + n}") for n in (3, 1, 2)))
        return f"{_heard(stage, '3', '1', '2')}, in the order of coming"


async def _second_login(trial: Trial) -> str:
    async with trial.kept() as stage:
        if not stage.rig.platform.capabilities.exclusive:
            return "the platform does not tell"
        assert isinstance(stage.rig, ExclusiveRig)
        await stage.rig.log_in_elsewhere()
        return await _shut(stage)


async def _revoked(trial: Trial) -> str:
    async with trial.kept() as stage:
        if not isinstance(stage.rig, LiveRig) or stage.rig.platform.capabilities.silence_s is None:
            return _NO_CONNECTION
        await stage.rig.revoke()
        return await _shut(stage)


async def _oversized(trial: Trial) -> str:
    async with trial.stage() as stage:
        capabilities = stage.rig.platform.capabilities
        error = await stage.failure(stage.delivery(filled(capabilities) + "x"))
        limit = f"{capabilities.text_limit:,} {capabilities.text_unit}s"
        return f"`{_kind(error)}` over {limit}; {len(stage.rig.seen)} sent"


async def _malformed(trial: Trial) -> str:
    async with trial.kept() as stage:
        samples, longest, costs = stage.rig.malformed(), 0.0, 0
        for number, sample in enumerate(samples, _FIRST):
            ends = len(stage.gateway.ends)
            longest = max(longest, await _past(stage, sample, number))
            costs += len(stage.gateway.ends) > ends
        kept = f"{len(samples) - costs} of {len(samples)} passed over"
        return f"{kept}; {costs} cost the connection, made anew within {longest:.0f} s" if costs else kept


async def _past(stage: Stage, sample: Malformed, number: int) -> float:
    """Seconds after which the driver is connected (still, or again) and has heard the next message."""
    begun = _now()
    await stage.rig.garble(sample.payload)
    await _again(stage)
    took = _now() - begun
    await stage.say(Utterance(f"good {number}", message=f"{number}"))
    assert any(one.text == f"good {number}" for one in stage.gateway.heard), sample.name
    return took


FAULTS: Final[Mapping[str, Seen]] = {
    "a rate limit (429, or the platform's own code)": _sending("rate_limited"),
    "the platform fails (5xx)": _sending("server_error"),
    "the platform refuses for good": _sending("rejected"),
    "no connection for sending": _sending("refused"),
    "a request was written, and no answer comes": _sending("timeout"),
    "a request was written, and the connection is cut": _sending("disconnect"),
    "a half-open socket": _severing("silent"),
    "a clean close, 1000": _severing("closed_1000"),
    "a clean close, 1001": _severing("closed_1001"),
    "a cut connection": _severing("cut"),
    "a message comes twice": _twice,
    "a message comes again after a reconnect": _twice_over_a_reconnect,
    "messages come out of order": _out_of_order,
    "a second login": _second_login,
    "a revoked token": _revoked,
    "an oversized message": _oversized,
    "malformed payloads": _malformed,
}
"""What happens, and how it is seen what a driver does."""


def seen(platform: str, fault: str) -> str:
    """What a platform's driver does about a fault."""
    trial = Trial(platform)
    with asyncio.Runner(loop_factory=trial.loop_factory) as runner:
        return runner.run(_watched(FAULTS[fault](trial)))


async def _watched(work: Awaitable[str]) -> str:
    return await work


def _kind(error: SendFailed) -> str:
    """The class by which the gateway goes."""
    return next(kind.__name__ for kind in (SendTemporary, SendPermanent, SendUnknown) if isinstance(error, kind))


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _again(stage: Stage) -> None:
    async with asyncio.timeout(_MOST_SECONDS):
        await stage.rig.logged_in()


async def _shut(stage: Stage) -> str:
    async with asyncio.timeout(_MOST_SECONDS):
        while stage.gateway.shut is None:
            await asyncio.sleep(0.1)
    shut: Shut = stage.gateway.shut
    return f"shut: `{type(shut).__name__}`"


def _heard(stage: Stage, *texts: str) -> str:
    """Says how often the gateway was told of which message, as it tells them apart: by their keys."""
    by_key = {inbound.dedupe_key: inbound.text for inbound in stage.gateway.heard}
    if list(by_key.values()) == list(texts):
        return "each is one message" if len(texts) > 1 else "it is one message"
    return f"**{len(by_key)} messages for {len(texts)}**"
