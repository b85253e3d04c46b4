"""The `routes` section (SPEC 4.1, 4.2)."""

from collections.abc import Mapping
from typing import Final

from serai.config.node import ListNode, Node, ScalarNode
from serai.config.report import Place, Report, shown
from serai.config.section import Section, wrong
from serai.core.ids import AgentId
from serai.core.route import MATCH_KEYS, Route
from serai.core.source import CHAT_TYPES

_KEYS: Final = ("match", "agent", "inherit_threads")
_VALUE: Final = "text, a whole number or a list of those"
_MATCH_KEYS: Final = {key: key for key in MATCH_KEYS}


def read_routes(parent: Section, agents: Mapping[AgentId, object]) -> tuple[Route, ...]:
    """The routes in declared order; those with a problem are left out.

    Every problem in a route is the gateway's, also an unknown agent: were the route dropped or only disabled, its
    messages would go to the next route that matches, or to the default agent, and be read by an agent they were
    not meant for. So a gateway with a broken route does not start, and a reload keeps the routes that were.
    """
    if (node := parent.node("routes")) is None or node.kind == "nothing":
        return ()
    reader = _Reader(agents, parent.report)
    found = [
        reader.route(item, place, number) for number, (place, item) in enumerate(parent.items("routes") or (), 1)
    ]
    return tuple(route for route in found if route is not None)


class _Reader:
    """Reads routes; equal sets of values and equal ids are one object in all of them."""

    def __init__(self, agents: Mapping[AgentId, object], report: Report) -> None:
        self._agents = {id: id for id in agents}
        self._report = report
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def route(self, node: Node, place: Place, number: int) -> Route | None:
        before = len(self._report.problems)
        if node.kind != "mapping":
            self._report.add(place, wrong("a group of keys", node))
            return None
        section = Section(node, place, self._report, _KEYS)
        agent = self._agent(section)
        match = self._match(section)
        inherit = section.flag("inherit_threads")
        if inherit and "chat_id" not in match:
            self._report.add(section.place_of("inherit_threads"), "needs chat_id in match: whose threads are meant?")
        if agent is None or len(self._report.problems) > before:
            return None
        return Route(number, match, agent, inherit, place.line)

    def _agent(self, section: Section) -> AgentId | None:
        if section.unset("agent"):
            self._report.add(section.place_of("agent"), "a route needs an agent")
            return None
        name = section.word("agent")
        if name is None:
            return None
        agent = self._agents.get(AgentId(name))
        if agent is None:
            self._report.unknown(section.place_of("agent"), f"no agent named {shown(name)}", name, self._agents)
        return agent

    def _match(self, section: Section) -> Mapping[str, frozenset[str]]:
        place = section.place_of("match")
        node = section.node("match")
        if node is None:
            self._report.add(place, "a route needs match")
            return {}
        match = Section(node, place, self._report, MATCH_KEYS)
        if (node.kind == "mapping" or node.kind == "nothing") and not list(match):
            self._report.add(place, "an empty match would catch everything; default_agent says who gets the rest")
        found: dict[str, frozenset[str]] = {}
        for key in match:
            value = match.node(key)
            if key in _MATCH_KEYS and value is not None:
                found[_MATCH_KEYS[key]] = self._values(value, match.place_of(key))
        self._check_chat_type(match, found.get("chat_type", frozenset()))
        return found

    def _values(self, node: Node, place: Place) -> frozenset[str]:
        if not isinstance(node, ListNode):
            found = frozenset((self._value(node, place),))
        elif node.items:
            found = frozenset(
                self._value(item, place.item(index, item.line)) for index, item in enumerate(node.items)
            )
        else:
            self._report.add(place, "an empty list matches nothing")
            found = frozenset()
        return self._sets.setdefault(found, found)

    def _value(self, node: Node, place: Place) -> str:
        if not isinstance(node, ScalarNode) or node.kind not in ("text", "integer"):
            self._report.add(place, wrong(_VALUE, node))
            return ""
        if not node.text.strip():
            self._report.add(place, "must not be blank")
        return node.text

    def _check_chat_type(self, match: Section, values: frozenset[str]) -> None:
        for value in sorted(values - CHAT_TYPES - {""}):
            names = sorted(CHAT_TYPES)
            self._report.unknown(match.place_of("chat_type"), f"must be one of {', '.join(names)}", value, names)
