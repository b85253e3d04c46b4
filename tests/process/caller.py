"""Who talks to a gateway from outside: a chat platform with its webhooks, and clients of the API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import aiohttp
from standardwebhooks import Webhook

from tests.patience import PATIENCE_S

_PATIENCE: Final = aiohttp.ClientTimeout(total=PATIENCE_S)


def client_session() -> aiohttp.ClientSession:
    """Any number of connections; nobody waits for ever."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=_PATIENCE)


class Gone(Exception):
    """The gateway went away before it had answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `document` is its JSON; of a stream, the chunks put together."""

    status: int
    document: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """What the agent said."""
        said: str = self.document["choices"][0]["message"]["content"]
        return said

    @property
    def code(self) -> str:
        """Why there is no answer."""
        code: str = self.document["error"]["code"]
        return code


class Caller:
    """Calls one gateway. `secret` signs webhooks; `key` is the API's."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str, key: str) -> None:
        self._session = session
        self._url = url
        self._scheme = Webhook(secret)
        self._key = key

    async def post(self, message: Mapping[str, Any], account: str = "default") -> Answer:
        """One signed webhook. Raises Gone."""
        body = json.dumps(message)
        name, now = f"msg_{uuid4().hex}", datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._scheme.sign(name, now, body),
        }
        return await self._send("POST", f"/webhook/{account}", body, headers)

    async def ask(
        self, text: str, model: str = "default", *, stream: bool = False, key: str | None = None, **headers: str
    ) -> Answer:
        """One chat completion; `headers` are written with `_` for `-`. Raises Gone."""
        body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]})
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._send("POST", "/v1/chat/completions", body, {**self._authorised(key), **lines})

    async def get(self, path: str) -> str:
        """A page's text. Raises Gone."""
        try:
            async with self._session.get(self._url + path, headers=self._authorised(None)) as response:
                return await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Gone(repr(error)) from error

    def _authorised(self, key: str | None) -> dict[str, str]:
        return {"content-type": "application/json", "authorization": f"Bearer {key or self._key}"}

    async def _send(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Answer:
        try:
            async with self._session.request(method, self._url + path, data=body, headers=headers) as response:
                text = await response.text()
                streamed = response.content_type == "text/event-stream"
                return Answer(
                    response.status, _joined(text) if streamed else json.loads(text), dict(response.headers)
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Gone(repr(error)) from error


def _joined(stream: str) -> Mapping[str, Any]:
    """A streamed answer as if it had come whole. Raises Gone where its end is missing."""
    events = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: ")]
    if not events or events[-1] != "[DONE]":
        broken: Mapping[str, Any] | None = next((json.loads(event) for event in events if '"error"' in event), None)
        if broken is None:
            raise Gone("the stream was cut")
        return broken
    chunks = [json.loads(event) for event in events[:-1]]
    deltas = (choice["delta"] for chunk in chunks for choice in chunk["choices"])
    text = "".join(delta.get("content") or "" for delta in deltas)
    return {"id": chunks[0]["id"], "model": chunks[0]["model"], "choices": [{"message": {"content": text}}]}
