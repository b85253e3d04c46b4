"""Changes to config.yaml by commands (SPEC 12.1, 12.2).

A change waits for the directory's lock, reads the file afresh, adds or takes out text, proves that the new text means
exactly the old one with that change, and replaces the file in one step. So two changes at once both count, comments
and order stay, and a crash leaves the old file or the new one.
"""

import codecs
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from serai.config.compose import Unreadable
from serai.config.document import decoded, parse
from serai.config.node import outline
from serai.config.patch import Unpatchable, flow, with_entry, with_item, with_pair, with_scalar, with_value, without
from serai.config.replace import locked, write
from serai.core.error import SeraiError
from serai.core.ids import DEFAULT_ACCOUNT, MAIN, RESERVED, Account, is_agent_id
from serai.core.route import MATCH_KEYS

_ACCOUNTS = "accounts"
MODEL_KEYS = ("name", "provider", "base_url", "api_key_env")

Meaning = dict[str, Any]
"""A document's outline: what it means, without where it stands."""

Change = Callable[[str, Meaning], str]
"""Makes the new text, and changes the meaning as it should be then."""


class EditError(SeraiError):
    """The file was not changed; the sentence says why."""


class ConfigFile:
    """One config.yaml, which need not exist yet. Every method raises EditError, and then nothing was written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add_agent(self, agent: str, settings: Mapping[str, object]) -> None:
        """Adds an agent with its settings, in the given order: texts, numbers, lists or groups of those."""
        if agent in RESERVED or not is_agent_id(agent):
            raise EditError(f"`{agent}` cannot name an agent: letters, digits, `-` and `_` only, at most 64")

        def change(text: str, meaning: Meaning) -> str:
            agents = _group(meaning, "agents")
            if agent in agents:
                raise EditError(f"agent `{agent}` already exists")
            meaning["agents"] = {**agents, agent: _meaning_of(settings)}
            return with_pair(text, "agents", agent, settings)

        self._edit(change)

    def remove_agent(self, agent: str, with_routes: bool) -> None:
        """Takes an agent out; its routes too where asked, else they forbid it. Its home stays."""
        if agent == MAIN:
            raise EditError(f"agent `{MAIN}` always exists and cannot be removed")

        def change(text: str, meaning: Meaning) -> str:
            agents = _group(meaning, "agents")
            if agent not in agents:
                raise EditError(f"agent `{agent}` not found")
            _refuse_mentioned(agent, meaning)
            routes = _list(meaning, "routes")
            numbers = [number for number, route in enumerate(routes) if _agent_of(route) == agent]
            if numbers and not with_routes:
                raise EditError(f"{len(numbers)} routes refer to agent `{agent}`")
            text = without(text, "agents", [list(agents).index(agent)])
            meaning["agents"] = {name: one for name, one in agents.items() if name != agent}
            return _without_routes(text, meaning, numbers) if numbers else text

        self._edit(change)

    def set_model(self, settings: Mapping[str, str] | None) -> None:
        """Sets the gateway's model to `name`, `provider`, `base_url` and `api_key_env`; those that are not given go.
        Its fallbacks stay. None: no model, so that one of this machine serves."""

        def change(text: str, meaning: Meaning) -> str:
            old = meaning.get("model")
            if settings is None:
                if old is None:
                    return text
                meaning["model"] = None
                return with_value(text, "model", None)
            if not isinstance(old, dict) or not old:
                meaning["model"] = _meaning_of(settings)
                return with_value(text, "model", settings)
            gone = [key for key in MODEL_KEYS if key in old and key not in settings]
            meaning["model"] = {key: one for key, one in {**old, **_meaning_of(settings)}.items() if key not in gone}
            for key, value in settings.items():
                text = with_scalar(text, "model", key, value)
            return without(text, "model", [list(old).index(key) for key in gone]) if gone else text

        if settings is not None or self._path.exists():
            self._edit(change)

    def add_account(self, platform: str, account: str, settings: Mapping[str, object]) -> None:
        """Adds an account of a platform with its settings; the default one's stand directly under the platform."""

        def change(text: str, meaning: Meaning) -> str:
            platforms = _group(meaning, "platforms")
            known = _group(platforms, platform)
            accounts = _group(known, _ACCOUNTS)
            if account in accounts or (account == DEFAULT_ACCOUNT and any(key != _ACCOUNTS for key in known)):
                raise EditError(f"the account `{Account(platform, account)}` is configured already")
            if known and account == DEFAULT_ACCOUNT:
                raise EditError(f"`{platform}` has accounts by name; give this one a name, too")
            own = {account: _meaning_of(settings)}
            if account == DEFAULT_ACCOUNT:
                meaning["platforms"] = {**platforms, platform: _meaning_of(settings)}
                return with_pair(text, "platforms", platform, settings)
            meaning["platforms"] = {**platforms, platform: {**known, _ACCOUNTS: {**accounts, **own}}}
            if accounts:
                return with_entry(text, ("platforms", platform, _ACCOUNTS), account, settings)
            if known:
                return with_entry(text, ("platforms", platform), _ACCOUNTS, {account: settings})
            return with_pair(text, "platforms", platform, {_ACCOUNTS: {account: settings}})

        self._edit(change)

    def add_route(self, agent: str, match: Mapping[str, str | Sequence[str]], inherit_threads: bool = False) -> None:
        """Adds a route behind all others. `match` maps match keys to a text, or a list of them."""
        for key, value in match.items():
            if key not in MATCH_KEYS:
                raise EditError(f"`{key}` is no match key; there are {', '.join(MATCH_KEYS)}")
            if not value or not all(one.strip() for one in ([value] if isinstance(value, str) else value)):
                raise EditError(f"`{key}` needs a value")
        if not match:
            raise EditError("a route needs at least one match key; the default agent gets the rest")
        if inherit_threads and "chat_id" not in match:
            raise EditError("inherit_threads needs chat_id: whose threads are meant?")
        route: dict[str, object] = {"match": dict(match), "agent": agent}
        if inherit_threads:
            route["inherit_threads"] = True

        def change(text: str, meaning: Meaning) -> str:
            if agent != MAIN and agent not in _group(meaning, "agents"):
                raise EditError(f"agent `{agent}` not found")
            meaning["routes"] = [*_list(meaning, "routes"), _meaning_of(route)]
            return with_item(text, "routes", route)

        self._edit(change)

    def remove_route(self, number: int) -> None:
        """Takes out the route with that number, counted from 1 in the order of the file."""

        def change(text: str, meaning: Meaning) -> str:
            count = len(_list(meaning, "routes"))
            if not 1 <= number <= count:
                raise EditError(f"there is no route {number}; the file has {count}")
            return _without_routes(text, meaning, [number - 1])

        self._edit(change)

    def _edit(self, change: Change) -> None:
        path = self._path.resolve()
        try:
            with locked(path.parent):
                data = path.read_bytes() if path.exists() else b""
                mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
                write(path, mark + self._changed(decoded(data), change).encode())
        except OSError as error:
            raise EditError(f"{path} cannot be changed: {error.strerror}") from error
        except (Unreadable, Unpatchable) as error:
            line = f":{error.line}" if isinstance(error, Unreadable) and error.line else ""
            raise EditError(f"{path.name}{line}: {error}; edit the file by hand") from error

    def _changed(self, text: str, change: Change) -> str:
        meaning = _meaning(text)
        changed = change(text, meaning)
        if _meaning(changed) != meaning:
            raise Unpatchable("the file is written in a way that cannot be changed safely")
        return changed


