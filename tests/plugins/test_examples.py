"""Each example in examples/plugins, loaded as `serai up` loads it, does what it says."""

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from serai.core.delivery import Delivery, Target
from serai.core.ids import AgentId, ApprovalId, DeliveryId, SessionId, TurnId
from serai.core.message import Message, Usage
from serai.core.profile import AgentProfile
from serai.core.source import Source
from serai.plugins.hooks import PluginHooks
from serai.plugins.load import load_plugins
from serai.ports.binding import use_profile
from serai.ports.hooks import Blocked, Dropped, Moment
from tests.plugins.made import HOOKS

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "plugins"
OPS = AgentId("ops")
SESSION = SessionId("ses_1")
AT = Moment(OPS, SESSION, TurnId(7))
CHAT = Source("fake", chat_id="100", user_id="42")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of the agent that is bound."""
    with use_profile(AgentProfile(OPS, tmp_path)):
        yield tmp_path


def example(name: str) -> PluginHooks:
    hooks = PluginHooks(load_plugins([name], EXAMPLES))
    assert hooks.used == {name}
    return hooks


def module(name: str) -> Any:
    return sys.modules[f"serai_plugin_{name}"]


def test_there_is_an_example_of_every_hook() -> None:
    assert {file.parent.name for file in EXAMPLES.glob("*/plugin.py")} == set(HOOKS)


async def test_select_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Night:
        hour = 3

        @classmethod
        def now(cls) -> "Night":
            return cls()

    hooks = example("select_agent")
    monkeypatch.setattr(module("select_agent"), "datetime", Night)
    choice = await hooks.select_agent(CHAT, "main")
    assert choice is not None
    assert choice.agent == "night"
    monkeypatch.setattr(Night, "hour", 6)
    assert await hooks.select_agent(CHAT, "main") is None


async def test_pre_gateway_dispatch() -> None:
    hooks = example("pre_gateway_dispatch")
    said = "pay with 4111 1111 1111 1111, room 12"
    assert await hooks.pre_gateway_dispatch(OPS, CHAT, said) == "pay with [card number], room 12"
    spam = Source("fake", chat_id="100", user_id="spammer")
    assert await hooks.pre_gateway_dispatch(OPS, spam, "buy") == Dropped("pre_gateway_dispatch")


async def test_on_session_start(home: Path) -> None:
    await example("on_session_start").on_session_start(OPS, SESSION, CHAT)
    assert json.loads((home / "sessions.jsonl").read_text()) == {"session": "ses_1", "platform": "fake", "user": "42"}


async def test_on_session_end(caplog: pytest.LogCaptureFixture) -> None:
    hooks = example("on_session_end")
    for outcome in ("failed", "failed", "done", "failed", "failed"):
        await hooks.on_session_end(OPS, SESSION, TurnId(1), outcome)  # type: ignore[arg-type]
    assert caplog.messages == []
    await hooks.on_session_end(OPS, SESSION, TurnId(2), "failed")
    assert caplog.messages == ["ops has failed three turns in a row"]


async def test_on_session_finalize(home: Path) -> None:
    await example("on_session_finalize").on_session_finalize(OPS, SESSION, "expired")
    assert (home / "closed.txt").read_text() == "ses_1 expired\n"


async def test_on_session_reset() -> None:
    hooks = example("on_session_reset")
    await hooks.on_session_reset(OPS, SessionId("b"), SessionId("a"))
    await hooks.on_session_reset(OPS, SessionId("c"), SessionId("b"))
    assert list(module("on_session_reset").chain("c")) == ["c", "b", "a"]


async def test_pre_llm_call() -> None:
    texts = await example("pre_llm_call").pre_llm_call(AT, "m", (Message("user", "hello"),))
    assert len(texts) == 1
    assert str(date.today().year) in texts[0]


async def test_post_llm_call() -> None:
    hooks = example("post_llm_call")
    for _ in range(2):
        await hooks.post_llm_call(AT, "m", "hi", Usage(3, 1))
    assert module("post_llm_call").tokens == {("ops", "m"): 8}


async def test_pre_tool_call() -> None:
    hooks = example("pre_tool_call")
    assert await hooks.pre_tool_call(AT, "file_read", {"path": "/a"}) == {"path": "/a"}
    assert await hooks.pre_tool_call(AT, "file_write", {"path": "drafts/a"}) == {"path": "drafts/a"}
    assert await hooks.pre_tool_call(AT, "file_write", {"path": "a", "text": "x"}) == {
        "path": "drafts/a",
        "text": "x",
    }
    assert isinstance(await hooks.pre_tool_call(AT, "file_write", {"path": "drafts/../a"}), Blocked)


async def test_post_tool_call(home: Path) -> None:
    await example("post_tool_call").post_tool_call(AT, "act", {"x": 1}, "done it", "failed", 0.25)
    noted = {"turn": 7, "tool": "act", "args": {"x": 1}, "status": "failed", "ms": 250.0}
    assert json.loads((home / "audit.jsonl").read_text()) == noted


async def test_transform_tool_result() -> None:
    hooks = example("transform_tool_result")
    assert await hooks.transform_tool_result(OPS, "act", {}, "short") == "short"
    cut = await hooks.transform_tool_result(OPS, "act", {}, "a" * 5000 + "z" * 5000)
    assert cut == "a" * 2000 + "\n[… 6000 characters left out …]\n" + "z" * 2000


async def test_transform_llm_output() -> None:
    said = await example("transform_llm_output").transform_llm_output(OPS, SESSION, "log in to db-1.corp.example")
    assert said == "log in to [internal host]"


async def test_pre_approval_request(caplog: pytest.LogCaptureFixture) -> None:
    hooks = example("pre_approval_request")
    for _ in range(20):
        await hooks.pre_approval_request(OPS, SESSION, ApprovalId("K7M2PQ9X"), "act", {"x": 1})
    assert caplog.messages == ["ops has asked for act 20 times"]


async def test_post_approval_response(home: Path) -> None:
    hooks = example("post_approval_response")
    await hooks.post_approval_response(OPS, SESSION, ApprovalId("K7M2PQ9X"), "once", "fake:42")
    noted = {"approval": "K7M2PQ9X", "choice": "once", "by": "fake:42"}
    assert json.loads((home / "approvals.jsonl").read_text()) == noted


async def test_on_delivery(home: Path) -> None:
    hooks = example("on_delivery")
    delivery = Delivery(DeliveryId("dlv_1"), Target("fake", "100", agent_id=OPS), OPS, "hi")
    await hooks.on_delivery(delivery, "sent")
    await hooks.on_delivery(delivery, "dead")
    assert (home / "undelivered.txt").read_text() == "dlv_1 to fake:100 is dead\n"


@pytest.fixture(autouse=True)
def nothing_logged() -> Iterator[None]:
    """No example raises, is slow or talks nonsense."""
    with structlog.testing.capture_logs() as logs:
        yield
    assert logs == []
