"""Which handler answers which path and method."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal
from urllib.parse import unquote

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from serai.api.error import ApiError
from serai.api.guard.gate import Gate
from serai.api.reply import EventStream, Lines
from serai.core.ids import AgentId
from serai.core.principal import Principal
from serai.core.redact import Redactor
from serai.core.snapshot import Snapshot

Guard = Literal["key", "page", "host", "probe", "none"]
"""What stands before a resource: host, origin and key; the same, where the sign-in of a page counts as a key; host
and origin alone; or all are looked at, and a stranger is served as NOBODY; or nothing, because it has its own
proof."""

NOBODY: Final = Principal("nobody", agents=frozenset())
"""Who asks where no key is known."""


@dataclass(slots=True)
class Call:
    """One request on its way. `parts` are the values of the path's placeholders, `common` header lines for every
    answer; `redactor` gives what knows the secrets in force, `gate` is what it came through, and `stream` is set once
    the answer has become one."""

    request: BaseRequest
    snapshot: Snapshot
    principal: Principal
    parts: tuple[str, ...]
    common: bytes
    redactor: Callable[[], Redactor]
    gate: Gate | None = None
    stream: EventStream | None = None

    def events(self, lines: Lines = ()) -> EventStream:
        """An answer in events, not begun yet."""
        return EventStream(self.request, self.common, lines, self.redactor)

    def admins_only(self) -> None:
        """Raises ApiError 403 for a key that is no admin's."""
        if not self.principal.admin:
            raise ApiError(403, "admin_required", "Only a key with `admin: true` may do this.")


def permit(principal: Principal, agent: AgentId) -> None:
    """Raises ApiError 403 for an agent that a key may not use (SPEC 11.1)."""
    if not principal.may_use(agent):
        raise ApiError(403, "unauthorised", f"This key may not use the agent `{agent[:100]}`.", param="agent")


Handler = Callable[[Call], Awaitable[StreamResponse]]


@dataclass(frozen=True, slots=True)
class Resource:
    """A path, with a name in braces for each placeholder, and the handler of each method. `exists` is asked with the
    values."""

    path: str
    methods: Mapping[str, Handler]
    guard: Guard = "key"
    exists: Callable[[tuple[str, ...]], bool] = bool

    @property
    def allowed(self) -> str:
        """The value of the header Allow."""
        names = set(self.methods) | ({"HEAD"} if "GET" in self.methods else set()) | {"OPTIONS"}
        return ", ".join(sorted(names))

    def handler(self, method: str) -> Handler | None:
        """The method's handler; HEAD is answered by GET's."""
        return self.methods.get("GET" if method == "HEAD" else method)


class Area:
    """Resources that are imported and made when somebody first asks for a path that is in `roots`, or below one."""

    def __init__(self, roots: Sequence[str], make: Callable[[], Sequence[Resource]]) -> None:
        self._roots = roots
        self._make = make

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """What the area serves; made once."""
        return self._make()

    def holds(self, path: str) -> bool:
        return any(path == root or path.startswith(f"{root}/") for root in self._roots)


class Paths:
    """All resources. Paths without placeholders are found first; an area is looked at before they are given up."""

    def __init__(self, entries: Iterable[Resource | Area]) -> None:
        self._fixed: dict[str, Resource] = {}
        self._open: list[tuple[list[str], Resource]] = []
        self._unmade: list[Area] = []
        self._making = asyncio.Lock()
        for entry in entries:
            if isinstance(entry, Area):
                self._unmade.append(entry)
            else:
                self._add(entry)

    def _add(self, resource: Resource) -> None:
        if "{" in resource.path:
            self._open.append((resource.path.split("/"), resource))
        else:
            self._fixed[resource.path] = resource

    async def make(self, area: Area) -> None:
        """Makes an area that was found, in a thread: its imports hold up nobody else."""
        async with self._making:
            if area in self._unmade:
                for resource in await asyncio.to_thread(lambda: area.resources):
                    self._add(resource)
                self._unmade.remove(area)

    def find(self, request: BaseRequest) -> tuple[Resource, tuple[str, ...]] | Area | None:
        """The resource of a request's path, and its placeholders' values, decoded; or the area that is to be made
        before that is known."""
        resource = self._fixed.get(request.raw_path)
        if resource is not None:
            return resource, ()
        path = request.rel_url.raw_path
        resource = self._fixed.get(path)
        if resource is not None:
            return resource, ()
        for area in self._unmade:
            if area.holds(path):
                return area
        parts = path.split("/")
        matching = (entry for entry in self._open if _fits(parts, entry[0]))
        for wanted, resource in matching:
            values = tuple(unquote(part) for want, part in zip(wanted, parts, strict=True) if _is_open(want))
            if resource.exists(values):
                return resource, values
        return None


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if len(parts) != len(wanted):
        return False
    return all(part == want or (_is_open(want) and part) for part, want in zip(parts, wanted, strict=True))


def _is_open(part: str) -> bool:
    return part.startswith("{")
