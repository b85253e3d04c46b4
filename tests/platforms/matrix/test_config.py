"""The settings of an account, and what is imported for them."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from serai.platforms.matrix.config import MatrixConfig

GOOD: dict[str, Any] = {"homeserver": "https://matrix.example.org/", "access_token_env": "MATRIX_TOKEN"}


def test_a_last_slash_is_taken_off() -> None:
    assert MatrixConfig(**GOOD).homeserver == "https://matrix.example.org"


@pytest.mark.parametrize(
    "change",
    [
        {"homeserver": "matrix.example.org"},
        {"homeserver": "ftp://matrix.example.org"},
        {"homeserver": "https://u:p@matrix.example.org"},
        {"homeserver": "https://matrix.example.org/_matrix"},
        {"homeserver": "https://matrix.example.org?x=1"},
        {"homeserver": "https://matrix.example.org:port"},
        {"homeserver": None},
        {"access_token_env": "syt_fake-token"},
        {"access_token_env": ""},
        {"device_id": ""},
        {"device_id": 5},
        {"token": "x"},
    ],
)
def test_bad_settings_are_refused_without_being_quoted(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        MatrixConfig(**(GOOD | change))
    assert "u:p" not in str(refused.value)
    assert "fake-token" not in str(refused.value)


def test_the_manifest_and_the_settings_import_no_library() -> None:
    code = (
        "import sys, serai.platforms.matrix, serai.platforms.matrix.config;"
        "print({'nio', 'aiohttp', 'markdown_it', 'vodozemac'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
