"""The built-in platforms: known by name, imported only when somebody looks."""

import subprocess
import sys

import pytest
from pydantic import BaseModel

from serai.app.platforms import BUILT_IN, Schemas

IDLE = """
import sys
import serai.app.up
from serai.app.platforms import Schemas
assert "webhook" in Schemas() and list(Schemas()) and len(Schemas())
print(*sys.modules)
"""


def test_every_platform_has_a_model_of_its_settings() -> None:
    schemas = Schemas()
    assert tuple(schemas) == BUILT_IN
    assert all(issubclass(schema, BaseModel) for schema in schemas.values())
    with pytest.raises(KeyError):
        schemas["pager"]


def test_a_home_without_platforms_pays_for_none() -> None:
    done = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "serai.app.up" in loaded
    assert not {"pydantic", "serai.platforms.webhook", "serai.cli.root", "xllamacpp"} & loaded
