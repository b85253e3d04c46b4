"""A model where none is configured: a local server that answers, else the embedded one (SPEC 7.2)."""

import asyncio
from pathlib import Path

import aiohttp
import structlog

from serai.app.demo import EMBEDDED
from serai.config.load import LocalModel
from serai.core.profile import Endpoint
from serai.models.discovery import find_local
from serai.models.embedded import EmbeddedModel, EmbeddedModelError
from serai.models.weights import find

_log = structlog.get_logger("local")


class LocalModels:
    """Finds or starts a model on this machine, and stops what it started."""

    def __init__(self, home: Path, session: aiohttp.ClientSession) -> None:
        self._home = home
        self._session = session
        self._embedded: EmbeddedModel | None = None
        self.found: LocalModel | None = None

    @property
    def embedded(self) -> EmbeddedModel | None:
        """The embedded model, where it is the one in use."""
        return self._embedded

    async def find(self) -> LocalModel | None:
        """The model to use, ready to answer; None where this machine has none. What was found stays in use."""
        if self.found is None:
            self.found = await self._find()
        return self.found

    async def _find(self) -> LocalModel | None:
        found = await find_local(self._session)
        if found is not None:
            return LocalModel(found, "")
        weights = await asyncio.to_thread(find, self._home)
        if weights is None:
            return None
        embedded = EmbeddedModel(weights)
        try:
            await embedded.start()
        except EmbeddedModelError as error:
            _log.warning("the embedded model did not start", error=str(error))
            return None
        self._embedded = embedded
        endpoint = Endpoint(embedded.name, embedded.base_url, EMBEDDED, key_name="SERAI_EMBEDDED_KEY")
        return LocalModel(endpoint, embedded.api_key)

    async def stop(self) -> None:
        if self._embedded is not None:
            await self._embedded.stop()
