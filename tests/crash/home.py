"""The home of the crash tests: three agents, routes by guild, a webhook account, an API key."""

from pathlib import Path
from typing import Final

from tests.process.home import write_home

HOOK_SECRET: Final = "whsec_ZmFrZS1ob29rLXNlY3JldC0wMTIzNDU2Nzg5"
API_KEY: Final = "fake-key-api-crash"
AGENTS: Final = ("main", "ops", "lab")


def make_home(path: Path, model: str, callback: str, *, live: bool = False) -> Path:
    """Writes it; `model` and `callback` are addresses. The guild `g-ops` is answered by ops, the others alike.

    Each message has a turn of its own; with `live` they are merged and steer, as chats usually do.
    """
    agents = {
        one: {"model": f"m-{one}", "base_url": f"{model}/{one}/v1", "api_key_env": f"KEY_{one.upper()}"}
        for one in AGENTS
    }
    config = {
        "agents": agents,
        "default_agent": "main",
        "routes": [
            {"match": {"platform": "webhook", "guild_id": f"g-{one}"}, "agent": one}
            for one in AGENTS
            if one != "main"
        ],
        "platforms": {
            "webhook": {
                "secret_env": "HOOK_SECRET",
                "callback_url": callback,
                "allow_users": ["alice"],
                "merge": live,
            }
        },
        "sessions": {"busy_mode": "steer" if live else "queue"},
        "api_server": {"keys": [{"name": "crash", "key_env": "API_KEY", "agents": "*", "admin": True}]},
    }
    keys = {f"KEY_{one.upper()}": f"fake-key-{one}" for one in AGENTS}
    return write_home(path, config, {**keys, "HOOK_SECRET": HOOK_SECRET, "API_KEY": API_KEY})
