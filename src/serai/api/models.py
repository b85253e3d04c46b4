"""Agents as models: GET /v1/models, and what a request's `model` means (SPEC 11.2)."""

from typing import Final

from msgspec import Struct

from serai.api.error import ApiError
from serai.api.operation import Operation
from serai.api.page import ListOf, page
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.core.ids import AgentId
from serai.core.principal import Principal
from serai.core.snapshot import Snapshot
from serai.ports.clock import Clock

ROUTED: Final = "default"
"""The model that leaves the choice to the routes."""


class Model(Struct, tag_field="object", tag="model"):
    """An agent as clients list it. `created` is when this process started, in seconds since the epoch."""

    id: str
    created: int
    owned_by: str = "serai"


class Models:
    """The agents that a key may use, and `default`."""

    def __init__(self, clock: Clock) -> None:
        self._created = int(clock.now())

    @Operation(summary="The agents that this key may use, as models", answer=ListOf[Model])
    async def all(self, call: Call) -> Reply:
        """GET /v1/models."""
        usable = [name for name in call.snapshot.agents if _usable(name, call)]
        return document(200, page(Model(name, self._created) for name in [ROUTED, *sorted(usable)]))

    @Operation(summary="One agent, as a model", answer=Model, errors=("model_not_found",))
    async def one(self, call: Call) -> Reply:
        """GET /v1/models/{id}."""
        (name,) = call.parts
        if not _leaves_choice(name, call.snapshot) and not _usable(AgentId(name), call):
            raise _unknown(name)
        return document(200, Model(name, self._created))


def stamp(model: str | None, principal: Principal, snapshot: Snapshot) -> AgentId | None:
    """The agent that a request's `model` names; None where it leaves the choice to the routes.

    Raises ApiError 404 for an unknown name and 403 for an agent that this key may not use.
    """
    if not model or _leaves_choice(model, snapshot):
        return None
    agent = AgentId(model)
    if agent not in snapshot.agents:
        if snapshot.api.accept_any_model:
            return None
        raise _unknown(model)
    if not principal.may_use(agent):
        raise ApiError(403, "unauthorised", f"This key may not use the agent `{agent}`.", param="model")
    return agent


def _leaves_choice(model: str, snapshot: Snapshot) -> bool:
    return model == ROUTED or model in snapshot.api.model_aliases


def _usable(agent: AgentId, call: Call) -> bool:
    return call.principal.may_use(agent) and call.snapshot.refusal(agent) is None


def _unknown(model: str) -> ApiError:
    text = f"There is no model `{model[:100]}` here; GET /v1/models lists those that are."
    return ApiError(404, "model_not_found", text, param="model")
