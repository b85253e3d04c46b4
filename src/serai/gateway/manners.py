"""Who may do what in a chat, and what is meant for the bot at all (SPEC 6.6 to 6.8)."""

from serai.core.approval import Approval, ApprovalChoice
from serai.core.command import parse_command
from serai.core.ids import AgentId
from serai.core.live import names_of
from serai.core.message import Inbound, Press
from serai.core.snapshot import AccountSettings, Snapshot
from serai.core.source import Source


def is_for_us(inbound: Inbound, settings: AccountSettings, *, named: bool) -> bool:
    """Whether somebody wants an answer: in groups a mention, a reply, a command, or an agent that is `named`."""
    source = inbound.source
    if source.is_bot:
        return False
    if source.chat_type == "dm" or not settings.require_mention or inbound.mentioned or named:
        return True
    command = parse_command(inbound.text)
    return command is not None and command.known


def is_admin(snapshot: Snapshot, inbound: Inbound | Press) -> bool:
    """Whether the sender may use approving and managing commands (SPEC 6.7)."""
    return inbound.admin or not names_of(inbound.source, snapshot.lanes.identities).isdisjoint(snapshot.live.admins)


def may_choose(snapshot: Snapshot, inbound: Inbound | Press, agent: AgentId) -> bool:
    """Whether the sender may have this agent answer, by `/agent` or `@name` (SPEC 6.6). Absent list: admins only."""
    profile = snapshot.agents.get(agent)
    if profile is None or profile.refusal is not None or not _reaches(inbound, agent):
        return False
    if is_admin(snapshot, inbound) or "*" in profile.allow:
        return True
    return not names_of(inbound.source, snapshot.lanes.identities).isdisjoint(profile.allow)


def may_answer(snapshot: Snapshot, said: Inbound | Press, approval: Approval, choice: ApprovalChoice) -> bool:
    """Whether somebody may answer whether a tool may run (SPEC 6.5): admins, who may choose the agent, and those
    whose messages the turn answers; these not for always, which concerns others, too."""
    if not _reaches(said, approval.agent):
        return False
    if is_admin(snapshot, said) or may_choose(snapshot, said, approval.agent):
        return True
    asked = said.source.connection == approval.connection and (said.source.user or "") in approval.senders
    return asked and choice != "always"


def _reaches(said: Inbound | Press, agent: AgentId) -> bool:
    """Whether the key that the sender came in with may use the agent (SPEC 11.1)."""
    return said.agents is None or agent in said.agents


def speaker(source: Source) -> str:
    """Who speaks, for a model that hears several people."""
    return source.user_name or source.user or "somebody"
