"""Python in the pages compiles; what is a file of its own is run by the page, or loaded as a plugin."""

from pathlib import Path

import pytest

from serai.plugins.load import load_plugins
from tests.docs.page import Block, blocks, pages
from tests.docs.walk import acted, programs

EXAMPLES = [block for page in pages() for block in blocks(page, "python")]
PLUGINS = [block for block in EXAMPLES if block.text.startswith("# plugins/") or "plugin.py" in (block.file or "")]


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", PLUGINS, ids=str)
def test_a_plugin_can_be_loaded(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "example" / "plugin.py"
    file.parent.mkdir()
    file.write_text(block.text, encoding="utf-8")
    assert [name for name, _ in load_plugins(["example"], tmp_path)] == ["example"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_program_that_is_a_file_is_run_by_its_page(page: Path) -> None:
    run = {file for block in acted(page) if block.language == "console" for file in programs(block.text)}
    for block in blocks(page, "python"):
        if block.file and block.file.startswith("~/"):
            assert block.file in run, f"{block}: nothing runs {block.file}"
