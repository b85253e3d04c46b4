"""The JSON body of a chat-completions request, put together from encoded parts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp.payload import BytesPayload, Payload

from serai.models.history import HistoryCache
from serai.models.wire import encode
from serai.ports.model import ModelRequest, ToolSpec

_OURS: Final = frozenset({"model", "messages", "stream", "stream_options", "tools"})
_SPECS_MOST: Final = 256


class Body(BytesPayload):
    """A request body of any size. aiohttp warns about bytes over 1 MB, which histories with pictures have."""

    def __init__(self, value: bytes) -> None:
        Payload.__init__(self, value, content_type="application/json")
        self._size = len(value)


class BodyWriter:
    """Writes bodies; keeps the encoded text of histories (up to `most` bytes) and of tools between calls."""

    __slots__ = ("_histories", "_specs")

    def __init__(self, most: int) -> None:
        self._histories = HistoryCache(most)
        self._specs: dict[int, tuple[tuple[ToolSpec, ...], bytes]] = {}

    def write(self, request: ModelRequest) -> bytes:
        """The whole body, always of a streamed request."""
        head = b'{"model":' + encode(request.endpoint.name)
        options = _options(request.options) if request.options else _STREAMED
        tools = self._tools(request) if request.tools or request.options or request.client_tools else b""
        return b"".join((head, options, tools, b',"messages":[', self._histories.encode(request.messages), b"]}"))

    def _tools(self, request: ModelRequest) -> bytes:
        if request.client_tools:
            own = self._offered(request.tools)[:-1] + b"," if request.tools else b',"tools":['
            return own + b",".join(map(_tool, request.client_tools)) + b"]"
        if request.tools:
            return self._offered(request.tools)
        given = request.options.get("tools")
        return b',"tools":' + encode(given) if given else b""

    def _offered(self, specs: tuple[ToolSpec, ...]) -> bytes:
        """The tools' text, kept under the identity of the tuple, which is kept with it."""
        known = self._specs.get(id(specs))
        if known is not None:
            return known[1]
        text = b',"tools":[' + b",".join(map(_tool, specs)) + b"]"
        if len(self._specs) >= _SPECS_MOST:
            self._specs.clear()
        self._specs[id(specs)] = (specs, text)
        return text


def _tool(spec: ToolSpec) -> bytes:
    function: dict[str, Any] = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
    if spec.strict is not None:
        function["strict"] = spec.strict
    return encode({"type": "function", "function": function})


_STREAMED: Final = b',"stream":true,"stream_options":{"include_usage":true}'


def _options(options: Mapping[str, Any]) -> bytes:
    """The caller's settings as they are; what makes the call a stream stays ours."""
    given = options.get("stream_options")
    kept = dict(given) if isinstance(given, Mapping) else {}
    stream = encode({"stream": True, "stream_options": {**kept, "include_usage": True}})
    pairs: Sequence[bytes] = [b",%b:%b" % (encode(k), encode(v)) for k, v in options.items() if k not in _OURS]
    return b"," + stream[1:-1] + b"".join(pairs)
