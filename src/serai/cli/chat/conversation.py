"""Which agent and which session are being talked to, and how long the model is to think."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from serai.cli.archive import read
from serai.cli.completion import Question, pieces
from serai.cli.failure import Failed
from serai.cli.gateway import fault, required
from serai.cli.nearest import hint
from serai.cli.place import Place
from serai.core.principal import LOCAL

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, MessageRow, SessionRow

ROUTED = "default"
"""The agent's name where the choice is left to routing."""

_LATEST = 200


class Conversation:
    """The gateway is looked for anew each time, so that one that was started again is found."""

    def __init__(self, place: Place, agent: str | None = None) -> None:
        """Without `agent` routing decides who answers. Raises Failed for an unknown one."""
        self.place = place
        self.agent = ROUTED
        self.session = _new_id()
        self.reasoning: str | None = None
        if agent is not None:
            self.choose(agent)

    def ask(self, text: str) -> Iterator[str]:
        """The answer, piece by piece. Raises Failed."""
        agent = None if self.agent == ROUTED else self.agent
        question = Question(text, agent, self.session, reasoning=self.reasoning)
        return pieces(required(self.place.layout.lock), question)

    def stored(self) -> Mapping[str, Any] | None:
        """The session as the gateway knows it (`api.document.SessionDocument`); None before anything was said in it.
        Raises Failed."""
        return self._session("GET")

    def entitle(self, title: str) -> Mapping[str, Any] | None:
        """Names the session; returns it as `stored`. Raises Failed."""
        return self._session("PATCH", {"title": title})

    def _session(self, method: str, change: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        path = f"/api/sessions/{quote(self.session, safe='')}"
        status, document = required(self.place.layout.lock).ask(method, path, change)
        if status == 404:
            return None
        if status != 200 or not isinstance(document, dict):
            raise Failed(fault(status, document))
        return document

    def agents(self) -> list[str]:
        """The agents that can be talked to. Raises Failed."""
        status, document = required(self.place.layout.lock).ask("GET", "/v1/models")
        if status != 200 or not isinstance(document, dict):
            raise Failed(fault(status, document))
        return [model["id"] for model in document["data"] if model["id"] != ROUTED]

    def choose(self, agent: str) -> None:
        """Goes on with this agent, or as routing decides (`default`), in a new session. Raises Failed."""
        known = self.agents()
        if agent not in (*known, ROUTED):
            raise Failed(f"Agent `{agent}` not found{hint(agent, known)}.")
        self.agent = agent
        self.begin()

    def begin(self) -> None:
        """Goes on in a new session."""
        self.session = _new_id()

    def sessions(self) -> "Sequence[SessionRow]":
        """The sessions that this command line may go on with, the latest first."""

        async def latest(archive: "Archive") -> "Sequence[SessionRow]":
            return await archive.sessions(limit=_LATEST)

        return [row for row in read(self.place, latest, ()) if _is_ours(row)]

    def resume(self, session: str) -> "Sequence[MessageRow]":
        """Goes on with a stored session and its agent; returns what was said in it. Raises Failed."""

        async def whole(archive: "Archive") -> "tuple[SessionRow, Sequence[MessageRow]] | None":
            row = await archive.session(session)
            return None if row is None else (row, await archive.messages(row.id))

        found = read(self.place, whole, None)
        if found is None:
            raise Failed(f"Session `{session}` not found.")
        row, messages = found
        if not _is_ours(row):
            raise Failed(f"Session `{session}` is a conversation of {row.platform}; it can be read, not joined.")
        self.agent, self.session = row.agent, row.id
        return messages


def _is_ours(row: "SessionRow") -> bool:
    """Whether it belongs to this home's own command line (SPEC 11.7)."""
    return row.platform == "api_server" and row.owner == LOCAL.name


def _new_id() -> str:
    return f"chat-{secrets.token_hex(6)}"
