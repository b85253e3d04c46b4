"""What listeners are told of a call that takes several tries (SPEC 7.1, 14)."""

from serai.agent.fallback import Fallback
from serai.core.ids import AgentId
from serai.core.message import Message
from serai.core.profile import Endpoint
from serai.core.redact import MARK, Redactor
from serai.ports.model import ModelRequest
from serai.testing.clock import SeededEntropy, virtual_time
from serai.testing.model import Fail, ScriptedModel

SECRET = "fake key of ops"
ENDPOINT = Endpoint("m", "http://127.0.0.1:1/v1")
REQUEST = ModelRequest(AgentId("main"), ENDPOINT, (Message("user", "go"),))


class Listener:
    """Is told an answer, and can take it back."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, text: str) -> None:
        self.told.append(text)

    def restart(self) -> None:
        self.told.clear()


@virtual_time
async def test_what_was_held_back_of_a_failed_try_is_not_told_with_the_next() -> None:
    listener = Listener()
    model = ScriptedModel([Fail(503, after="It is fake key of "), f"ops, or {SECRET}."])
    fallback = Fallback(model, SeededEntropy(7))
    reply = await fallback.complete(REQUEST, (ENDPOINT,), listener, Redactor([SECRET]))
    assert "".join(listener.told) == f"ops, or {MARK}."
    assert reply.message.text == f"ops, or {SECRET}."


@virtual_time
async def test_a_try_of_which_nothing_was_told_makes_way_for_another() -> None:
    told: list[str] = []
    model = ScriptedModel([Fail(503, after="fake key "), "done"])
    await Fallback(model, SeededEntropy(7)).complete(REQUEST, (ENDPOINT,), told.append, Redactor([SECRET]))
    assert told == ["done"]
