"""`serai agent show` (SPEC 12.1)."""

from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, print_json
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from serai.cli.written import Written
    from serai.core.profile import AgentProfile
    from serai.core.route import Route
    from serai.core.snapshot import Snapshot

    Fields = list[tuple[str, str]]


@click.command("show")
@click.argument("agent", metavar="ID", shell_complete=agents)
@json_option
@click.pass_obj
def show(place: Place, agent: str, as_json: bool) -> None:
    """Show one agent: model, paths, routes, and how its persona begins."""
    import time

    from serai.cli.archive import stopped_agents
    from serai.cli.cron.local import LocalBook
    from serai.cli.cron.summary import summary, summary_fields
    from serai.cli.printable import harmless
    from serai.cli.soul import preview
    from serai.cli.table import print_fields
    from serai.cli.view import agent_document
    from serai.cli.written import WrittenModels

    snapshot = place.snapshot().with_stopped(stopped_agents(place))
    profile = place.agent(snapshot, agent)
    model = WrittenModels(place.layout.config).of(profile)
    soul = preview(profile.soul)
    book = LocalBook(place, snapshot)
    jobs = summary(book.jobs(profile.id), book.problems(profile.id))
    if as_json:
        print_json({**agent_document(profile, snapshot, model), "soul": soul, "jobs": jobs})
        return
    print_fields(
        [
            *_standing(profile, snapshot),
            *_model(profile, model),
            *_paths(place, profile),
            *summary_fields(jobs, time.time()),
        ]
    )
    _print_routes([route for route in snapshot.routes.routes if route.agent == profile.id])
    click.echo("\nSOUL.md")
    for line in harmless(soul).splitlines():
        click.echo(f"  {line}")


def _print_routes(routes: "list[Route]") -> None:
    from serai.cli.route_text import match_text

    click.echo(f"\nRoutes ({len(routes)})")
    for route in routes:
        click.echo(f"  {route.number}  {match_text(route)}")


def _standing(profile: "AgentProfile", snapshot: "Snapshot") -> "Fields":
    default = " (default)" if profile.id == snapshot.default_agent else ""
    refused = [("refused", profile.refusal)] if profile.refusal else []
    off = [("schedules", profile.schedules)] if profile.schedules else []
    return [("id", profile.id + default), *refused, *off]


def _model(profile: "AgentProfile", model: "Written") -> "Fields":
    from serai.cli.local import AT_START, configured

    return [
        ("model", model["name"] or AT_START.name),
        ("provider", model["provider"] or ""),
        ("base URL", model["base_url"] or ""),
        ("key", model["api_key_env"] or ""),
        ("fallback", ", ".join(endpoint.name for endpoint in configured(profile)[1:])),
        ("toolsets", ", ".join(sorted(profile.toolsets))),
    ]


def _paths(place: Place, profile: "AgentProfile") -> "Fields":
    paths = {
        "home": profile.home,
        "soul": profile.soul,
        "memories": profile.memories,
        "skills": profile.skills,
        "sessions": profile.sessions,
        "cron": profile.cron,
        "workspace": profile.workspace,
    }
    return [(name, place.shown(path)) for name, path in paths.items()]
