"""The models: each endpoint is asked for its list, which costs nothing; a model of this machine is looked for."""

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient, edit
from serai.cli.local import configured
from serai.cli.nearest import hint
from serai.core.error import ModelError, NoModel
from serai.models.listing import KeyRefused, listed
from serai.models.session import make_session

if TYPE_CHECKING:
    import aiohttp

    from serai.core.ids import AgentId
    from serai.core.profile import Endpoint


def endpoints(patient: Patient) -> Iterator[Finding]:
    """Each endpoint once, whatever the number of its agents."""
    wanted: dict[tuple[str, str, str | None], tuple[AgentId, Endpoint]] = {}
    for profile in patient.agents():
        for endpoint in configured(profile):
            key = _key(patient, profile.id, endpoint)
            wanted.setdefault((endpoint.base_url, endpoint.name, key), (profile.id, endpoint))
    yield from asyncio.run(_asked(patient, wanted))


async def _asked(
    patient: Patient, wanted: "dict[tuple[str, str, str | None], tuple[AgentId, Endpoint]]"
) -> list[Finding]:
    async with make_session() as session:
        calls = [_ask(patient, session, agent, one, key) for (_, _, key), (agent, one) in wanted.items()]
        return [finding for finding in await asyncio.gather(*calls) if finding is not None]


async def _ask(
    patient: Patient, session: "aiohttp.ClientSession", agent: "AgentId", endpoint: "Endpoint", key: str | None
) -> Finding | None:
    try:
        names = await listed(session, endpoint, key)
    except KeyRefused as error:
        text = f"{error}; the key is {endpoint.key_name or 'none'}, of agent `{agent}`"
        return Finding("serious", "key", text, edit(patient.layout.env))
    except (ModelError, NoModel) as error:
        return Finding("serious", "model", f"{error} (agent `{agent}`)", edit(patient.layout.config))
    if names is None or any(name in (endpoint.name, f"{endpoint.name}:latest") for name in names):
        return None
    text = f"{endpoint.base_url} does not list the model `{endpoint.name}` of agent `{agent}`"
    return Finding("serious", "model", text + hint(endpoint.name, names), edit(patient.layout.config))


def _key(patient: Patient, agent: "AgentId", endpoint: "Endpoint") -> str | None:
    return patient.loaded.secrets.get(agent, endpoint.key_name) if endpoint.key_name else None


def local(patient: Patient) -> Iterator[Finding]:
    """A model of this machine, where some agent needs one; and whether the embedded model's weights are whole."""
    from serai.models.weights import SMOLLM2, find, is_whole

    file = patient.layout.models / SMOLLM2.file
    damaged = file.exists() and not is_whole(file)
    if damaged:
        text = f"the embedded model's weights are damaged: {patient.shown(file)}"
        yield Finding("serious", "model", text, "serai model pull")
    if patient.loaded.needs_local and not damaged and not asyncio.run(_served(patient)):
        if find(patient.layout.home) is None:
            text = "no model is configured, no local server answers, and the embedded model is not there"
            yield Finding("serious", "model", text, "serai setup")
        elif find_spec("xllamacpp") is None:
            text = "the embedded model needs xllamacpp, which is not installed"
            yield Finding("serious", "model", text, "pip install 'serai[local]'")


async def _served(patient: Patient) -> bool:
    from serai.models.discovery import find_local

    own = [patient.snapshot.api.port] if patient.snapshot else []
    async with make_session() as session:
        return await find_local(session, own=own) is not None
