"""A claimed turn at work: everything that belongs to it alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from serai.agent.progress import Progress
from serai.core.call_id import own_ids
from serai.core.delivery import Target
from serai.core.job import JobRun
from serai.core.message import Message
from serai.core.turn import Claim, Input, together
from serai.gateway.answer.draft import Draft
from serai.gateway.answer.ending import reply_target
from serai.gateway.turn.history import Remembered, past
from serai.gateway.turn.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Work:
    """One turn while it runs; `job` is the run of a job that it is.

    `past` is its session's history as the model may see it; `inputs` grow by what joins it. `target` is the chat that
    is answered, with `prefix` before the answer; `draft` is what people see there while it is written.
    """

    claim: Claim
    job: JobRun | None
    past: Sequence[Message]
    progress: Progress
    inputs: list[Input]
    target: Target | None
    prefix: str
    draft: Draft | None

    @property
    def names(self) -> dict[str, object]:
        """What the log says of it."""
        claim = self.claim
        return {
            "agent": claim.agent,
            "session": claim.session,
            "turn": claim.fence.turn,
            "run": claim.inputs[0].id,
            "attempt": claim.attempt,
        }

    async def close_draft(self) -> None:
        """Nothing more is shown before the end."""
        if self.draft is not None:
            await self.draft.close()


def take_up(shop: Workshop, claim: Claim, remembered: Remembered | None) -> Work:
    """Begins to work at a claim that built on what is `remembered` of its session."""
    at_first = [one for one in claim.inputs if one.joined is None]
    progress = Progress([own_ids(one) for one in together(at_first)], shop.state.redactor)
    history = past(claim, remembered, progress.redactor)
    inputs = list(claim.inputs)
    target = reply_target(inputs)
    prefix = f"[{claim.agent}] " if shop.state.snapshot.live.agent_prefix else ""
    draft = None
    if target is not None:
        draft = shop.drafts.begin(claim, target, prefix, lambda: progress.model_calls)
    return Work(claim, inputs[0].body.job, history, progress, inputs, target, prefix, draft)
