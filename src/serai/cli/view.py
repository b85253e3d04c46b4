"""What the reading commands print with `--json`: plain documents of the values they read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from msgspec import Struct

from serai.api import document as api
from serai.cli.doctor.finding import Finding
from serai.cli.local import configured
from serai.cli.written import Written
from serai.core.address import without_credentials
from serai.core.decision import Explanation
from serai.core.delivery import Delivery
from serai.core.profile import AgentProfile, Endpoint
from serai.core.route import Route
from serai.core.snapshot import Problem, Snapshot
from serai.ports.store.archive import Counts, Found, MessageRow, SessionRow, UsageRow
from serai.ports.store.people import Person

Document = dict[str, Any]


def session_document(row: SessionRow) -> Document:
    return _plain(api.session(row))


def message_document(row: MessageRow) -> Document:
    return _plain(api.message(row))


def history_document(row: SessionRow, messages: Sequence[MessageRow]) -> Document:
    """A session with all that was said in it."""
    return {**session_document(row), "history": [message_document(entry) for entry in messages]}


def found_document(found: Found) -> Document:
    """A message that was found, and where it stands."""
    return {**message_document(found.row), "session": found.session, "key": found.key, "agent": found.agent}


def usage_document(row: UsageRow, columns: Sequence[str]) -> Document:
    return _plain(api.usage(row, columns))


def delivery_document(delivery: Delivery) -> Document:
    return _plain(api.delivery(delivery))


def person_document(person: Person) -> Document:
    return {
        "object": "person",
        "platform": person.connection.platform,
        "account": person.connection.name,
        "user": person.user,
        "name": person.name,
        "since": person.since,
        "code": person.code,
        "expires_at": person.expires_at,
    }


def counts_document(counts: Counts) -> Document:
    return asdict(counts)


def problem_document(problem: Problem) -> Document:
    return {"object": "problem", **asdict(problem)}


def finding_document(finding: Finding) -> Document:
    return {"object": "finding", **asdict(finding)}


def route_document(route: Route) -> Document:
    return {
        "object": "route",
        "number": route.number,
        "line": route.line,
        "match": {key: sorted(wanted) for key, wanted in route.match.items()},
        "agent": route.agent,
        "inherit_threads": route.inherit_threads,
    }


def explanation_document(explanation: Explanation) -> Document:
    """SPEC 16.3."""
    decision = asdict(explanation.decision)
    return {**decision, "considered": [asdict(entry) for entry in explanation.considered]}


def endpoint_document(endpoint: Endpoint) -> Document:
    """A model and where it is reached; of its key the name alone."""
    return {
        "name": endpoint.name,
        "provider": endpoint.provider,
        "base_url": without_credentials(endpoint.base_url),
        "api_key_env": endpoint.key_name,
        "origin": endpoint.origin,
    }


def agent_document(profile: AgentProfile, snapshot: Snapshot, model: Written) -> Document:
    return {
        "id": profile.id,
        "object": "agent",
        "default": profile.id == snapshot.default_agent,
        "model": model["name"],
        "provider": model["provider"],
        "base_url": model["base_url"],
        "api_key_env": model["api_key_env"],
        "fallback": [endpoint_document(endpoint) for endpoint in configured(profile)[1:]],
        "toolsets": sorted(profile.toolsets),
        "home": str(profile.home),
        "routes": [route.number for route in snapshot.routes.routes if route.agent == profile.id],
        "refusal": profile.refusal,
    }


def _plain(value: Struct) -> Document:
    document: Document = msgspec.to_builtins(value)
    return document
