"""How an agent appears for which no model is configured: the gateway looks for one on this machine (SPEC 7.2)."""

from serai.core.profile import AgentProfile, Endpoint

AT_START = Endpoint("(found at start)", "", provider="local", origin="local")
"""Stands for a local server's model, or the embedded one: commands do not start or look for them."""


def configured(profile: AgentProfile) -> tuple[Endpoint, ...]:
    """The models that the configuration names for an agent, in the order in which they are tried."""
    return tuple(endpoint for endpoint in profile.models if endpoint != AT_START)
