"""POST /api/routes/test: which agent would answer, and why (SPEC 4.6, 16.3, 16.7)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from serai.api.body import decode, read
from serai.api.operation import Operation
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.decision import Considered, Explanation
from serai.core.ids import DEFAULT_ACCOUNT, AgentId
from serai.core.source import ChatType, Source

Id = str | int
"""An id as people type it: the digits of a number count as text (SPEC 4.1)."""


class SourceFields(Struct, forbid_unknown_fields=True):
    """The fields of a source (SPEC 3.2)."""

    platform: Annotated[str, Meta(min_length=1)]
    account: Annotated[str, Meta(min_length=1)] = DEFAULT_ACCOUNT
    chat_id: Id | None = None
    chat_type: ChatType = "dm"
    chat_name: str | None = None
    user_id: Id | None = None
    user_id_alt: Id | None = None
    user_name: str | None = None
    roles: list[Id] = msgspec.field(default_factory=list)
    thread_id: Id | None = None
    topic_id: Id | None = None
    guild_id: Id | None = None
    parent_chat_id: Id | None = None
    message_id: Id | None = None
    is_bot: bool = False
    agent_id: str | None = None

    def source(self) -> Source:
        """The same as the gateway's own value."""
        return Source(
            self.platform.lower(),
            self.account,
            _text(self.chat_id),
            self.chat_type,
            self.chat_name,
            _text(self.user_id),
            _text(self.user_id_alt),
            self.user_name,
            tuple(str(role) for role in self.roles),
            _text(self.thread_id),
            _text(self.topic_id),
            _text(self.guild_id),
            _text(self.parent_chat_id),
            _text(self.message_id),
            self.is_bot,
            AgentId(self.agent_id) if self.agent_id else None,
        )


class Explained(Struct):
    """The answer: the decision, and the routes that were tried before it with the first key that did not hold."""

    agent: str
    reason: str
    route: int | None
    line: int | None
    plugin: str | None
    refused: str | None
    considered: tuple[Considered, ...]


_DECODER: Final = msgspec.json.Decoder(SourceFields)


class RouteTest:
    """Explains routing to admins: it tells of all agents and routes."""

    def __init__(self, explain: Callable[[Source], Awaitable[Explanation]]) -> None:
        self._explain = explain

    @Operation(
        summary="Which agent would answer a message, and why",
        answer=Explained,
        body=SourceFields,
        errors=("admin_required",),
    )
    async def answer(self, call: Call) -> Reply:
        """POST /api/routes/test. Raises ApiError 403 for a key that is no admin's."""
        call.admins_only()
        fields = decode(_DECODER, await read(call.request))
        return document(200, _explained(await self._explain(fields.source())))


def _explained(explanation: Explanation) -> Explained:
    made = explanation.decision
    return Explained(
        made.agent, made.reason, made.route, made.line, made.plugin, made.refused, explanation.considered
    )


def _text(value: Id | None) -> str | None:
    return None if value is None or value == "" else str(value)
