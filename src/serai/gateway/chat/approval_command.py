"""`/approve` and `/deny`: answers to what agents may not do without leave (SPEC 6.5)."""

from collections.abc import Mapping, Sequence

from serai.core.approval import CHOICES, WORDS, ApprovalChoice
from serai.core.error import Unauthorised
from serai.core.ids import ApprovalId
from serai.gateway.approval.approvals import Approvals, NotOpen, sentence
from serai.gateway.chat.spoken import ADMINS_ONLY, Action, Reply, Spoken
from serai.gateway.lane.door import Door
from serai.gateway.manners import may_choose
from serai.ports.store.approval import Revoke


class ApprovalCommand:
    """Takes what people answer."""

    def __init__(self, door: Door, approvals: Approvals) -> None:
        self._door = door
        self._approvals = approvals
        self.actions: Mapping[str, Action] = {"approve": self._approve, "deny": self._deny}

    async def _approve(self, spoken: Spoken) -> Reply:
        words = spoken.command.argument.split()
        choice: ApprovalChoice = "once"
        for one in CHOICES[:3]:
            if words and words[-1].lower() == one:
                choice = one
                words.pop()
                break
        return await self._decide(spoken, words, choice)

    async def _deny(self, spoken: Spoken) -> Reply:
        words = spoken.command.argument.split()
        agent = spoken.address.agent
        if len(words) == 1 and words[0] in await self._door.store.allowances(agent):
            if not may_choose(self._door.state.snapshot, spoken.inbound, agent):
                return Reply(ADMINS_ONLY)
            return Reply(f"{agent} asks again before it uses {words[0]}.", Revoke(agent, words[0]))
        return await self._decide(spoken, words, "deny")

    async def _decide(self, spoken: Spoken, words: Sequence[str], choice: ApprovalChoice) -> Reply:
        """Answers the question that is named, or the only one that was asked in this chat."""
        if len(words) > 1:
            return Reply("Write /approve or /deny, the question's id, and for /approve: once, session or always.")
        if words:
            name = ApprovalId(words[0].upper())
        else:
            here = await self._approvals.here(spoken.inbound)
            if not here:
                return Reply("Nothing waits for your answer here.")
            if len(here) > 1:
                lines = [f"{one.id}: May I {one.question}? ({one.agent})" for one in here]
                return Reply("\n".join(["Several questions wait; name one by its id:", *lines]))
            name = here[0].id
        try:
            found = await self._approvals.find(name, choice, spoken.inbound)
        except (NotOpen, Unauthorised) as error:
            return Reply(sentence(str(error)))
        return Reply(f"{sentence(WORDS[choice])[:-1]}: {found.approval.question}.", found.verdict, found)
