"""Agents' models as people see them: resolved, or as config.yaml has them where an agent is refused."""

from pathlib import Path
from typing import Any

from serai.cli.local import configured
from serai.config.compose import Unreadable
from serai.config.document import decoded, parse
from serai.config.node import MapNode, plain
from serai.core.address import without_credentials
from serai.core.profile import AgentProfile

Written = dict[str, str | None]

_ADDRESS = ("provider", "base_url", "api_key_env")


class WrittenModels:
    """Reads config.yaml once. The configuration has been loaded before, so what is wrong in it was told."""

    def __init__(self, config: Path) -> None:
        self._document = _document(config)

    def of(self, profile: AgentProfile) -> Written:
        """`name`, `provider`, `base_url` and `api_key_env` of the model that is tried first, each None where absent.

        All are None for an agent whose model is found at start.
        """
        first = next(iter(configured(profile)), None)
        if first is None:
            return self._written(profile.id)
        return _shown(first.name, first.provider, first.base_url, first.key_name)

    def _written(self, agent: str) -> Written:
        """The address comes from one level, the agent's or the gateway's; the name from either (SPEC 7.1)."""
        model = self._document.get("model")
        gateway = model if isinstance(model, dict) else {"name": model}
        own = _group(_group(self._document, "agents"), agent)
        level = own if any(own.get(key) for key in _ADDRESS) else gateway
        return _shown(own.get("model") or gateway.get("name"), *(level.get(key) for key in _ADDRESS))


def _shown(name: object, provider: object, base_url: object, key_name: object) -> Written:
    texts = {"name": name, "provider": provider, "base_url": base_url, "api_key_env": key_name}
    shown = {key: value if isinstance(value, str) and value else None for key, value in texts.items()}
    return {**shown, "base_url": without_credentials(shown["base_url"]) if shown["base_url"] else None}


def _document(config: Path) -> dict[str, Any]:
    try:
        root = parse(decoded(config.read_bytes())).root
    except (FileNotFoundError, Unreadable):
        return {}
    found = plain(root) if isinstance(root, MapNode) else {}
    return found if isinstance(found, dict) else {}


def _group(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
