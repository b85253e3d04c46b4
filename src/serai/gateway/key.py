"""The engine's keys: whose drains are woken (DESIGN 3)."""

from serai.core.delivery import Target
from serai.core.ids import AgentId, LaneId


def chat_key(target: Target) -> str:
    """The key for what is sent to a chat."""
    return f"out:{target.platform}:{target.account}:{target.chat_id}"


def lane_key(agent: AgentId, lane: LaneId) -> str:
    """The key for a lane."""
    return f"turn:{agent}:{lane}"
