"""Asking for a routing decision: the running gateway where there is one, else the files (SPEC 4.6)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serai.cli.failure import Failed
from serai.cli.gateway import Gateway, fault, running
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.snapshot import Snapshot
    from serai.gateway.resolver import Resolver


def explain(place: Place, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The decision for a message with these fields of a source, in the shape of `POST /api/routes/test`."""
    gateway = running(place.layout.lock)
    return _asked(gateway, fields) if gateway else _computed(place, fields)


def _asked(gateway: Gateway, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    status, document = gateway.ask("POST", "/api/routes/test", fields)
    if status != 200 or not isinstance(document, dict):
        raise Failed(fault(status, document))
    return document


def _computed(place: Place, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    import asyncio

    from serai.cli.view import explanation_document
    from serai.core.source import Source

    source = Source(**{**fields, "platform": fields["platform"].lower(), "roles": tuple(fields.get("roles", ()))})
    return explanation_document(asyncio.run(_resolver(place, place.snapshot()).explain(source)))


def _resolver(place: Place, snapshot: "Snapshot") -> "Resolver":
    """The gateway's own resolver, over the files; the hooks' complaints go to stderr. Raises Startup for a plugin."""
    import sys

    import structlog

    from serai.gateway.resolver import Resolver
    from serai.plugins.hooks import PluginHooks
    from serai.plugins.load import load_plugins

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return Resolver(lambda: snapshot, PluginHooks(load_plugins(snapshot.plugins, place.layout.plugins)))
