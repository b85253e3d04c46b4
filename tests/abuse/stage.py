"""A gateway in a process of its own, with a model that answers at once, to be called in every wrong way."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.api.stage import ADMIN_KEY, ALL_KEY, OPS_KEY
from tests.process.gateway import GatewayProcess, gateways
from tests.process.home import write_home
from tests.process.model import Asked, Reply, Script, stub_model

LAB_KEY: Final = "fake-key-lab"
HOOK: Final = "whsec_ZmFrZS1rZXktd2ViaG9vaw=="
_SECRETS: Final = {"ALL": ALL_KEY, "OPS": OPS_KEY, "LAB": LAB_KEY, "ADMIN": ADMIN_KEY, "HOOK": HOOK}
_KEYS: Final = (
    {"name": "all", "key_env": "ALL", "agents": "*"},
    {"name": "ops", "key_env": "OPS", "agents": ["ops"]},
    {"name": "lab", "key_env": "LAB", "agents": ["lab"]},
    {"name": "admin", "key_env": "ADMIN", "agents": "*", "admin": True},
)


@dataclass(frozen=True, slots=True)
class Running:
    """The process, and where it listens."""

    process: GatewayProcess
    host: str
    port: int

    @property
    def url(self) -> str:
        return self.process.url


async def polite(asked: Asked) -> Reply:
    """What the model says, whatever it is asked."""
    return f"You said: {str(asked.messages[-1]['content'])[:60]}"


def config(model: str) -> dict[str, Any]:
    """Three agents without tools, so that a turn is one call of the model."""
    return {
        "model": {"name": "m", "base_url": model},
        "agents": {name: {"enabled_toolsets": []} for name in ("main", "ops", "lab")},
        "platforms": {
            "webhook": {"secret_env": "HOOK", "callback_url": "http://127.0.0.1:1/", "open": True},
        },
        "api_server": {"keys": list(_KEYS)},
    }


@asynccontextmanager
async def running(
    folder: Path, script: Script = polite, more: Mapping[str, Any] | None = None
) -> AsyncIterator[Running]:
    """Runs it for the block. `more` are further top-level settings."""
    async with stub_model(script) as model, gateways(folder) as nursery:
        home = write_home(folder / "home", {**config(model), **(more or {})}, _SECRETS)
        process = await nursery.start(["-m", "serai", "--home", str(home), "up", "--port", "0"])
        address = urlsplit(process.url)
        yield Running(process, address.hostname or "", address.port or 0)
