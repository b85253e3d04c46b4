"""`serai model list`: the models in use, found and embedded (SPEC 7.2, 12)."""

from typing import TYPE_CHECKING, Any

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.snapshot import Snapshot

Document = dict[str, Any]

HEADS = ("model", "used by", "where")


@click.command("list")
@json_option
@click.pass_obj
def list_models(place: Place, as_json: bool) -> None:
    """List the agents' models, the model servers that answer on this machine, and the embedded model."""
    import asyncio

    snapshot = place.snapshot()
    models = [*_configured(snapshot), *asyncio.run(_served(snapshot.api.port)), _embedded(place)]
    if as_json:
        print_json(listing(models))
    else:
        _print_models(place, models)


def _configured(snapshot: "Snapshot") -> list[Document]:
    from serai.cli.local import configured
    from serai.cli.view import endpoint_document

    return [
        {"object": "model", "source": "configured", "agent": profile.id, **endpoint_document(endpoint)}
        for profile in snapshot.agents.values()
        for endpoint in configured(profile)
    ]


async def _served(own_port: int) -> list[Document]:
    """The first model of each kind of server that answers on loopback."""
    import asyncio

    from serai.cli.view import endpoint_document
    from serai.models.discovery import DEFAULT, find_local
    from serai.models.session import make_session

    async with make_session() as session:
        found = await asyncio.gather(*(find_local(session, [port], own=[own_port]) for port in DEFAULT))
    return [{"object": "model", "source": "local", **endpoint_document(one)} for one in found if one is not None]


def _embedded(place: Place) -> Document:
    from serai.models.weights import SMOLLM2, find

    path = find(place.home)
    name = SMOLLM2.file.removesuffix(".gguf")
    return {"object": "model", "source": "embedded", "name": name, "present": bool(path), "path": path and str(path)}


def _print_models(place: Place, models: list[Document]) -> None:
    from pathlib import Path

    from serai.cli.table import print_table

    rows = []
    for model in models:
        match model["source"]:
            case "configured":
                rows.append((model["name"], model["agent"], model["base_url"]))
            case "local":
                rows.append((model["name"], "any without its own", model["base_url"]))
            case _:
                where = place.shown(Path(model["path"])) if model["present"] else "(get it: serai model pull)"
                rows.append((model["name"], "last resort", where))
    print_table(HEADS, rows, whole=("model",))
