"""What the page calls: agents, chats, messages, events (SPEC 6.7)."""

from typing import Final

from aiohttp.web_response import StreamResponse

from serai.api.body import decode, read
from serai.api.error import ApiError, invalid
from serai.api.models import stamp
from serai.api.path import Call
from serai.api.reply import EVENTS, Reply, document
from serai.core.error import StorageFailed
from serai.core.ids import AgentId
from serai.core.principal import Principal
from serai.core.snapshot import Snapshot
from serai.ports.mailbox import Mailbox
from serai.web.desk import Desk, ForeignChat, Letter
from serai.web.events import Events
from serai.web.hub import Hub
from serai.web.wire import MESSAGE, NAME, chat_document, picture, post_document

_PRIVATE: Final = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_PICTURE: Final = (
    ("Cache-Control", "private, max-age=31536000, immutable"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
)
_QUERY_MOST: Final = 200
_PAGE: Final = 50


class Chats:
    """The chats of whoever asks. Those of another key are not there (404)."""

    def __init__(self, mailbox: Mailbox, hub: Hub, desk: Desk) -> None:
        self._mailbox = mailbox
        self._hub = hub
        self._desk = desk

    async def agents(self, call: Call) -> Reply:
        """GET /web/agents: those that this key may use. `routed`: the routes may choose."""
        usable = [one for one in sorted(call.snapshot.agents) if call.principal.may_use(one)]
        data = [{"object": "agent", "id": one, "refusal": call.snapshot.refusal(one)} for one in usable]
        default = _fallback(call.principal, call.snapshot) or call.snapshot.default_agent
        body = {"object": "list", "data": data, "default": default, "routed": call.principal.agents is None}
        return document(200, {**body, "name": call.principal.name}, _PRIVATE)

    async def list(self, call: Call) -> Reply:
        """GET /web/chats, with `?q=` those whose title or texts hold it, with `?before=` what comes after `next`."""
        asked = call.request.rel_url.query
        rows = await self._mailbox.chats(
            call.principal.name, asked.get("q", "")[:_QUERY_MOST], _PAGE + 1, _moment(asked.get("before"))
        )
        data, more = [chat_document(row) for row in rows[:_PAGE]], len(rows) > _PAGE
        last = str(rows[_PAGE - 1].updated_at) if more else None
        return document(200, {"object": "list", "data": data, "has_more": more, "next": last}, _PRIVATE)

    async def messages(self, call: Call) -> Reply:
        """GET /web/chats/{id}."""
        chat = await self._own(call)
        posts = sorted(await self._mailbox.posts(chat), key=lambda post: post.n)
        return document(200, {"object": "list", "data": [post_document(post) for post in posts]}, _PRIVATE)

    async def send(self, call: Call) -> Reply:
        """POST /web/chats/{id}/messages: 202 once the message is stored; the same message again is the same."""
        (chat, *_) = call.parts
        if not NAME.fullmatch(chat):
            raise invalid("id", "A chat's id has 8 to 64 letters, digits, `-` and `_`.")
        body = decode(MESSAGE, await read(call.request))
        pictures = [(picture(one, n), one.data) for n, one in enumerate(body.images)]
        if not body.text.strip() and not pictures:
            raise invalid("text", "The message is empty.")
        agent = stamp(body.agent, call.principal, call.snapshot) or _fallback(call.principal, call.snapshot)
        try:
            post = await self._desk.take(Letter(chat, body.id, body.text, pictures, agent), call.principal)
        except ForeignChat as error:
            raise ApiError(404, "not_found", str(error)) from None
        return document(202, post_document(post), _PRIVATE)

    async def stop(self, call: Call) -> Reply:
        """POST /web/chats/{id}/stop: stops what runs or waits in the chat."""
        chat = await self._own(call)
        await self._hub.stop(chat)
        return document(202, {"object": "web.chat", "id": chat}, _PRIVATE)

    async def events(self, call: Call) -> StreamResponse:
        """GET /web/chats/{id}/events, from the header Last-Event-ID or `?after=` on."""
        chat = await self._own(call)
        last: str = call.request.headers.get("Last-Event-ID") or call.request.rel_url.query.get("after") or "0"
        if not (last.isascii() and last.isdigit() and len(last) < 16):
            raise invalid("Last-Event-ID", "The id of the last event is a number.")
        if call.request.method == "HEAD":
            return Reply(200, b"", kind=EVENTS, lines=_PRIVATE)
        if self._hub.closed:
            raise StorageFailed("the gateway is stopping")
        return await Events(self._hub, self._mailbox, call, chat, int(last)).tell()

    async def image(self, call: Call) -> Reply:
        """GET /web/chats/{id}/images/{message}/{n}."""
        chat = await self._own(call)
        _, post, n = call.parts
        number = int(n) if n.isascii() and n.isdigit() and len(n) < 4 else -1
        found = await self._mailbox.picture(chat, post, number)
        if found is None:
            raise ApiError(404, "not_found", "There is no such picture.")
        return Reply(200, found.data, kind=found.media_type, lines=_PICTURE)

    async def _own(self, call: Call) -> str:
        """The chat of the path. Raises ApiError 404 where it is not the caller's."""
        (chat, *_) = call.parts
        if await self._mailbox.owner(chat) != call.principal.name:
            raise ApiError(404, "not_found", "There is no such chat.")
        return chat


def _moment(text: str | None) -> float | None:
    """Seconds since the epoch as `next` tells them. Raises ApiError 400."""
    if text is None:
        return None
    try:
        return float(text[:40])
    except ValueError:
        raise invalid("before", "`before` is the `next` of an earlier page.") from None


def _fallback(principal: Principal, snapshot: Snapshot) -> AgentId | None:
    """The agent of a key that may not use all of them, where it names none: routes could lead it to another's."""
    if principal.agents is None:
        return None
    usable = sorted(principal.agents & set(snapshot.agents))
    if not usable:
        raise ApiError(403, "unauthorised", "This key may not use any agent.")
    return snapshot.default_agent if snapshot.default_agent in usable else usable[0]
