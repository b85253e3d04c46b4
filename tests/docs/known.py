"""What the schema knows: every key of config.yaml by its path, found by watching a configuration being read."""

from collections.abc import Collection, Mapping
from pathlib import Path
from re import sub
from typing import Final

import pytest

from serai.app import platforms, toolsets
from serai.config.load import Loaded, LocalModel, load
from serai.config.section import Section
from serai.core.profile import Endpoint

EVERYTHING: Final = """\
model: {name: m, provider: ollama, fallback: [{name: n}]}
agents: {ops: {fallback: [{name: n}]}}
routes: [{match: {platform: discord}, agent: ops}]
api_server: {keys: [{name: app, key_env: APP_KEY, agents: "*"}]}
platforms: {webhook: {secret_env: HOOK, callback_url: "http://127.0.0.1:9000/", accounts: {work: {}}}}
identities: {ada: ["discord:1"]}
"""
"""One of everything that a list or a group may hold, so that each is opened."""

_GROUPS: Final = (
    (r"^agents\.\w+", "agents.<id>"),
    (r"^platforms\.webhook\.accounts\.\w+", "platforms.webhook.accounts.<name>"),
    (r"\[\d+\]", "[]"),
)
SAME: Final = {"agents.<id>.fallback[]": "model.fallback[]", "platforms.webhook.accounts.<name>": "platforms.webhook"}
"""Groups that hold what another one holds; they are documented there."""

FREE: Final = frozenset({"identities.<person>"})
"""Keys whose names are up to the operator, and hold no group."""


class Anything(Mapping[str, str]):
    """An environment in which every variable is set, each to something else."""

    def __getitem__(self, name: str) -> str:
        return f"fake-value-of-{name}"

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(())

    def __len__(self) -> int:
        return 0


def loaded(home: Path, text: str, environment: Mapping[str, str] | None = None) -> Loaded:
    """The text as config.yaml of an otherwise empty home, loaded as the commands do it; every variable is set, unless
    an environment is given."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.yaml").write_text(text, encoding="utf-8")
    local = LocalModel(Endpoint("local", "http://127.0.0.1:11434/v1"))
    known = Anything() if environment is None else environment
    return load(home, known, platforms.Schemas(), toolsets.names(), local)


def keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, frozenset[str]]:
    """For each group of keys, by its path ("" is the file itself), the names that may stand in it."""
    found: dict[str, frozenset[str]] = {}
    refuse = Section.refuse_unknown

    def watched(section: Section, names: Collection[str]) -> None:
        found[general(section.place.path)] = frozenset(names)
        refuse(section, names)

    with monkeypatch.context() as patch:
        patch.setattr(Section, "refuse_unknown", watched)
        loaded(home, EVERYTHING)
    return found


def paths(found: Mapping[str, Collection[str]]) -> set[str]:
    """Every key by its whole path, such as `agents.<id>.home_dir`; of groups the keys alone."""
    known = {f"{group}.{key}".lstrip(".") for group, names in found.items() if group not in SAME for key in names}
    every = known | FREE
    return {path for path in every if not any(other.startswith(f"{path}.") for other in every)}


def general(path: str) -> str:
    """A place's path with its names and numbers taken out."""
    for pattern, replacement in _GROUPS:
        path = sub(pattern, replacement, path)
    return path
