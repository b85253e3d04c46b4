"""A gateway whose agents know every secret of it, a model that tells them in every way, and people who paste them."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from serai.app.log import set_up
from serai.core.message import Message, ToolCall, Usage
from serai.ports.model import ModelReply, ModelRequest, OnDelta
from serai.testing.model import Fail
from tests.app.stage import Home, Hosted, hosting

SECRETS: Mapping[str, str] = {
    "TEAM_KEY": "fake-api-key-of-the-team",
    "ADMIN_KEY": "fake-api-key-of-the-operator",
    "HOOK": "whsec_ZmFrZS1rZXktd2ViaG9vaw==",
    "GATE_KEY": "sk-fake-gateway-0123456789",
}
"""Those in the gateway's `.env`."""

OWN: Mapping[str, Mapping[str, str]] = {
    "ops": {"MODEL_KEY": 'quo"ted \\ back\\\\slashed-fake'},
    "lab": {"MODEL_KEY": "schlüssel-漢字-🗝-fake"},
    "den": {"MODEL_KEY": "two lines\nof one fake-key\n"},
}
"""Those in the agents' own."""

ALL = [*SECRETS.values(), *(value for own in OWN.values() for value in own.values())]
AGENTS = ("main", *OWN)
CONFIG = """\
model: {name: m, base_url: http://127.0.0.1:1/v1, api_key_env: GATE_KEY}
agents:
  main: {}
  ops: {model: o, base_url: "http://127.0.0.1:1/v1", api_key_env: MODEL_KEY}
  lab: {model: l, base_url: "http://127.0.0.1:1/v1", api_key_env: MODEL_KEY}
  den: {model: d, base_url: "http://127.0.0.1:1/v1", api_key_env: MODEL_KEY}
sessions: {merge: {quiet_s: 0.0}}
api_server:
  keys:
    - {name: team, key_env: TEAM_KEY, agents: "*"}
    - {name: operator, key_env: ADMIN_KEY, agents: "*", admin: true}
platforms:
  webhook: {secret_env: HOOK, callback_url: "http://127.0.0.1:1/", open: true}
routes:
  - {match: {platform: webhook, chat_id: [room-main]}, agent: main}
  - {match: {platform: webhook, chat_id: [room-ops]}, agent: ops}
  - {match: {platform: webhook, chat_id: [room-lab]}, agent: lab}
  - {match: {platform: webhook, chat_id: [room-den]}, agent: den}
"""
TOLD = "I know: " + ", and ".join(ALL) + ". That is all."
ADD = {"action": "add", "target": "memory", "content": TOLD, "text": TOLD}


def env(values: Mapping[str, str]) -> str:
    """The lines of a `.env` file."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        value = value.replace(sign, written)
    return f'"{value}"'


def home(path: Path) -> Home:
    """A home in which personas, memories and skills hold all secrets."""
    made = Home(path)
    made.configure(CONFIG)
    made.write(env(SECRETS), ".env")
    for agent in AGENTS:
        folder = f"agents/{agent}"
        if own := OWN.get(agent):
            made.write(env(own), f"{folder}/.env")
        for place in (folder, "") if agent == "main" else (folder,):
            made.write(f"You are {agent}. {TOLD}", f"{place}/SOUL.md".lstrip("/"))
            made.write(TOLD, f"{place}/memories/MEMORY.md".lstrip("/"))
            skill = f"---\nname: know\ndescription: {json.dumps(ALL[0])}\n---\n{TOLD}"
            made.write(skill, f"{place}/skills/know/SKILL.md".lstrip("/"))
    return made


@dataclass
class Hostile:
    """A model that does what the last message says: `tell`, `call`, `client`, `fail`; and then tells all it knows."""

    requests: list[ModelRequest] = field(default_factory=list)

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        self.requests.append(request)
        last = request.messages[-1]
        calls: tuple[ToolCall, ...] = ()
        if last.role == "user" and "do: call" in last.text:
            calls = self._calls()
        if last.role == "user" and "do: client" in last.text:
            calls = (ToolCall("w1", "weather", json.dumps({"city": TOLD})),)
        for start in range(0, len(TOLD), 3):
            if on_delta is not None:
                on_delta(TOLD[start : start + 3])
                await asyncio.sleep(0)
        if "do: fail" in last.text:
            raise Fail("rejected", f"no luck with {TOLD}").error()
        message = Message("assistant", TOLD, tool_calls=calls)
        return ModelReply(message, Usage(1, 1), "m", "tool_calls" if calls else "stop")

    def _calls(self) -> tuple[ToolCall, ...]:
        wishes: list[tuple[str, dict[str, Any]]] = [
            (ALL[0], {"x": TOLD}),
            ("memory", ADD),
            ("read_file", {"path": ALL[1]}),
            ("search_sessions", {"query": ALL[3]}),
        ]
        return tuple(ToolCall(f"c{n}-{ALL[3]}", name, json.dumps(given)) for n, (name, given) in enumerate(wishes))

    @property
    def seen(self) -> str:
        """All that it was ever sent."""
        return "\n".join(repr(one.messages) + repr(one.options) + repr(one.client_tools) for one in self.requests)


@dataclass(frozen=True, slots=True)
class Told:
    """An HTTP answer: all of its text, and each kind of string in its events put together."""

    status: int
    raw: str

    @property
    def whole(self) -> str:
        joined: dict[str, list[str]] = {}
        for line in self.raw.splitlines():
            if line.startswith("data: {"):
                for key, text in _strings(json.loads(line[6:])):
                    joined.setdefault(key, []).append(text)
        return "\n".join([self.raw, *("".join(texts) for texts in joined.values())])


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case list():
            for one in value:
                yield from _strings(one, key)
        case dict():
            for name, one in value.items():
                yield from _strings(one, name)


@dataclass(frozen=True, slots=True)
class Stage:
    """The gateway, and the model behind it."""

    hosted: Hosted
    model: Hostile

    async def call(self, method: str, path: str, body: object = None, *, lines: int | None = None) -> Told:
        """One request of the operator; with `lines`, of a stream without an end so much."""
        headers = {"Authorization": f"Bearer {SECRETS['ADMIN_KEY']}"}
        url = self.hosted.url + path
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=body, headers=headers) as answer,
        ):
            if lines is None:
                return Told(answer.status, await answer.text())
            got = [(await answer.content.readline()).decode() for _ in range(lines)]
            return Told(answer.status, "".join(got))


@asynccontextmanager
async def stage(path: Path) -> AsyncIterator[Stage]:
    """A gateway with everything real but the model and the chats, logging into its home."""
    model = Hostile()
    with _logging():
        async with hosting(home(path), model, store=None) as hosted:
            set_up(path / "logs", "debug", lambda: hosted.state.redactor)
            yield Stage(hosted, model)


@contextmanager
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def leaks(text: str) -> list[str]:
    """The secrets that can be read in a text, as they are or as JSON writes them."""
    written = [
        (one, one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1], repr(one)[1:-1]) for one in ALL
    ]
    return [forms[0] for forms in written if any(form in text for form in forms)]
