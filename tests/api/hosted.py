"""A whole gateway with its own database, three agents, and a key for each kind of caller."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from serai.ports.model import Model
from tests.app.stage import SECRETS, Held, Home, Hosted, hosting

CONFIG: Final = """\
model: {name: m, base_url: http://127.0.0.1:1/v1}
agents: {main: {}, ops: {}, lab: {}}
routes:
  - {match: {platform: webhook, chat_id: ops-room}, agent: ops}
  - {match: {platform: webhook, chat_id: lab-room}, agent: lab}
platforms:
  webhook: {secret_env: HOOK, callback_url: "http://127.0.0.1:1/", open: true}
api_server:
  keys:
    - {name: ops, key_env: OPS, agents: [ops]}
    - {name: second, key_env: SECOND, agents: [ops]}
    - {name: lab, key_env: LAB, agents: [lab]}
    - {name: operator, key_env: OPERATOR, agents: "*", admin: true}
    - {name: deputy, key_env: DEPUTY, agents: [ops], admin: true}
"""
OPS, SECOND, LAB, OPERATOR = "fake-key-ops", "fake-key-second", "fake-key-lab", "fake-key-operator"
DEPUTY: Final = "fake-key-deputy"
"""An admin's of one agent alone."""

KEYS: Final = f"OPS={OPS}\nSECOND={SECOND}\nLAB={LAB}\nOPERATOR={OPERATOR}\nDEPUTY={DEPUTY}\n"


@dataclass
class Whole:
    """The gateway, and ways to call it."""

    hosted: Hosted
    model: Held

    async def call(self, method: str, path: str, body: object = None, key: str = OPS) -> tuple[int, Any]:
        return await self.hosted.call(method, path, body, key)

    async def get(self, path: str, key: str = OPS) -> Any:
        """The document of a 200."""
        status, document = await self.call("GET", path, key=key)
        assert status == 200, document
        return document

    async def code(self, method: str, path: str, body: object = None, key: str = OPS) -> tuple[int, str]:
        """The status and code of an error."""
        status, document = await self.call(method, path, body, key)
        return status, document["error"]["code"]

    async def says(self, text: str, session: str | None = None, key: str = OPS, **more: Any) -> str:
        """A chat completion; returns its session."""
        headers = {"Authorization": f"Bearer {key}", **({"X-Hermes-Session-Id": session} if session else {})}
        body = {"model": "lab" if key == LAB else "ops", "messages": [{"role": "user", "content": text}], **more}
        async with (
            aiohttp.ClientSession(self.hosted.url, headers=headers) as client,
            client.post("/v1/chat/completions", json=body) as response,
        ):
            assert response.status == 200, await response.text()
            return response.headers["X-Hermes-Session-Id"]

    async def events(self, method: str, path: str, body: object = None, key: str = OPS) -> list[Any]:
        """The data of all server-sent events of an answer."""
        async with (
            aiohttp.ClientSession(self.hosted.url, headers={"Authorization": f"Bearer {key}"}) as client,
            client.request(method, path, json=body) as response,
        ):
            assert response.content_type == "text/event-stream", await response.text()
            return [json.loads(line[6:]) async for line in response.content if line.startswith(b"data: {")]


@asynccontextmanager
async def whole(folder: Path, model: Model | None = None) -> AsyncIterator[Whole]:
    """Runs it; without another `model` its agents answer at once."""
    home = Home(folder / "home")
    home.configure(CONFIG)
    home.write(SECRETS + KEYS, ".env")
    held = Held()
    held.go.set()
    async with hosting(home, model or held, store=None) as hosted:
        yield Whole(hosted, held)
