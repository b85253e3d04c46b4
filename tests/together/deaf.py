"""A server that takes connections and never says anything, and one account of each platform that is sent there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

SECRETS: Final[Mapping[str, str]] = {
    "DEAF_TOKEN": "7000009:AAfake-token-of-nobody",
    "DEAF_SECRET": "fake-secret-of-nobody",
    "DEAF_HOOK": "whsec_ZmFrZS13ZWJob29rLWtleS1mb3ItdGVzdHM=",
}


def settings(place: str) -> Mapping[str, Mapping[str, Any]]:
    """What stands in config.yaml for an account of each platform whose server is at `place` (host:port)."""
    http, socket = f"http://{place}", f"ws://{place}"
    found: dict[str, dict[str, Any]] = {
        "discord": {"token_env": "DEAF_TOKEN", "base_url": http, "gateway_url": socket},
        "feishu": {"app_id": "cli_0123456789abcdef", "app_secret_env": "DEAF_SECRET", "domain": http},
        "matrix": {"homeserver": http, "access_token_env": "DEAF_TOKEN"},
        "slack": {"bot_token_env": "DEAF_TOKEN", "app_token_env": "DEAF_SECRET", "base_url": f"{http}/api/"},
        "telegram": {"token_env": "DEAF_TOKEN", "base_url": http},
        "webhook": {"secret_env": "DEAF_HOOK", "callback_url": f"{http}/"},
        "wecom": {"bot_id_env": "DEAF_TOKEN", "secret_env": "DEAF_SECRET", "url": socket},
        "yuanbao": {
            "app_key_env": "DEAF_TOKEN",
            "app_secret_env": "DEAF_SECRET",
            "api_url": http,
            "socket_url": f"{socket}/wss/connection",
        },
    }
    return {name: {**own, "open": True} for name, own in found.items()}


@dataclass(frozen=True, slots=True)
class Deaf:
    """Where the server is (host:port), and whether anybody was connected."""

    place: str
    called: asyncio.Event


@asynccontextmanager
async def deaf() -> AsyncIterator[Deaf]:
    """Runs it."""
    called = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        called.set()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield Deaf(f"{host}:{port}", called)
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


async def nowhere() -> str:
    """A place (host:port) where nobody takes connections."""
    async with deaf() as server:
        return server.place
