"""/api/sessions: list, get, messages, patch, delete, fork (SPEC 11.6, 11.7, 16.3).

A key sees what belongs to it and its agents; everything else is not there (404). Admin keys see all of their agents,
also what was said on chat platforms.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from serai.api import document as documents
from serai.api.body import decode, read
from serai.api.document import MessageDocument, SessionDocument
from serai.api.error import ApiError, invalid
from serai.api.header import LONGEST
from serai.api.operation import Operation
from serai.api.page import DEFAULT, Limit, ListOf, Next, cut, not_found, page, query
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.api.services import Sessions as Changes
from serai.core.command import TITLE_MOST
from serai.core.cursor import Cursor
from serai.core.ids import AgentId, SessionId
from serai.core.principal import Principal
from serai.gateway.request.sessions import API
from serai.ports.store.archive import Archive, SessionFilter, SessionRow, SessionState
from serai.ports.store.arrival import SessionTaken

Title = Annotated[str, Meta(max_length=TITLE_MOST)]
Chosen = Annotated[
    str, Meta(pattern=rf"^[\x21-\x7e]{{1,{LONGEST}}}$", description="1 to 256 visible ASCII characters.")
]
_ERRORS: Final = ("session_not_found", "storage_failed")


class SessionQuery(Struct, forbid_unknown_fields=True):
    """Which sessions are listed."""

    agent: Annotated[str, Meta(max_length=64)] | None = None
    platform: Annotated[str, Meta(max_length=64)] | None = None
    state: SessionState | None = None
    limit: Limit = DEFAULT
    before: Next | None = None


class MessageQuery(Struct, forbid_unknown_fields=True):
    """Which of a session's messages are listed."""

    limit: Limit = DEFAULT
    after: Annotated[int, Meta(ge=-1, le=2**53)] = -1


class SessionPatch(Struct, forbid_unknown_fields=True):
    """What is changed of a session. A title that is null or blank is taken away."""

    title: Title | None


class ForkRequest(Struct, forbid_unknown_fields=True):
    """The new session. Without `title` it has the old one's, without `session_id` the gateway chooses one."""

    title: Title | None = None
    session_id: Chosen | None = None


class Gone(Struct, tag_field="object", tag="session.deleted"):
    """What was deleted."""

    id: str
    deleted: bool = True


_PATCH: Final = msgspec.json.Decoder(SessionPatch)
_FORK: Final = msgspec.json.Decoder(ForkRequest)


class Sessions:
    """Sessions as objects."""

    def __init__(self, archive: Archive, changes: Changes) -> None:
        self._archive = archive
        self._changes = changes

    @Operation(
        summary="Sessions, the latest first",
        answer=ListOf[SessionDocument],
        query=SessionQuery,
        errors=("storage_failed",),
    )
    async def list(self, call: Call) -> Reply:
        """GET /api/sessions."""
        asked = query(SessionQuery, call)
        wanted = _wanted(asked, call.principal)
        found = await self._archive.sessions(wanted, limit=asked.limit + 1, before=_cursor(asked.before))
        rows, last = cut(found, asked.limit)
        after = str(Cursor(last.last_at, last.id)) if last else None
        return document(200, page(map(documents.session, rows), after=after))

    @Operation(summary="One session", answer=SessionDocument, errors=_ERRORS)
    async def one(self, call: Call) -> Reply:
        """GET /api/sessions/{id}."""
        return document(200, documents.session(await self.known(call)))

    @Operation(
        summary="What was said in a session", answer=ListOf[MessageDocument], query=MessageQuery, errors=_ERRORS
    )
    async def messages(self, call: Call) -> Reply:
        """GET /api/sessions/{id}/messages: in order."""
        row = await self.known(call)
        asked = query(MessageQuery, call)
        found = await self._archive.messages(row.id, after=asked.after, limit=asked.limit + 1)
        rows, last = cut(found, asked.limit)
        return document(200, page(map(documents.message, rows), after=str(last.n) if last else None))

    @Operation(summary="Names a session", answer=SessionDocument, body=SessionPatch, errors=_ERRORS)
    async def patch(self, call: Call) -> Reply:
        """PATCH /api/sessions/{id}."""
        row = await self.known(call)
        asked = decode(_PATCH, await read(call.request))
        if not await self._changes.entitle(row.id, (asked.title or "").strip() or None):
            raise not_found("session_not_found", row.id)
        return document(200, documents.session(await self.known(call)))

    @Operation(summary="Deletes a session, and cancels what is under way in it", answer=Gone, errors=_ERRORS)
    async def delete(self, call: Call) -> Reply:
        """DELETE /api/sessions/{id}."""
        row = await self.known(call)
        if not await self._changes.erase(row.id):
            raise not_found("session_not_found", row.id)
        return document(200, Gone(row.id))

    @Operation(
        summary="Copies a session",
        answer=SessionDocument,
        status=201,
        body=ForkRequest,
        optional=True,
        errors=(*_ERRORS, "session_exists"),
    )
    async def fork(self, call: Call) -> Reply:
        """POST /api/sessions/{id}/fork: the copy belongs to the asking key. Raises ApiError 409 for a taken id."""
        row = await self.known(call)
        body = await read(call.request)
        asked = decode(_FORK, body) if body else ForkRequest()
        wanted = SessionId(asked.session_id) if asked.session_id else None
        title = (asked.title or "").strip() or None
        try:
            new = await self._changes.fork(row.id, row.agent, call.principal.name, wanted, title)
        except SessionTaken:
            raise _taken(asked.session_id or "") from None
        made = await self._archive.session(new) if new else None
        if made is None:
            raise not_found("session_not_found", row.id)
        return document(201, documents.session(made))

    async def known(self, call: Call) -> SessionRow:
        """The session of the path. Raises ApiError 404 where it is not there for this key."""
        name = call.parts[0]
        row = await self._archive.session(name)
        if row is None or row.id != name or not may_see(call.principal, row):
            raise not_found("session_not_found", name)
        return row


def may_see(principal: Principal, row: SessionRow) -> bool:
    """Whether a session is there for a key: its own, of an agent that it may use; admins see all of those agents."""
    return principal.may_see(row.agent, row.owner) and (principal.admin or row.platform == API)


def _wanted(asked: SessionQuery, principal: Principal) -> SessionFilter:
    agents = frozenset({AgentId(asked.agent)}) if asked.agent else None
    if principal.agents is not None:
        agents = principal.agents if agents is None else agents & principal.agents
    platform = asked.platform.lower() if asked.platform else None
    if principal.admin:
        return SessionFilter(agents, None, platform, asked.state)
    return SessionFilter(agents, principal.name, API if platform in (None, API) else "", asked.state)


def _cursor(text: str | None) -> Cursor | None:
    try:
        return Cursor.parse(text) if text is not None else None
    except ValueError:
        raise invalid("before", "`before` is the `next` of an earlier page.") from None


def _taken(name: str) -> ApiError:
    text = f"The session id `{name}` is taken."
    return ApiError(409, "session_exists", text, param="session_id")