def _meaning(text: str) -> Meaning:
    document = parse(text)
    if document.faults:
        raise Unreadable(f"{document.faults[0].path}: {document.faults[0].text}", document.faults[0].line)
    found = outline(document.root)
    if not isinstance(found, dict | None):
        raise Unreadable("the file is no group of keys")
    return found or {}


def _meaning_of(value: object) -> Any:
    try:
        return outline(parse(flow(value)).root)
    except TypeError as error:
        raise EditError(str(error)) from error


def _group(meaning: Meaning, key: str) -> dict[str, Any]:
    found = meaning.get(key)
    if not isinstance(found, dict | None):
        raise Unpatchable(f"`{key}` is no group of keys")
    return found or {}


def _list(meaning: Meaning, key: str) -> list[Any]:
    found = meaning.get(key)
    if not isinstance(found, list | None):
        raise Unpatchable(f"`{key}` is no list")
    return found or []


def _text_of(meaning: Any) -> str | None:
    """The text of a value, None for anything that is none."""
    return meaning[1] if isinstance(meaning, tuple) else None


def _agent_of(route: Any) -> str | None:
    return _text_of(route.get("agent")) if isinstance(route, dict) else None


def _without_routes(text: str, meaning: Meaning, numbers: Sequence[int]) -> str:
    routes = _list(meaning, "routes")
    meaning["routes"] = [route for number, route in enumerate(routes) if number not in set(numbers)]
    return without(text, "routes", numbers)


def _refuse_mentioned(agent: str, meaning: Meaning) -> None:
    """Where else an agent is named: the file would not load any more."""
    if _text_of(meaning.get("default_agent")) == agent:
        raise EditError(f"agent `{agent}` is the default agent; make another one default_agent first")
    for key in _list(_group(meaning, "api_server"), "keys"):
        agents = key.get("agents") if isinstance(key, dict) else None
        if isinstance(agents, list) and agent in map(_text_of, agents):
            name = _text_of(key.get("name")) or "?"
            raise EditError(f"the API key `{name}` names agent `{agent}`; change that first")
