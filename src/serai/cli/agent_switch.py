"""`serai agent stop|start`: the kill switch (SPEC 7.6)."""

from typing import TYPE_CHECKING

import click

from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from serai.ports.store import Store


@click.command("stop")
@click.argument("agent", metavar="ID", shell_complete=agents)
@click.pass_obj
def stop(place: Place, agent: str) -> None:
    """Stop an agent at once: its running turns end, what waits for it is refused. It stays so until `agent start`."""
    _switch(place, agent, "stop")
    click.echo(f"Agent `{agent}` is stopped. `serai agent start {agent}` lets it answer again.")


@click.command("start")
@click.argument("agent", metavar="ID", shell_complete=agents)
@click.pass_obj
def start(place: Place, agent: str) -> None:
    """Let a stopped agent answer again."""
    _switch(place, agent, "start")
    click.echo(f"Agent `{agent}` is not stopped any more.")


def _switch(place: Place, agent: str, verb: str) -> None:
    """Asks the running gateway; where none runs, the database keeps it for the next one. Raises Failed.

    What the running gateway knows counts, also while config.yaml is being edited.
    """
    from urllib.parse import quote

    from serai.cli.failure import Failed
    from serai.cli.gateway import fault, running

    gateway = running(place.layout.lock)
    if gateway is None:
        place.agent(place.snapshot(), agent)
        _keep(place, agent, verb)
        return
    status, document = gateway.ask("POST", f"/api/agents/{quote(agent, safe='')}/{verb}")
    if status != 200:
        raise Failed(fault(status, document))


def _keep(place: Place, agent: str, verb: str) -> None:
    import time

    from serai.cli.archive import change
    from serai.config.layout import prepare
    from serai.core.ids import AgentId

    async def switched(store: "Store") -> None:
        if verb == "stop":
            await store.stop_agent(AgentId(agent), time.time())
        else:
            await store.start_agent(AgentId(agent))

    prepare(place.layout)
    change(place, switched, None, make=True)
