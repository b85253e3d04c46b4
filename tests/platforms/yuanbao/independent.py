"""A codec of Yuanbao's messages that somebody else wrote: a module of the MIT-licensed wheel of hermes-agent."""

import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Final

import pytest

_VERSION: Final = "0.19.0"
_FOLDER: Final = Path(gettempdir()) / f"serai-test-hermes-agent-{_VERSION}"
_MODULE: Final = "gateway/platforms/yuanbao_proto.py"


def codec() -> ModuleType:
    """The module. Skips the test where the wheel cannot be had."""
    file = _FOLDER / _MODULE
    if not file.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        wanted = [f"hermes-agent=={_VERSION}", "--no-deps", "--only-binary", ":all:", "--dest", str(_FOLDER)]
        done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *wanted], capture_output=True)
        wheels = list(_FOLDER.glob("*.whl"))
        if done.returncode or not wheels:
            pytest.skip("the wheel of hermes-agent, whose codec is compared, could not be had")
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extract(_MODULE, _FOLDER)
    spec = spec_from_file_location("independent_yuanbao", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
