"""The first agent: its id, its home, its persona."""

from typing import TYPE_CHECKING

import click

from serai.cli.place import Place
from serai.cli.setup.given import Given

if TYPE_CHECKING:
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot


def begin(place: Place, snapshot: "Snapshot", given: Given) -> "AgentProfile":
    """Adds the agent where it is not configured, and gives it a persona where it has none. Raises Failed, Startup."""
    from serai.cli.agent_add import check_id
    from serai.cli.change import change
    from serai.cli.soul import write_persona, write_starter
    from serai.config.layout import prepare_agent
    from serai.core.ids import MAIN, AgentId

    name = given.agent or (MAIN if given.yes else click.prompt("Name of the first agent", default=MAIN))
    check_id(name)
    agent = AgentId(name)
    if agent not in snapshot.agents:
        snapshot = change(place, lambda file: file.add_agent(agent, {}))
        click.echo(f"Added agent `{agent}`.")
    profile = snapshot.agents[agent]
    prepare_agent(profile)
    persona = given.persona if given.persona is not None or given.yes else _asked(profile)
    if persona and not write_persona(profile, persona):
        click.echo(f"Its persona stays, because somebody wrote it: {place.shown(profile.soul)}", err=True)
    write_starter(profile)
    return profile


def _asked(profile: "AgentProfile") -> str:
    if profile.soul.exists():
        return ""
    persona: str = click.prompt(f"Who is {profile.id}? A sentence or two", default="", show_default=False)
    return persona
