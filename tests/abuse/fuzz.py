"""Requests that schemathesis makes of the served document, with the keys of two agents, with none and a wrong one.

Whatever is sent: no 5xx, no success without a key, and nothing of the other key.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.abuse.stage import LAB_KEY
from tests.api.stage import OPS_KEY

KEYS: Final[Mapping[str, str]] = {"ops": OPS_KEY, "lab": LAB_KEY}
CHECKS: Final = [status_code_conformance, content_type_conformance, response_schema_conformance]
EACH: Final = 3
"""Sessions of each kind that a key has."""

_ENDLESS: Final = "/api/events"
_PATIENCE_S: Final = 60.0


@dataclass
class Attack:
    """Two keys, each with sessions that hold a word of its own; those that are `kept` only others ask for."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    words: Mapping[str, str] = field(default_factory=lambda: {name: f"canary-{token_hex(8)}" for name in KEYS})
    made: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    def prepare(self) -> None:
        """Makes every key's sessions."""
        for name, key in KEYS.items():
            for number in range(EACH):
                for kind in ("own", "kept"):
                    self._say(name, key, f"{kind}-{name}-{number}")
            self.made[name] = {place: [self._make(name, key, place) for _ in range(EACH)] for place in _MADE}

    def ids(self, name: str) -> Sequence[str]:
        """What may be asked for with a key: its own, and all of the others'."""
        others = [f"kept-{other}-{n}" for other in KEYS if other != name for n in range(EACH)]
        return [f"own-{name}-{n}" for n in range(EACH)] + others

    def run(self, count: int, seeded: int) -> None:
        """Sends `count` requests. Raises AssertionError, or what schemathesis found."""
        document = self.session.get(f"{self.url}/openapi.json", timeout=_PATIENCE_S).json()
        schema = schemathesis.openapi.from_dict(document)
        made = list(_strategies(schema))

        @seed(seeded)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(st.data(), st.sampled_from(made))
        def attack(data: st.DataObject, strategy: st.SearchStrategy[Case]) -> None:
            self._send(data.draw(strategy), data)

        attack()

    def intact(self, admin: str) -> None:
        """Nobody has touched what was another's."""
        for name in KEYS:
            for number in range(EACH):
                kept = f"/api/sessions/kept-{name}-{number}"
                assert self._get(kept, admin)["title"] == self.words[name]
                assert len(self._get(f"{kept}/messages", admin)["data"]) == 2

    def _send(self, case: Case, data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from([*KEYS, *KEYS, "nobody", "stranger"]))
        self._aim(case, data, caller)
        case.headers.pop("Authorization", None)
        key = KEYS.get(caller, "fake-key-stranger")
        if caller != "nobody":
            case.headers["Authorization"] = f"Bearer {key}"
        response = self.session.request(
            **case.as_transport_kwargs(base_url=self.url), stream=True, timeout=_PATIENCE_S, allow_redirects=False
        )
        with response:
            streams = response.headers.get("Content-Type", "").startswith("text/event-stream")
            text = "" if streams and case.operation.path == _ENDLESS else response.text
            self.count[f"{response.status_code} {caller}"] += 1
            self._judge(case, caller, response, text)
            if not streams:
                case.validate_response(schemathesis.Response.from_requests(response, verify=False), checks=CHECKS)

    def _aim(self, case: Case, data: st.DataObject, caller: str) -> None:
        """Points a case at things that there are, and now and then makes it a good one."""
        path = case.operation.path
        name = caller if caller in KEYS else "ops"
        if path.startswith("/api/sessions/") and data.draw(st.integers(0, 3)):
            case.path_parameters["id"] = data.draw(st.sampled_from(self.ids(name)))
        for place in _MADE:
            if path.startswith(f"{place}/{{id}}") and data.draw(st.integers(0, 3)):
                ids = [one for made in self.made.values() for one in made[place]]
                case.path_parameters["id"] = data.draw(st.sampled_from(ids))
        if path == "/v1/chat/completions" and data.draw(st.booleans()):
            case.headers["X-Hermes-Session-Id"] = data.draw(st.sampled_from(self.ids(name)))
        if path in _GOOD and case.method == "POST" and data.draw(st.booleans()):
            case.media_type = "application/json"
            case.body = {**_GOOD[path], **data.draw(st.sampled_from(_TWISTS[path]))}
            if path == "/v1/runs" and data.draw(st.booleans()):
                case.body["session_id"] = data.draw(st.sampled_from(self.ids(name)))

    def _judge(self, case: Case, caller: str, response: requests.Response, text: str) -> None:
        told = f"{case.method} {case.operation.path} by {caller}: {response.status_code} {text[:300]}"
        assert response.status_code < 500, told
        if case.operation.definition.raw["security"] and caller not in KEYS:
            assert response.status_code >= 400, told
        for name, word in self.words.items():
            assert name == caller or word not in text, told
        if response.headers.get("Content-Type") == "application/json" and response.ok:
            for found in _objects(json.loads(text)):
                if found.get("object") in ("session", "job"):
                    assert (found["owner"], found["agent"]) == (caller, caller), told
                elif found.get("object") in ("agent", "usage", "job.run", "job.problem") and "agent" in found:
                    assert found["agent"] == caller, told

    def _say(self, name: str, key: str, session: str) -> None:
        said = {"model": name, "messages": [{"role": "user", "content": f"keep {self.words[name]}"}]}
        headers = {"Authorization": f"Bearer {key}", "X-Hermes-Session-Id": session}
        answer = self.session.post(f"{self.url}/v1/chat/completions", json=said, headers=headers, timeout=_PATIENCE_S)
        assert answer.status_code == 200, answer.text
        named = self.session.patch(
            f"{self.url}/api/sessions/{session}",
            json={"title": self.words[name]},
            headers=headers,
            timeout=_PATIENCE_S,
        )
        assert named.status_code == 200, named.text

    def _make(self, name: str, key: str, place: str) -> str:
        """A run, response, conversation or job that holds the key's word."""
        word = self.words[name]
        said: dict[str, Any] = {"model": name, "input": f"keep {word}"}
        if place == "/v1/conversations":
            said = {"items": [{"role": "user", "content": word}], "metadata": {"word": word}}
        elif place == "/api/jobs":
            said = {"agent": name, "schedule": "0 9 1 1 *", "prompt": f"keep {word}", "name": word}
        headers = {"Authorization": f"Bearer {key}"}
        answer = self.session.post(f"{self.url}{place}", json=said, headers=headers, timeout=_PATIENCE_S)
        assert answer.status_code in (200, 201, 202), answer.text
        return str(answer.json()[_MADE[place]])

    def _get(self, path: str, key: str) -> Any:
        answer = self.session.get(
            f"{self.url}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=_PATIENCE_S
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


_MADE: Final[Mapping[str, str]] = {
    "/v1/runs": "run_id",
    "/v1/responses": "id",
    "/v1/conversations": "id",
    "/api/jobs": "id",
}
"""What else is made and found by an id, and where that stands."""

_GOOD: Final[Mapping[str, dict[str, Any]]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/runs": {"input": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/conversations": {},
    "/v1/conversations/{id}": {"metadata": {}},
    "/v1/conversations/{id}/items": {"items": [{"role": "user", "content": "hello"}]},
    "/api/sessions/{id}/chat": {"message": "hello"},
    "/api/sessions/{id}/fork": {},
    "/api/routes/test": {"platform": "api_server"},
    "/api/jobs": {"schedule": "0 9 1 1 *", "prompt": "hello"},
    "/api/jobs/preview": {"schedule": "every 2h"},
}
_TWISTS: Final[Mapping[str, Sequence[dict[str, Any]]]] = {
    "/v1/chat/completions": [{"model": name} for name in ("ops", "lab", "default", "nobody")]
    + [{"model": name, "stream": True} for name in ("ops", "lab")],
    "/v1/runs": [{"model": name} for name in ("ops", "lab", "default")],
    "/v1/responses": [{"model": name} for name in ("ops", "lab", "default")]
    + [{"model": name, "stream": True} for name in KEYS]
    + [{"model": name, "background": True} for name in KEYS],
    "/v1/conversations": [{}, {"metadata": {"a": "b"}}],
    "/v1/conversations/{id}": [{}],
    "/v1/conversations/{id}/items": [{}],
    "/api/sessions/{id}/chat": [{}, {"stream": True}],
    "/api/sessions/{id}/fork": [{}, {"session_id": "kept-lab-0"}, {"session_id": "kept-ops-0"}],
    "/api/routes/test": [{"chat_id": "1"}],
    "/api/jobs": [{"agent": name} for name in ("ops", "lab", "nobody")]
    + [{"agent": name, "deliver": "local", "enabled": False} for name in KEYS],
    "/api/jobs/preview": [{}, {"timezone": "Asia/Tokyo", "count": 3}],
}


def _strategies(schema: Any) -> Iterator[st.SearchStrategy[Case]]:
    """Valid and invalid requests for each operation; where nothing can be invalid, valid ones alone."""
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = found.ok().as_strategy(generation_mode=mode)
            if mode is GenerationMode.POSITIVE or _is_possible(found.ok()):
                yield strategy


def _is_possible(operation: Any) -> bool:
    """Whether an operation takes anything that could be wrong."""
    return bool(operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)
