"""The agent in whose name the running code acts: reading side (SPEC 3.1)."""

from contextvars import ContextVar

from serai.core.error import SeraiError
from serai.core.profile import AgentProfile

_bound: ContextVar[AgentProfile] = ContextVar("serai_profile")


class Unbound(SeraiError):
    """No profile is bound here. Code that acts for an agent must run inside `use_profile`."""


def current_profile() -> AgentProfile:
    """The bound profile. Raises Unbound where there is none, in other threads too; there is no default."""
    try:
        return _bound.get()
    except LookupError:
        raise Unbound("no agent is bound here; run this inside use_profile(profile)") from None
