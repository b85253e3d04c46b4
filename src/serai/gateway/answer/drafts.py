"""Which answers people see while they are written, and in which way (SPEC 5.7)."""

from collections.abc import Callable

from serai.core.delivery import Target
from serai.core.turn import Claim
from serai.gateway.answer.blocks import AnswerInBlocks
from serai.gateway.answer.draft import Draft, Means, Writing
from serai.gateway.answer.growth import GrowingAnswer
from serai.gateway.delivery.outbox import Connections
from serai.gateway.state import State


class Drafts:
    """Makes drafts for turns of chats."""

    def __init__(self, means: Means, state: State, connections: Connections) -> None:
        self._means = means
        self._state = state
        self._connections = connections

    def begin(self, claim: Claim, target: Target, prefix: str, call: Callable[[], int]) -> Draft | None:
        """The draft of a turn's answer; None where nothing is told before it is complete. What an earlier attempt has
        told is gone on with, or at least ended."""
        account, platform = self._state.account(target.connection), self._connections(target.connection)
        shows = account is not None and account.stream and platform is not None
        capabilities = platform.capabilities if platform is not None and shows else None
        writing = Writing(claim.fence, claim.agent, target, prefix, call)
        if capabilities is not None and capabilities.blocks is not None:
            return AnswerInBlocks(self._means, writing, capabilities, capabilities.blocks, claim.told)
        growth = capabilities.growth if capabilities is not None else None
        if growth is None and not claim.told:
            return None
        return GrowingAnswer(self._means, writing, growth, claim.told)
