"""Model settings of one level, and which endpoints an agent ends up with (SPEC 7.1, 16.1).

Endpoint, provider and key come together from one level; the name alone may come from another.
"""

from dataclasses import dataclass, replace
from typing import Final

from serai.config.node import Node, ScalarNode
from serai.config.provider import CUSTOM, PROVIDERS
from serai.config.report import Place, Report, shown
from serai.config.section import Section, wrong
from serai.config.value import read_address, read_variable
from serai.core.profile import Endpoint

GATEWAY: Final = "gateway"
ENDPOINT_KEYS: Final = ("provider", "base_url", "api_key_env")
MODEL_KEYS: Final = ("name", *ENDPOINT_KEYS, "fallback")
_FALLBACK_KEYS: Final = ("name", *ENDPOINT_KEYS)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a level's models are reached, and the name of the key that is sent there."""

    base_url: str
    provider: str
    key_name: str | None
    key_place: Place


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What one level says. `address` is None where it names no endpoint; `fallback` None where it has no such key.

    `broken`: something in it is wrong and was reported, so nothing may be concluded from what it lacks.
    """

    place: Place
    name: str | None = None
    address: Address | None = None
    fallback: "tuple[ModelSettings, ...] | None" = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model to try: its endpoint, and where the settings name its key."""

    endpoint: Endpoint
    key_place: Place


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent's model and its fallbacks. `first` is None where neither the agent nor the gateway configures one."""

    first: Candidate | None
    rest: tuple[Candidate, ...] = ()


class Unresolved(Exception):
    """No model can be made of the settings. The text is a sentence; `place` is where to mend it."""

    def __init__(self, text: str, place: Place) -> None:
        super().__init__(text)
        self.text = text
        self.place = place


def read_model(node: Node | None, place: Place, report: Report) -> ModelSettings:
    """The gateway's `model`: a group of keys, or the name alone."""
    if isinstance(node, ScalarNode) and node.kind != "nothing":
        if node.kind == "text" and node.text.strip():
            return ModelSettings(place, node.text)
        report.add(place, wrong("a model's name or a group of keys", node))
        return ModelSettings(place, broken=True)
    before = len(report.problems)
    section = Section(node, place, report, MODEL_KEYS)
    level = read_level(section, section.text("name"))
    return replace(level, broken=len(report.problems) > before)


def read_level(section: Section, name: str | None) -> ModelSettings:
    """The settings of a level whose endpoint keys and `fallback` stand in `section`."""
    return ModelSettings(section.place, name, _address(section), _fallbacks(section))


def _fallbacks(section: Section) -> tuple[ModelSettings, ...] | None:
    items = section.items("fallback")
    if items is None:
        return None
    found = [_fallback(item, place, section.report) for place, item in items]
    return tuple(model for model in found if model is not None)


def _fallback(node: Node, place: Place, report: Report) -> ModelSettings | None:
    if node.kind not in ("text", "mapping") or (isinstance(node, ScalarNode) and not node.text.strip()):
        report.add(place, wrong("a model's name or a group of keys", node))
        return None
    if isinstance(node, ScalarNode):
        return ModelSettings(place, node.text)
    section = Section(node, place, report, _FALLBACK_KEYS)
    return ModelSettings(place, section.text("name"), _address(section))


def _address(section: Section) -> Address | None:
    """The endpoint that these keys name, or None for no endpoint; what is wrong with them is reported."""
    word = section.text("provider")
    base_url = read_address(section, "base_url")
    key_name = read_variable(section, "api_key_env")
    if word is not None and word not in PROVIDERS:
        section.report.unknown(section.place_of("provider"), f"unknown provider {shown(word)}", word, PROVIDERS)
        return None
    if word is None and base_url is None:
        if key_name is not None and section.node("base_url") is None:
            section.report.add(
                section.place_of("api_key_env"),
                "a key alone does not say where to send it: add provider or base_url beside it",
            )
        return None
    provider = PROVIDERS[word or CUSTOM]
    if base_url is None and section.node("base_url") is None and provider.base_url is None:
        section.report.add(section.place_of("provider"), f"the provider {CUSTOM} needs base_url beside it")
    # A key that was not named must never go to an address that the settings give: it may be anybody's.
    if key_name is None and base_url is None:
        key_name = provider.key_name
    key = "api_key_env" if "api_key_env" in section else "provider"
    return Address(base_url or provider.base_url or "", word or CUSTOM, key_name, section.place_of(key))


def choose(agent: str, own: ModelSettings, gateway: ModelSettings) -> Choice:
    """What an agent tries. Raises Unresolved.

    An agent with an endpoint of its own gets nothing else from the gateway than the name: neither its key nor its
    fallbacks, which carry keys too.
    """
    level, origin = (own, agent) if own.address else (gateway, GATEWAY)
    name = own.name or gateway.name
    rest, rest_origin = own.fallback, agent
    if rest is None:
        rest, rest_origin = (() if own.address else gateway.fallback or ()), GATEWAY
    return Choice(
        _first(own, level, name, origin),
        tuple(_next(model, level, name, rest_origin, origin) for model in rest),
    )


def _first(own: ModelSettings, level: ModelSettings, name: str | None, origin: str) -> Candidate | None:
    if level.address is None:
        if name is None:
            return None
        place = own.place if own.name else level.place
        raise Unresolved(f"the model {shown(name)} has no endpoint: add provider or base_url", place)
    if name is None:
        raise Unresolved("there is an endpoint, but no model's name", level.place)
    return _candidate(name, level.address, origin)


def _next(model: ModelSettings, level: ModelSettings, name: str | None, origin: str, level_origin: str) -> Candidate:
    """A fallback: with an endpoint of its own, or a name alone that keeps its level's endpoint."""
    address, origin = (model.address, origin) if model.address else (level.address, level_origin)
    name = model.name or name
    if address is None:
        raise Unresolved("this fallback has no endpoint: add provider or base_url", model.place)
    if name is None:
        raise Unresolved("this fallback has no model's name", model.place)
    return _candidate(name, address, origin)


def _candidate(name: str, address: Address, origin: str) -> Candidate:
    endpoint = Endpoint(name, address.base_url, address.provider, address.key_name, origin)
    return Candidate(endpoint, address.key_place)
