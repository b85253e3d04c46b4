"""The agent in whose name the running code acts: the only module that writes it (SPEC 3.1)."""

from collections.abc import Iterator
from contextlib import contextmanager

from serai.core.profile import AgentProfile
from serai.ports.scope import _bound


@contextmanager
def use_profile(profile: AgentProfile) -> Iterator[AgentProfile]:
    """Binds `profile` for the block and restores what was bound before, also when the block raises.

    Blocks nest; concurrent tasks do not see each other. Binding nothing is not possible: TypeError.
    """
    if not isinstance(profile, AgentProfile):
        raise TypeError(f"use_profile needs an AgentProfile, not {type(profile).__name__}")
    token = _bound.set(profile)
    try:
        yield profile
    finally:
        _bound.reset(token)
