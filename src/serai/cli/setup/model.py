"""Which model is meant: asked for, or made out of the options."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from serai.cli.failure import Failed
from serai.cli.nearest import hint
from serai.cli.place import Place
from serai.cli.setup.given import Given
from serai.cli.setup.key import the_key
from serai.config.provider import CUSTOM, PROVIDERS
from serai.core.address import without_credentials
from serai.core.profile import Endpoint

if TYPE_CHECKING:
    from serai.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model. `endpoint` None: the embedded one. `settings` is what config.yaml gets; `keep`: it stays as it is.

    `key` goes with each call; it is written into .env where `key_is_new`.
    """

    endpoint: Endpoint | None
    settings: dict[str, str] | None = None
    key: str | None = field(default=None, repr=False)
    key_is_new: bool = False
    keep: bool = False


def choose(place: Place, snapshot: "Snapshot", given: Given) -> Chosen:
    """The model that is meant. Raises Failed where that cannot be found out."""
    if given.names_endpoint:
        return _named(place, given)
    if given.model is not None:
        raise Failed("--model needs --provider or --base-url beside it: where is the model?")
    if given.embedded:
        return Chosen(None)
    if given.keep:
        if snapshot.gateway_model is None:
            raise Failed("There is no model to keep: none is configured.")
        return _kept(place, snapshot.gateway_model, given)
    found = _served(snapshot)
    if given.local:
        if found is None:
            raise Failed("No model server answers on this machine: start Ollama, llama.cpp, vLLM or LM Studio.")
        return _local(found)
    ways = _ways(place, snapshot, found, given)
    if given.yes:
        return next(iter(ways))[1]()
    return _asked(ways)


Way = tuple[str, Callable[[], Chosen]]


def _ways(place: Place, snapshot: "Snapshot", found: Endpoint | None, given: Given) -> list[Way]:
    """What can be chosen, the likeliest first."""
    ways: list[Way] = []
    old = snapshot.gateway_model
    if old is not None:
        ways.append((f"keep {old.name} at {without_credentials(old.base_url)}", lambda: _kept(place, old, given)))
    if found is not None:
        ways.append((f"{found.name} at {found.base_url}, which answers now", lambda: _local(found)))
    if given.yes:
        return [*ways, ("the embedded model", lambda: Chosen(None))]
    ways.append(("a provider with a key, such as OpenAI or OpenRouter", lambda: _named(place, _ask_provider(given))))
    ways.append(("another address that speaks OpenAI's protocol", lambda: _named(place, _ask_address(given))))
    ways.append(("the embedded demo model, 100 MB, without a key", lambda: Chosen(None)))
    return ways


def _asked(ways: list[Way]) -> Chosen:
    click.echo("Which model do the agents use?")
    for number, (text, _) in enumerate(ways, 1):
        click.echo(f"  {number}  {text}")
    number = click.prompt("Number", type=click.IntRange(1, len(ways)), default=1)
    return ways[number - 1][1]()


def _ask_provider(given: Given) -> Given:
    with_key = [name for name, provider in PROVIDERS.items() if provider.key_name]
    return replace(given, provider=click.prompt(f"Provider ({', '.join(with_key)})", default=with_key[0]))


def _ask_address(given: Given) -> Given:
    base_url = click.prompt("Base URL, such as http://127.0.0.1:8000/v1")
    name = click.prompt("Name of the variable with its key (empty: it needs none)", default="", show_default=False)
    return replace(given, base_url=base_url, api_key_env=name.strip() or None)


def _named(place: Place, given: Given) -> Chosen:
    """A provider's or an address's model, with its key."""
    if given.provider is not None and given.provider not in PROVIDERS:
        raise Failed(f"Provider `{given.provider}` is not known{hint(given.provider, PROVIDERS)}.")
    provider = PROVIDERS[given.provider or CUSTOM]
    base_url = given.base_url or provider.base_url
    if base_url is None:
        raise Failed(f"The provider `{CUSTOM}` needs --base-url.")
    # A provider's own key never goes to another address.
    key_name = given.api_key_env or (provider.key_name if given.base_url is None else None)
    name = given.model
    if name is None and not given.yes:
        name = click.prompt("Model")
    if not name or not name.strip():
        raise Failed("Which model? Give --model.")
    key, is_new = the_key(place, key_name, given) if key_name else (None, False)
    settings = {
        "name": name,
        "provider": given.provider,
        "base_url": given.base_url,
        "api_key_env": given.api_key_env,
    }
    endpoint = Endpoint(name, base_url, given.provider or CUSTOM, key_name)
    return Chosen(endpoint, {k: v for k, v in settings.items() if v}, key, is_new)


def _local(found: Endpoint) -> Chosen:
    return Chosen(found, {"name": found.name, "base_url": found.base_url})


def _kept(place: Place, old: Endpoint, given: Given) -> Chosen:
    key, is_new = the_key(place, old.key_name, given) if old.key_name else (None, False)
    return Chosen(old, None, key, is_new, keep=True)


def _served(snapshot: "Snapshot") -> Endpoint | None:
    from serai.models.discovery import find_local
    from serai.models.session import make_session

    async def look() -> Endpoint | None:
        async with make_session() as session:
            return await find_local(session, own=[snapshot.api.port])

    return asyncio.run(look())
