"""The objects of the API that people read: sessions, messages, deliveries, usage, agents (SPEC 11.6, 16.3).

The command line prints the same with `--json` (SPEC 16.7). Times are seconds since the epoch.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import UNSET, Struct, UnsetType

from serai.core.address import without_credentials
from serai.core.delivery import Delivery, DeliveryState, Target
from serai.core.message import Image, Message, Role, ToolCall
from serai.core.profile import AgentProfile, Endpoint
from serai.core.snapshot import Snapshot
from serai.ports.store.archive import MessageRow, SessionRow, SessionState, UsageRow


class SessionDocument(Struct, tag_field="object", tag="session"):
    """A stretch of a conversation. `key` is its session key; `owner` the API key that it belongs to, empty where it
    is a chat's."""

    id: str
    key: str
    agent: str
    platform: str
    state: SessionState
    messages: int
    opened_at: float
    last_at: float
    title: str | None
    owner: str


class MessageDocument(Struct, tag_field="object", tag="message"):
    """One message of a session; they are numbered from 0."""

    n: int
    created_at: float
    role: Role
    text: str
    images: Sequence[Image]
    tool_calls: Sequence[ToolCall]
    tool_call_id: str | None
    name: str | None


class DeliveryDocument(Struct, tag_field="object", tag="delivery"):
    """Something that was or will be sent to a chat; `agent` is null where the gateway itself speaks. `attempt` counts
    from 1 once it is being sent."""

    id: str
    target: Target
    agent: str | None
    text: str
    attempt: int
    created_at: float
    due_at: float
    state: DeliveryState
    remote_id: str | None
    error: str | None


class UsageDocument(Struct, tag_field="object", tag="usage"):
    """Turns that ended, and the tokens that they took; of the columns, those that were asked for.

    `model` is empty for turns that ended without an answer.
    """

    turns: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    day: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class EndpointDocument(Struct):
    """A model and where it is reached; of its key the name alone."""

    name: str
    provider: str
    base_url: str
    api_key_env: str | None
    origin: str


class AgentDocument(Struct, tag_field="object", tag="agent"):
    """An agent. `refusal` says why it does not answer. Where it lives and by which endpoint it thinks (`base_url`,
    `api_key_env`, `fallback`, `home`) is told to admin keys alone; others see null."""

    id: str
    default: bool
    model: str | None
    provider: str | None
    base_url: str | None
    api_key_env: str | None
    fallback: Sequence[EndpointDocument] | None
    toolsets: Sequence[str]
    home: str | None
    routes: Sequence[int]
    refusal: str | None


def session(row: SessionRow) -> SessionDocument:
    return SessionDocument(
        row.id,
        row.key,
        row.agent,
        row.platform,
        row.state,
        row.messages,
        row.opened_at,
        row.last_at,
        row.title,
        row.owner,
    )


def message(row: MessageRow) -> MessageDocument:
    said: Message = row.message
    return MessageDocument(
        row.n, row.created_at, said.role, said.text, said.images, said.tool_calls, said.tool_call_id, said.name
    )


def delivery(one: Delivery) -> DeliveryDocument:
    return DeliveryDocument(
        one.id,
        one.target,
        one.agent or None,
        one.text,
        one.attempt,
        one.created_at,
        one.due_at,
        one.state,
        one.remote_id,
        one.error,
    )


def usage(row: UsageRow, columns: Sequence[str]) -> UsageDocument:
    """What all took that have the same `columns`."""
    used = row.usage
    return UsageDocument(
        row.turns,
        used.input_tokens,
        used.output_tokens,
        used.cached_tokens,
        used.reasoning_tokens,
        row.day if "day" in columns else UNSET,
        row.agent if "agent" in columns else UNSET,
        row.model if "model" in columns else UNSET,
    )


def summed(rows: Sequence[UsageRow], columns: Sequence[str]) -> Sequence[UsageRow]:
    """One row for each that differs in `columns`, in the order of the first of its kind."""
    found: dict[tuple[str, ...], UsageRow] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in columns)
        old = found.get(key)
        found[key] = replace(row, turns=old.turns + row.turns, usage=old.usage + row.usage) if old else row
    return list(found.values())


def agents(profiles: Sequence[AgentProfile], snapshot: Snapshot, *, whole: bool) -> list[AgentDocument]:
    """Agents; `whole` for those who may know where they live."""
    routes: Mapping[str, list[int]] = defaultdict(list)
    for route in snapshot.routes.routes:
        routes[route.agent].append(route.number)
    return [_agent(profile, snapshot, routes[profile.id], whole=whole) for profile in profiles]


def _agent(profile: AgentProfile, snapshot: Snapshot, routes: Sequence[int], *, whole: bool) -> AgentDocument:
    first = profile.models[0] if profile.models else None
    return AgentDocument(
        profile.id,
        profile.id == snapshot.default_agent,
        first.name if first else None,
        first.provider if first else None,
        without_credentials(first.base_url) if first and whole else None,
        first.key_name if first and whole else None,
        [_endpoint(one) for one in profile.models[1:]] if whole else None,
        sorted(profile.toolsets),
        str(profile.home) if whole else None,
        routes,
        profile.refusal,
    )


def _endpoint(endpoint: Endpoint) -> EndpointDocument:
    return EndpointDocument(
        endpoint.name,
        endpoint.provider,
        without_credentials(endpoint.base_url),
        endpoint.key_name,
        endpoint.origin,
    )
