"""The local engine keeps the contract."""

import pytest

from serai.engines.local import LocalEngine
from serai.ports.engine import Engine
from serai.testing.engine_contract import EngineContract


class TestLocal(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return LocalEngine()
