"""What the shell offers when Tab is pressed: ids of agents, of sessions and of jobs.

Nothing is ever said here: where the home cannot be read, nothing is offered.
"""

from typing import TYPE_CHECKING

import click

from serai.cli.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from serai.ports.store.archive import Archive, SessionRow

_SESSIONS_MOST = 50


def agents(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The configured agents whose ids begin with what was typed."""
    snapshot = _place(ctx).load().snapshot
    known = map(str, snapshot.agents) if snapshot else ()
    return [name for name in known if name.startswith(incomplete)]


def sessions(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The latest sessions whose ids begin with what was typed."""
    from serai.cli.archive import read
    from serai.core.error import SeraiError

    async def latest(archive: "Archive") -> "Sequence[SessionRow]":
        return await archive.sessions(limit=_SESSIONS_MOST)

    try:
        found = read(_place(ctx), latest, ())
    except SeraiError:
        return []
    return [row.id for row in found if row.id.startswith(incomplete)]


def jobs(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The jobs, of all agents or the one that was given, whose ids or names begin with what was typed."""
    from click.shell_completion import CompletionItem

    from serai.cli.cron.local import LocalBook
    from serai.cli.cron.told import title
    from serai.core.error import SeraiError

    try:
        found = LocalBook(_place(ctx)).jobs(ctx.params.get("agent"))
    except SeraiError:
        return []
    return [
        CompletionItem(job["id"], help=title(job))
        for job in found
        if job["id"].startswith(incomplete) or job["name"].casefold().startswith(incomplete.casefold())
    ]


def _place(ctx: click.Context) -> Place:
    """The home of the command line that is being typed; nothing of it has run."""
    return Place(ctx.find_root().params.get("home"))
