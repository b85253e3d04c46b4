"""Clients that know nothing of Serai work with it unchanged (SPEC 11): each in its own environment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.abuse.stage import running
from tests.api.stage import OPS_KEY
from tests.clients.environment import Client, Unavailable
from tests.process.model import Asked, Reply, Wish

pytestmark = pytest.mark.slow

HELLO: Final = "Hello to you, too."
AGAIN: Final = "Hello again."
SUNNY: Final = "It is sunny in Paris."
PICTURE: Final = "I see a picture."
REFUSED: Final = [[401, "invalid_api_key"], [404, "model_not_found"], [503, "upstream_unreachable"]]

_PLAIN: Final = {"enabled_toolsets": []}
SETTINGS: Final = {
    "agents": {"ops": _PLAIN, "lab": _PLAIN, "lost": {**_PLAIN, "model": "m", "base_url": "http://127.0.0.1:1/v1"}},
    "api_server": {"keys": [{"name": "ops", "key_env": "OPS", "agents": ["ops", "lost"]}]},
}
"""The client's key may use `ops`, and `lost`, whose model cannot be reached."""

CHAT: Final[Mapping[str, Any]] = {"chat": HELLO, "stream": HELLO, "tools": SUNNY, "image": PICTURE, "errors": REFUSED}
RESPONSES: Final[Mapping[str, Any]] = {
    "responses": HELLO,
    "responses_stream": HELLO,
    "responses_tools": SUNNY,
    "responses_image": PICTURE,
}
OFFICIAL: Final[Mapping[str, Any]] = {
    **CHAT,
    **RESPONSES,
    "models": ["default", "lost", "ops"],
    "streamed_tools": ["get_weather", {"city": "Paris"}],
    "session": ["trip", "trip"],
    "errors": [
        ["AuthenticationError", 401, "invalid_api_key"],
        ["NotFoundError", 404, "model_not_found"],
        ["PermissionDeniedError", 403, "unauthorised"],
        ["InternalServerError", 503, "upstream_unreachable"],
    ],
    "error_in_a_stream": [503, "upstream_unreachable"],
    "responses": [HELLO, True],
    "responses_stream": [HELLO, "response.created", "response.completed"],
}
WANTED: Final[Mapping[Client, Mapping[str, Any]]] = {
    Client("openai", "python"): OFFICIAL,
    Client("openai-agents", "python"): {**CHAT, **RESPONSES},
    Client("langchain-openai", "python"): {**CHAT, **RESPONSES},
    Client("pydantic-ai", "python"): {**CHAT, **RESPONSES},
    Client("llm", "python"): {**CHAT, "conversation": [HELLO, AGAIN]},
    Client("openai", "node"): OFFICIAL,
    Client("openai-compatible", "node"): CHAT,
    Client("open-responses", "node"): CHAT,
}


async def helpful(asked: Asked) -> Reply:
    """The model: it uses a function where one is offered for what it is asked."""
    last, first = asked.messages[-1], asked.since_user[0]
    if last["role"] == "tool":
        return f"It is {last['content']} in Paris."
    if isinstance(first["content"], list):
        return PICTURE if any(part["type"] == "image_url" for part in first["content"]) else HELLO
    if "weather" in first["content"] and asked.body.get("tools"):
        return (Wish("get_weather", {"city": "Paris"}),)
    return AGAIN if first["content"] == "again" else HELLO


@pytest.mark.parametrize("client", WANTED, ids=lambda client: client.label)
async def test_a_client_works_unchanged(client: Client, tmp_path: Path) -> None:
    async with running(tmp_path, helpful, SETTINGS) as gateway:
        try:
            told = await client.run(tmp_path, {"SERAI_URL": gateway.url, "SERAI_KEY": OPS_KEY})
        except Unavailable as reason:
            pytest.skip(f"{client.label}: {reason}")
    came = {one["case"]: one.get("value", one.get("error")) for one in map(json.loads, told.splitlines())}
    assert came == dict(WANTED[client])
