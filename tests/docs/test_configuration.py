"""docs/configuration.md names every key that exists, and no page shows one that does not."""

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from serai.cli.effective import effective
from serai.cli.written import WrittenModels
from serai.config.provider import PROVIDERS
from tests.docs.known import SAME, general, keys, loaded, paths
from tests.docs.page import Block, blocks, pages, quoted, read, rows, sections

TEXT = read("configuration.md")
EXAMPLES = [block for page in pages() for block in blocks(page, "yaml")]


def test_every_key_of_the_schema_is_in_the_reference_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = {name for row in rows(TEXT, "key") for name in row.names}
    assert documented == paths(keys(tmp_path, monkeypatch))


def test_groups_said_to_be_alike_are_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = keys(tmp_path, monkeypatch)
    for copy, original in SAME.items():
        assert found[copy] == found[original] - {"accounts"}


def test_every_key_has_a_type_a_default_and_a_sentence() -> None:
    for row in rows(TEXT, "key"):
        assert len(row.cells) == 4, row
        assert all(row.cells), row


def test_defaults_are_what_an_empty_configuration_has(tmp_path: Path) -> None:
    snapshot = loaded(tmp_path, "agents:\n").snapshot
    assert snapshot is not None
    usual = effective(snapshot, WrittenModels(tmp_path / "config.yaml"))
    for row in rows(TEXT, "key"):
        known = _at(usual, row.names[0])
        if known is not _NOTHING and row.cells[2].startswith("`"):
            assert yaml.safe_load(row.cells[2].strip("`")) == known, row.names[0]


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_an_example_loads_without_problems_unless_it_is_a_bad_one(block: Block, tmp_path: Path) -> None:
    if "bad" in block.words:
        assert loaded(tmp_path, block.text, environment={}).problems, "this example is said to be bad"
    else:
        assert [str(problem) for problem in loaded(tmp_path, block.text).problems] == []


def test_no_sentence_names_a_key_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like the path of a key, on any page: `api_server.port`, `routes[].match`."""
    known = keys(tmp_path, monkeypatch)
    names = {*known, *paths(known), *(f"{copy}.{key}" for copy in SAME for key in known[copy])}
    for page in pages():
        for word in quoted(page.read_text(encoding="utf-8")):
            first, dot, _ = word.partition(".")
            if dot and first in known[""] and " " not in word and not word.endswith((".yaml", ".db")):
                assert general(word) in names, f"{page.name}: `{word}`"


def test_every_provider_is_listed_with_its_address_and_key() -> None:
    listed = {row.names[0]: row.cells[1:] for row in rows(TEXT, "provider")}
    assert listed == {
        name: (
            f"`{one.base_url}`" if one.base_url else "`base_url` says it",
            f"`{one.key_name}`" if one.key_name else "none",
        )
        for name, one in PROVIDERS.items()
    }


def test_the_reference_has_a_section_for_every_top_level_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = {title.strip("`") for heading in sections(TEXT) for title in heading.split(", ")}
    assert keys(tmp_path, monkeypatch)[""] <= titles


_NOTHING = object()


def _at(document: Any, path: str) -> Any:
    """The value at a path, or _NOTHING where the document has none there, or a group."""
    for step in path.split("."):
        if not isinstance(document, dict) or step not in document:
            return _NOTHING
        document = document[step]
    return _NOTHING if isinstance(document, dict) else document
