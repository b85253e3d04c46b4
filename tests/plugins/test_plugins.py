"""Plugins: found, refused, asked (SPEC 4.4, 8.1, 8.2)."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from serai.core.error import Startup
from serai.core.source import Source
from serai.plugin import hookimpl
from serai.plugins.hooks import PluginHooks
from serai.plugins.load import load_plugins

CHAT = Source("fake", chat_id="100", roles=("r1",))


class Says:
    """A plugin that answers `answer`."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[Mapping[str, Any], str | None]] = []

    @hookimpl
    def select_agent(self, source: Mapping[str, Any], route_match: str | None) -> object:
        self.asked.append((source, route_match))
        return self.answer


def folder_plugin(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "plugin.py").write_text(f"from serai.plugin import hookimpl\n\n{text}")


async def test_without_plugins_nobody_is_asked() -> None:
    hooks = PluginHooks([])
    assert not hooks.used
    assert await hooks.select_agent(CHAT, None) is None


async def test_a_plugin_sees_the_source_as_a_plain_mapping_and_the_matching_route() -> None:
    plugin = Says("ops")
    choice = await PluginHooks([("says", plugin)]).select_agent(CHAT, "main")
    assert choice is not None
    assert (choice.agent, choice.plugin) == ("ops", "says")
    source, route = plugin.asked[0]
    assert (source["chat_id"], source["roles"], source["user_id"], route) == ("100", ("r1",), None, "main")


@pytest.mark.parametrize("nothing", [None, "", "   ", 7, ["ops"], b"ops", True])
async def test_anything_but_a_text_that_is_not_blank_is_ignored(nothing: object) -> None:
    hooks = PluginHooks([("first", Says(nothing)), ("second", Says("  ops \n"))])
    choice = await hooks.select_agent(CHAT, None)
    assert choice is not None
    assert (choice.agent, choice.plugin) == ("ops", "second")


async def test_plugins_are_asked_in_their_configured_order_and_the_first_answer_wins() -> None:
    first, second = Says("a"), Says("b")
    choice = await PluginHooks([("z", first), ("y", second)]).select_agent(CHAT, None)
    assert choice is not None
    assert choice.agent == "a"
    assert second.asked == []


async def test_a_plugin_that_raises_is_passed_over() -> None:
    class Broken:
        @hookimpl
        def select_agent(self) -> str:
            raise KeyError("oops")

    choice = await PluginHooks([("broken", Broken()), ("says", Says("ops"))]).select_agent(CHAT, None)
    assert choice is not None
    assert choice.plugin == "says"


async def test_a_plugin_that_hangs_is_passed_over_after_a_second_even_when_it_blocks() -> None:
    release = threading.Event()

    class Blocking:
        @hookimpl
        def select_agent(self) -> str:
            release.wait(30)
            return "late"

    class Waiting:
        @hookimpl
        async def select_agent(self) -> str:
            await asyncio.sleep(30)
            return "late"

    hooks = PluginHooks([("blocking", Blocking()), ("waiting", Waiting()), ("says", Says("ops"))])
    began = asyncio.get_running_loop().time()
    choice = await hooks.select_agent(CHAT, None)
    release.set()
    assert choice is not None
    assert choice.agent == "ops"
    assert 1.9 < asyncio.get_running_loop().time() - began < 25


async def test_a_hook_may_be_async_and_take_fewer_arguments() -> None:
    class Brief:
        @hookimpl
        async def select_agent(self, route_match: str | None) -> str:
            return f"after-{route_match}"

    choice = await PluginHooks([("brief", Brief())]).select_agent(CHAT, "main")
    assert choice is not None
    assert choice.agent == "after-main"


async def test_a_folder_plugin_is_off_unless_it_is_named(tmp_path: Path) -> None:
    folder_plugin(tmp_path, "night", "@hookimpl\ndef select_agent(source):\n    return 'night'\n")
    assert load_plugins([], tmp_path) == []
    choice = await PluginHooks(load_plugins(["night"], tmp_path)).select_agent(CHAT, None)
    assert choice is not None
    assert (choice.agent, choice.plugin) == ("night", "night")


async def test_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evening_plugin.py").write_text(
        "from serai.plugin import hookimpl\n\n@hookimpl\ndef select_agent():\n    return 'evening'\n"
    )
    info = tmp_path / "evening-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evening\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[serai.plugins]\nevening = evening_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    choice = await PluginHooks(load_plugins(["evening"], tmp_path / "none")).select_agent(CHAT, None)
    assert choice is not None
    assert choice.agent == "evening"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this_name", "could not be imported: ModuleNotFoundError"),
        ("def broken(:", "could not be imported: SyntaxError"),
        ("@hookimpl\ndef select_agnet(source):\n    return 'x'\n", "select_agnet"),
        ("@hookimpl\ndef select_agent(sauce):\n    return 'x'\n", "sauce"),
        ("@hookimpl(wrapper=True)\ndef on_delivery():\n    yield\n", "`on_delivery` wraps other plugins"),
    ],
)
def test_a_plugin_that_does_not_fit_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    folder_plugin(tmp_path, "odd", text)
    with pytest.raises(Startup, match="`odd`") as refusal:
        load_plugins(["odd"], tmp_path)
    assert said in str(refusal.value)


def test_a_plugin_that_is_named_but_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Startup, match="`ghost` is enabled, but there is neither"):
        load_plugins(["ghost"], tmp_path)
