"""The `api_server` section (SPEC 11.1, 16.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from serai.config.node import ListNode, ScalarNode
from serai.config.report import shown
from serai.config.secret import Mention
from serai.config.section import Section, wrong
from serai.config.value import is_loopback, read_address, read_variable
from serai.core.ids import AgentId
from serai.core.principal import LOCAL
from serai.core.snapshot import ApiKey, ApiSettings

_KEYS: Final = (
    "host",
    "port",
    "keys",
    "cors_origins",
    "model_aliases",
    "accept_any_model",
    "allowed_hosts",
    "trusted_proxies",
    "public_url",
    "max_runs",
)
_KEY_KEYS: Final = ("name", "key_env", "agents", "admin")


@dataclass(frozen=True, slots=True)
class ApiSection:
    """The settings, and the secrets of the keys in their order."""

    settings: ApiSettings
    secrets: tuple[Mention, ...]


def read_api(root: Section, agents: Mapping[AgentId, object]) -> ApiSection:
    """The HTTP server's settings. All problems in here are the gateway's."""
    section = root.section("api_server", _KEYS)
    usual = ApiSettings()
    keys = _keys(section, agents)
    settings = ApiSettings(
        host=section.text("host") or usual.host,
        port=section.number("port", usual.port, least=0, most=65535),
        keys=tuple(key for key, _ in keys),
        cors_origins=_origins(section),
        model_aliases=_aliases(section, agents),
        accept_any_model=section.flag("accept_any_model"),
        allowed_hosts=frozenset(section.words("allowed_hosts") or ()),
        trusted_proxies=_proxies(section),
        public_url=read_address(section, "public_url", "https://chat.example.org"),
        max_runs=section.number("max_runs", usual.max_runs),
    )
    _refuse_open_door(section, settings.host)
    return ApiSection(settings, tuple(mention for _, mention in keys))


def _refuse_open_door(section: Section, host: str) -> None:
    node = section.node("keys")
    if (node is None or (isinstance(node, ListNode) and not node.items)) and not is_loopback(host):
        section.report.add(
            section.place_of("host"), "anybody who reaches this address could use the agents: configure keys first"
        )


def _keys(section: Section, agents: Mapping[AgentId, object]) -> list[tuple[ApiKey, Mention]]:
    found = []
    taken: dict[str, int | None] = {LOCAL.name: None}
    for place, item in section.items("keys") or ():
        if item.kind != "mapping":
            section.report.add(place, wrong("a group of keys", item))
            continue
        entry = Section(item, place, section.report, _KEY_KEYS)
        name = entry.word("name")
        variable = read_variable(entry, "key_env")
        allowed = _allowed(entry, agents)
        admin = entry.flag("admin")
        for key, value in (("name", name), ("key_env", variable)):
            if value is None and entry.unset(key):
                section.report.add(place, f"a key needs {key}")
        if name in taken:
            section.report.add(entry.place_of("name"), f"the name {shown(name)} is taken")
        elif name and variable:
            taken[name] = place.line
            found.append((ApiKey(name, variable, allowed, admin), Mention(variable, entry.place_of("key_env"))))
    return found


def _allowed(entry: Section, agents: Collection[str]) -> frozenset[AgentId] | None:
    """The agents of a key; None for `"*"`. A key that does not say is a problem, not a key for everything."""
    node = entry.node("agents")
    if isinstance(node, ScalarNode) and node.text == "*" and node.kind == "text":
        return None
    if node is None or isinstance(node, ScalarNode):
        expected = 'a list of agents, or "*" for all'
        text = f"a key needs agents: {expected}" if node is None else wrong(expected, node)
        entry.report.add(entry.place_of("agents"), text)
        return frozenset()
    return frozenset(map(AgentId, entry.names("agents", agents, "agent") or ()))


def _origins(section: Section) -> frozenset[str]:
    found = section.placed_words("cors_origins") or []
    for place, word in found:
        if not _is_origin(word):
            section.report.add(place, "must be an origin such as https://chat.example.org, without a path")
    return frozenset(word for _, word in found)


def _is_origin(word: str) -> bool:
    try:
        parts = urlsplit(word)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and word == f"{parts.scheme}://{parts.netloc}"
        )
    except ValueError:
        return False


def _aliases(section: Section, agents: Collection[str]) -> frozenset[str]:
    found = section.placed_words("model_aliases") or []
    for place, word in found:
        if word in agents:
            section.report.add(place, f"{shown(word)} is an agent; an alias leaves the choice to the routes")
    return frozenset(word for _, word in found)


def _proxies(section: Section) -> tuple[str, ...]:
    found = section.placed_words("trusted_proxies") or []
    for place, word in found:
        try:
            ip_network(word, strict=False)
        except ValueError:
            section.report.add(place, "must be an IP address or a network such as 10.0.0.0/8")
    return tuple(word for _, word in found)
