"""`serai agent add` (SPEC 12.1)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import agents
from serai.core.error import SeraiError

if TYPE_CHECKING:
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot


@click.command("add")
@click.argument("agent", metavar="ID")
@click.option("--model", metavar="NAME", help="The model's name.")
@click.option("--provider", metavar="NAME", help="Who serves it.")
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible endpoint.")
@click.option("--api-key-env", metavar="NAME", help="The NAME of the variable that holds the key, never the key.")
@click.option("--home-dir", metavar="PATH", help="Where the agent lives  [agents/ID]")
@click.option("--enabled-toolsets", metavar="A,B", help="Its toolsets; an empty text is no tools.")
@click.option(
    "--from-profile", metavar="ID", shell_complete=agents, help="Clone persona, skills and memories of this agent."
)
@click.pass_obj
def add(place: Place, /, agent: str, from_profile: str | None, **settings: str | None) -> None:
    """Add an agent, or clone one. ID takes letters, digits, `-` and `_`."""
    from serai.cli.change import change
    from serai.config.edit import ConfigFile
    from serai.core.ids import AgentId

    check_id(agent)
    snapshot = place.snapshot()
    if agent in snapshot.agents:
        raise Failed(f"Agent `{agent}` already exists.")
    source = _source(snapshot, from_profile)
    written = change(place, lambda file: file.add_agent(agent, _given(settings)))
    profile = written.agents[AgentId(agent)]
    try:
        _furnish(profile, source)
    except (SeraiError, OSError):
        ConfigFile(place.layout.config).remove_agent(agent, with_routes=False)
        raise
    click.echo(f"Added agent `{agent}` in {place.shown(profile.home)}; its persona is SOUL.md there.")


def check_id(agent: str) -> None:
    """Raises Failed where this cannot name an agent."""
    from serai.core.ids import RESERVED, is_agent_id

    if agent in RESERVED:
        raise Failed(f"Invalid agent ID `{agent}`: it is reserved.")
    if not is_agent_id(agent):
        raise Failed(f"Invalid agent ID `{agent}`: use 1 to 64 letters, digits, `-` and `_`.")


def _source(snapshot: "Snapshot", agent: str | None) -> "AgentProfile | None":
    """The agent to clone. Raises Failed where it is not configured."""
    from serai.cli.nearest import hint

    if agent is None:
        return None
    found = {str(profile.id): profile for profile in snapshot.agents.values()}
    if agent not in found:
        raise Failed(f"Agent `{agent}` does not exist{hint(agent, found)}, so it cannot be cloned.")
    return found[agent]


def _given(settings: Mapping[str, str | None]) -> dict[str, object]:
    """The settings that were given, as config.yaml has them."""
    given: dict[str, object] = {key: value for key, value in settings.items() if value is not None}
    toolsets = settings["enabled_toolsets"]
    if toolsets is not None:
        given["enabled_toolsets"] = [name.strip() for name in toolsets.split(",") if name.strip()]
    return given


def _furnish(profile: "AgentProfile", source: "AgentProfile | None") -> None:
    """Makes the home, with what is cloned and a persona. Raises Startup or OSError where it cannot be made."""
    from serai.cli.clone import clone
    from serai.cli.soul import write_starter
    from serai.config.layout import prepare_agent

    prepare_agent(profile)
    if source is not None:
        copied = clone(source, profile)
        click.echo(f"Cloned {', '.join(copied) or 'nothing: there was nothing to take'} from `{source.id}`.")
    write_starter(profile)
